import { describe, expect, test } from "vitest"
import type { Discrepancy } from "../api/types"
import type { PastSale, SaleOperation } from "../store/rows"
import { asText, ofOperation } from "./receipt"

const PRICE = {
  lines: [{ rate: "230.00", rate_source: "DEFAULT", amount: "230.00", taxable: true }],
  ...{ last_reading: null, usage: null, usage_amount: "0.00" },
  ...{ subtotal: "230.00", gst_rate: "9.00", gst_amount: "20.70", total: "250.70" },
}
const DIFFERS: Discrepancy = { code: "total_differs", shown: "250.70", billed: "25.07", detail: "It had changed." }

function sale(state: SaleOperation["state"], discrepancies: Discrepancy[] = []): SaleOperation {
  const answered = state === "done"
  return {
    ...{ type: "transaction.create", client_temp_id: "0b1f6a52-44a0", state, occurred_at: "2026-01-20T09:12:00+08:00" },
    data: { customer: 1, items: [{ equipment: 3, type: "SALE", quantity: 1, rate: "230.00" }], payment_received: true },
    shown: {
      customer: { name: "Ah Hock", customer_code: "A", address: "Blk 1" },
      lines: ["Sale: 14 kg"],
      price: PRICE,
    },
    result: answered ? { id: 5, number: "TRX-1", invoice: 6, invoice_number: "INV-1", discrepancies } : null,
  } as unknown as SaleOperation
}

const BILLED = {
  id: 5,
  transaction: {
    ...{ transaction_number: "TRX-1", customer_name: "Ah Hock", occurred_at: "2026-01-20T09:12:12+08:00" },
    ...{ payment_received: true, usage_amount: "0.00", status: "COMPLETED" },
    items: [{ type: "SALE", equipment_name: "14 kg", quantity: 1, rate: "23.00", amount: "23.00" }],
  },
  invoice: {
    ...{ id: 6, invoice_number: "INV-1", transaction: 5 },
    ...{ subtotal: "23.00", gst_rate: "9.00", gst_amount: "2.07", total_amount: "25.07" },
  },
} as unknown as PastSale

describe("a receipt", () => {
  test("shows what was shown, and says so, until the invoice is here", () => {
    const provisional = ofOperation(sale("queued"), undefined)
    expect(provisional).toMatchObject({ number: "PROVISIONAL-0B1F6A52", state: "provisional" })
    expect(provisional.price?.total).toBe("250.70")
    const numbered = ofOperation(sale("done"), undefined)
    expect(numbered).toMatchObject({ number: "INV-1", state: "numbered" })
    expect(asText(numbered)).toContain("These are the figures that you showed.")
  })

  test("shows the invoice's figures under the invoice's number", () => {
    const official = ofOperation(sale("done"), BILLED)
    expect(official).toMatchObject({ number: "INV-1", state: "official", address: "Blk 1", differences: [] })
    expect(official.lines).toEqual([{ text: "Sale: 14 kg", quantity: 1, rate: "23.00", amount: "23.00" }])
    expect(official.price?.total).toBe("25.07")
  })

  test("says what was taken where something else is billed", () => {
    const said = "You took $250.70, billed are $25.07. Please tell the customer."
    for (const past of [undefined, BILLED]) {
      const receipt = ofOperation(sale("done", [DIFFERS]), past)
      expect(receipt.differences).toEqual([said])
      expect(asText(receipt)).toContain(said)
    }
  })

  test("leaves a price blank that nobody could tell", () => {
    const unknown = { ...sale("queued"), shown: { ...sale("queued").shown, price: null } }
    const receipt = ofOperation(unknown, undefined)
    expect(receipt.lines).toEqual([{ text: "Sale: 14 kg", quantity: 1, rate: null, amount: null }])
    expect(asText(receipt)).not.toContain("$")
  })

  test("says what was taken in coins", () => {
    const { data, ...rest } = sale("queued")
    const receipt = ofOperation(
      { ...rest, data: { ...data, payment_received: true, based_on: { cash: "25.05" } } },
      undefined,
    )
    expect(asText(receipt)).toContain("Paid in cash: $25.05")
  })
})
