import { describe, expect, test } from "vitest"
import file from "../../../tests/transactions/price_cases.json"
import type { Customer, Equipment, GstRate, NewSale } from "../api/types"
import { priceOf, Refusal } from "./price"

type Case = {
  name: string
  customer: Pick<Customer, "meter_number" | "meter_rate" | "last_meter_reading" | "rates">
  occurred_at: string
  sale: Pick<NewSale, "items" | "current_meter">
  expected: object
}
const equipment = new Map((file.equipment as Equipment[]).map((row) => [row.id, { ...row, name: `Item ${row.id}` }]))
const gstRates = file.gst_rates as GstRate[]

describe("a sale costs what the shared cases say", () => {
  test.each(file.cases as unknown as Case[])("$name", ({ customer, occurred_at, sale, expected }) => {
    expect(outcome(() => priceOf(sale, { name: "Ah Hock", ...customer }, equipment, gstRates, occurred_at))).toEqual(
      expected,
    )
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
