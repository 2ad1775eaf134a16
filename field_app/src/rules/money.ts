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

const dollars = new Intl.NumberFormat("en-SG", { minimumFractionDigits: 2, maximumFractionDigits: 2 })

/** For people: `1234.5` is `$1,234.50`. */
export function shown(amount: string): string {
  // Intl takes a decimal as text and keeps it exact; a double never comes in.
  const text = dollars.format(new Big(amount).abs().toFixed(2) as Intl.StringNumericLiteral)
  return `${new Big(amount).lt(0) ? "−" : ""}$${text}`
}
