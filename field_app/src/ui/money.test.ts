import { expect, test } from "vitest"
import { shown } from "./money"

test.each([
  ["1234.5", "$1,234.50"],
  ["-58.86", "−$58.86"],
  ["NaN", "unreadable"],
  ["unreadable", "unreadable"],
  ["", "unreadable"],
])("%s is shown as %s", (amount, said) => {
  expect(shown(amount)).toBe(said)
})
