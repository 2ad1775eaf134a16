import Big from "big.js"

/** Round to the cent, half away from zero, as the server does: 0.125 becomes 0.13. */
export function toCents(amount: Big): Big {
  return amount.round(2, Big.roundHalfUp)
}

/** What a balance comes to in coins, as the server rounds it; a coin of 0.00: to the cent. */
export function inCoins(balance: Big, coin: string): Big {
  if (Number(coin) === 0) return balance
  const rounded = balance.div(coin).round(0, Big.roundHalfUp).times(coin)
  return rounded.eq(0) ? balance : rounded
}

export function sumOf(amounts: Iterable<Big>): Big {
  let total = new Big(0)
  for (const amount of amounts) total = total.plus(amount)
  return total
}
