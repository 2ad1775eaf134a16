import { describe, expect, test } from "vitest"
import file from "../../../tests/transactions/price_cases.json"
import type { Customer, Equipment, GstRate, NewSale } from "../api/types"
import { UNREADABLE } from "../store/numbers"
import { priceOf, Refusal } from "./price"
import { confirmed, questionsOf } from "./questions"

type Case = {
  name: string
  customer: Pick<Customer, "meter_number" | "meter_rate" | "last_meter_reading" | "rates">
  holdings?: Customer["holdings"]
  occurred_at: string
  sale: Pick<NewSale, "items" | "current_meter">
  expected: object
  /** Of a case with a meter's history: what is pulled of it. */
  pulled?: { most_usage_per_day: string; metered_since: string }
  asked?: object[]
}
const equipment = new Map((file.equipment as Equipment[]).map((row) => [row.id, { ...row, name: `Item ${row.id}` }]))
const gstRates = file.gst_rates as GstRate[]

describe("a sale costs what the shared cases say", () => {
  test.each(file.cases as unknown as Case[])("$name", ({ customer, holdings, occurred_at, sale, expected }) => {
    const buyer = { name: "Ah Hock", ...customer, ...(holdings && { holdings }) }
    expect(outcome(() => priceOf(sale, buyer, equipment, gstRates, occurred_at))).toEqual(expected)
  })
})

describe("a sale is asked about as the shared cases say", () => {
  const unlikely = { quantity: "50.00", amount: "10000.00" }
  const NOTHING = { most_usage_per_day: null, metered_since: null }
  const cases = (file.cases as unknown as Case[]).filter(({ expected }) => !("refused" in expected))

  test.each(cases)("$name", ({ customer, holdings, occurred_at, sale, pulled, asked }) => {
    const buyer = { name: "Ah Hock", ...customer, ...(holdings && { holdings }) }
    const price = priceOf(sale, buyer, equipment, gstRates, occurred_at)
    const questions = questionsOf(sale, price, pulled ?? NOTHING, unlikely, occurred_at)
    expect(questions.map(confirmed)).toEqual(asked ?? [])
  })

  test("nothing is asked where no limit was pulled yet", () => {
    const sale = { items: [{ equipment: 1, type: "SALE" as const, quantity: 900 }] }
    const price = { lines: [], last_reading: null, usage: null, usage_amount: "0.00", subtotal: "34650.00" }
    const whole = { ...price, gst_rate: "9.00", gst_amount: "3118.50", total: "37768.50", set_off: "0.00" }
    expect(questionsOf(sale, whole, NOTHING, undefined, "2026-01-20T12:00:00+08:00")).toEqual([])
  })
})

describe("a number that the books have wrong", () => {
  const item = { id: 3, name: "14 kg", default_rate: "28.50", deposit: "40.00" }
  const buyer = { name: "Ah Hock", meter_number: "M1", meter_rate: "2.20", last_meter_reading: "100.00", rates: [] }
  const swap = { items: [{ equipment: 3, type: "SWAP" as const, quantity: 1 }] }
  const gst = [{ id: 1, rate: "9.00", valid_from: "2024-01-01" }]
  const NOON = "2026-01-20T12:00:00+08:00"

  test.each([
    ["a price", { ...item, default_rate: UNREADABLE }, buyer, swap, gst],
    [
      "a contract's",
      item,
      { ...buyer, rates: [{ equipment: 3, rate: UNREADABLE, valid_from: "2024-01-01" }] },
      swap,
      gst,
    ],
    ["a meter's rate", item, { ...buyer, meter_rate: UNREADABLE }, { current_meter: "110.00" }, gst],
    ["a reading", item, { ...buyer, last_meter_reading: UNREADABLE }, { current_meter: "110.00" }, gst],
    ["the GST rate", item, buyer, swap, [{ id: 1, rate: UNREADABLE, valid_from: "2024-01-01" }]],
  ])("is said to be one: %s", (_, sold, customer, sale, rates) => {
    const priced = () => priceOf(sale, customer as Customer, new Map([[3, sold]]), rates as unknown as GstRate[], NOON)
    expect(outcome(priced)).toEqual({ refused: UNREADABLE, attr: null })
  })
})

function outcome<Value>(compute: () => Value): Value | { refused: string; attr: string | null } {
  try {
    return compute()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { refused: error.code, attr: error.attr }
  }
}
