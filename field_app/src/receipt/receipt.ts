/** What a receipt says. */
import { receiptNumber } from "../store/queue"
import type { PastSale, Price, SaleOperation } from "../store/rows"
import { dayShown, timeOfDay } from "../ui/day"
import { inWords } from "../ui/discrepancy"
import { shown } from "../ui/money"
import { ITEM_TYPES } from "../ui/words"

export type Receipt = {
  number: string
  state: "provisional" | "numbered" | "official" | "refused"
  /** What differs between what was shown and what is billed. */
  differences: string[]
  customer: string
  address: string
  moment: string
  paid: boolean
  /** What changed hands in coins, where this device knows it. */
  cash: string | null
  /** Rates and amounts are null where nobody could tell the price. */
  lines: { text: string; quantity: number; rate: string | null; amount: string | null }[]
  price: Price | null
  remarks: string
  reading: string | null
  invoice: { id: number; number: string } | null
}

/** An official number stands over the invoice's figures alone, as soon as they are here. */
export function ofOperation(operation: SaleOperation, past: PastSale | undefined): Receipt {
  const { data, shown: seen, result, state } = operation
  const differences = (result?.discrepancies ?? []).map((each) => inWords(each, data.payment_received ?? false))
  if (past?.invoice) return { ...ofPastSale(past), address: seen.customer.address, differences }
  return {
    number: receiptNumber(operation),
    state: state === "done" ? "numbered" : state === "queued" ? "provisional" : "refused",
    differences,
    customer: seen.customer.name,
    address: seen.customer.address,
    moment: operation.occurred_at,
    paid: data.payment_received ?? false,
    cash: data.payment_received ? (data.based_on?.cash ?? null) : null,
    lines: seen.lines.map((text, index) => {
      const line = seen.price?.lines[index]
      return {
        text,
        quantity: data.items?.[index]?.quantity ?? 0,
        rate: line?.rate ?? null,
        amount: line?.amount ?? null,
      }
    }),
    price: seen.price,
    remarks: data.remarks ?? "",
    reading: data.current_meter ?? null,
    invoice: result?.invoice ? { id: result.invoice, number: result.invoice_number ?? "" } : null,
  }
}

export function ofPastSale({ transaction, invoice }: PastSale): Receipt {
  return {
    number: invoice?.invoice_number ?? transaction.transaction_number,
    state: "official",
    differences: [],
    customer: transaction.customer_name,
    address: "",
    moment: transaction.occurred_at,
    paid: transaction.payment_received ?? false,
    cash: null,
    lines: transaction.items.map((item) => ({
      text: `${ITEM_TYPES[item.type]}: ${item.equipment_name}`,
      quantity: item.quantity,
      rate: item.rate,
      amount: item.amount,
    })),
    price: invoice && {
      lines: [],
      last_reading: transaction.last_meter_reading ?? null,
      usage: transaction.current_meter_reading ? transaction.usage : null,
      usage_amount: transaction.usage_amount,
      subtotal: invoice.subtotal,
      gst_rate: invoice.gst_rate,
      gst_amount: invoice.gst_amount,
      total: invoice.total_amount,
      set_off: "0.00",
    },
    remarks: transaction.remarks ?? "",
    reading: transaction.current_meter_reading ?? null,
    invoice: invoice && { id: invoice.id, number: invoice.invoice_number },
  }
}

export function howPaid({ paid, cash }: Receipt): string {
  return !paid ? "On account" : cash === null ? "Paid" : `Paid in cash: ${shown(cash)}`
}

export const STATES = {
  provisional: "Provisional: not a tax invoice. It gets its number as soon as it is sent.",
  numbered: "These are the figures that you showed. The invoice's come with the next update.",
  official: "",
  refused: "The office has to decide about this sale: it has no invoice yet.",
}

export function asText(receipt: Receipt): string {
  const { price } = receipt
  return [
    receipt.number,
    STATES[receipt.state],
    ...receipt.differences,
    receipt.customer,
    `${dayShown(receipt.moment)}, ${timeOfDay(receipt.moment)}`,
    ...receipt.lines.map((line) =>
      [`${line.quantity} × ${line.text}`, line.amount && shown(line.amount)].filter(Boolean).join(": "),
    ),
    receipt.reading && price && `Gas by meter, to ${receipt.reading}: ${shown(price.usage_amount)}`,
    price && `GST ${price.gst_rate} %: ${shown(price.gst_amount)}`,
    price && `Total: ${shown(price.total)}`,
    price && price.set_off !== "0.00" && `Set off against an open invoice: ${shown(price.set_off)}`,
    howPaid(receipt),
  ]
    .filter(Boolean)
    .join("\n")
}
