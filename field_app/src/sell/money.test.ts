import Big from "big.js"
import { expect, test } from "vitest"
import { inCoins } from "./money"

test.each([
  ["30.52", "0.05", "30.5"],
  ["30.53", "0.05", "30.55"],
  ["30.525", "0.05", "30.55"],
  ["-24.03", "0.05", "-24.05"],
  ["0.02", "0.05", "0.02"],
  ["30.52", "0.00", "30.52"],
])("%s with coins of %s is %s", (balance, coin, coins) => {
  expect(inCoins(new Big(balance), coin).toString()).toBe(coins)
})
