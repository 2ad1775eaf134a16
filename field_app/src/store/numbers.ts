/** A number that the server's books have wrong must not take a screen with it: it is kept, and shown, as this word. */
import Big from "big.js"

export const UNREADABLE = "unreadable"

export function isReadable(text: string): boolean {
  try {
    return Boolean(new Big(text))
  } catch {
    return false
  }
}

/** The row with that word in the place of each named number that is none. */
export function readable<Row extends object, Name extends keyof Row>(row: Row, names: readonly Name[]): Row {
  const wrong = names.filter((name) => row[name] != null && !isReadable(String(row[name])))
  return wrong.length ? { ...row, ...Object.fromEntries(wrong.map((name) => [name, UNREADABLE])) } : row
}
