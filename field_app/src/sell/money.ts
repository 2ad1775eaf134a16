import Big from "big.js"

/** Round to the cent, half away from zero, as the server does: 0.125 becomes 0.13. */
export function toCents(amount: Big): Big {
  return amount.round(2, Big.roundHalfUp)
}

export function sumOf(amounts: Iterable<Big>): Big {
  let total = new Big(0)
  for (const amount of amounts) total = total.plus(amount)
  return total
}
