import Big from "big.js"
import { isReadable, UNREADABLE } from "../store/numbers"

const dollars = new Intl.NumberFormat("en-SG", { minimumFractionDigits: 2, maximumFractionDigits: 2 })

/** For people: `1234.5` is `$1,234.50`; what is no number is said to be none. */
export function shown(amount: string): string {
  if (!isReadable(amount)) return UNREADABLE
  // Intl takes a decimal as text and keeps it exact; a double never comes in.
  const text = dollars.format(new Big(amount).abs().toFixed(2) as Intl.StringNumericLiteral)
  return `${new Big(amount).lt(0) ? "−" : ""}$${text}`
}
