/**
 * What a sale will cost, as the server will compute it: docs/domain.md, "Sale". Pure functions over what was pulled.
 *
 * tests/transactions/price_cases.json holds this and the server to the same answers.
 */
import Big from "big.js"
import type { Customer, Equipment, GstRate, ItemType, NewSale, RateSource, SaleItem } from "../api/types"
import { UNREADABLE } from "../store/numbers"
import type { Price } from "../store/rows"
import { businessDate } from "../ui/day"
import { sumOf, toCents } from "./money"

/** A refundable deposit is no consideration for a supply, so GST stays away from it. */
const UNTAXED: ReadonlySet<ItemType> = new Set(["DEPOSIT", "RETURN"])

export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly attr: string | null,
    message: string,
  ) {
    super(message)
  }
}

type Sold = Pick<NewSale, "items" | "current_meter">
type Buyer = Pick<Customer, "name" | "meter_number" | "meter_rate" | "last_meter_reading" | "rates">
type Priced = Pick<Equipment, "id" | "name" | "default_rate" | "deposit">

/** Throws Refusal with the server's own code, where the server would refuse it too. */
export function priceOf(
  sale: Sold,
  customer: Buyer,
  equipment: ReadonlyMap<number, Priced>,
  gstRates: readonly GstRate[],
  occurredAt: string,
): Price {
  const day = businessDate(occurredAt)
  const meter = readMeter(sale, customer)
  const lines = (sale.items ?? []).map((item, index) => priceLine(item, index, customer, equipment, day))
  const metered = meter?.usage.gt(0) ?? false
  if (lines.length === 0 && !metered) throw new Refusal("empty_sale", null, "There is nothing to bill yet.")
  const usageAmount = meter?.amount ?? new Big(0)
  const subtotal = sumOf([usageAmount, ...lines.map((line) => line.amount)])
  if (subtotal.lt(0) && (metered || lines.some((line) => line.taxable))) {
    throw new Refusal("negative_total", "items", "The refunds exceed the sale: record refund and sale apart.")
  }
  const taxed = sumOf([usageAmount, ...lines.filter((line) => line.taxable).map((line) => line.amount)])
  const gstRate = gstRateOn(day, gstRates)
  const gst = toCents(taxed.times(gstRate).div(100))
  return {
    lines: lines.map((line) => ({ ...line, rate: line.rate.toFixed(2), amount: line.amount.toFixed(2) })),
    last_reading: meter?.last?.toFixed(2) ?? null,
    usage: meter?.usage.toFixed(2) ?? null,
    usage_amount: usageAmount.toFixed(2),
    subtotal: subtotal.toFixed(2),
    gst_rate: gstRate.toFixed(2),
    gst_amount: gst.toFixed(2),
    total: subtotal.plus(gst).toFixed(2),
  }
}

type Usage = { last: Big | null; usage: Big; amount: Big }

/** What the meter moved since the last reading; a meter's first reading is where it begins, and bills nothing. */
function readMeter(sale: Sold, customer: Buyer): Usage | null {
  if (sale.current_meter == null) return null
  if (customer.meter_rate === null) throw new Refusal("no_meter", "current_meter", `${customer.name} has no gas meter.`)
  const reading = new Big(sale.current_meter)
  const last = customer.last_meter_reading === null ? null : read(customer.last_meter_reading, "The last reading")
  if (last && reading.lt(last)) {
    throw new Refusal("meter_reading_decreased", "current_meter", `The last reading was ${last.toFixed(2)}.`)
  }
  const usage = last ? reading.minus(last) : new Big(0)
  return { last, usage, amount: toCents(usage.times(read(customer.meter_rate, "The meter's rate"))) }
}

/** The listed price: of the contract in force that day, else the equipment's. Null: none, and the driver names it. */
export function listedRate(
  equipment: Pick<Equipment, "id" | "default_rate" | "deposit">,
  type: ItemType,
  customer: Pick<Customer, "rates">,
  day: string,
): { rate: string; rate_source: RateSource } | null {
  if (UNTAXED.has(type)) return equipment.deposit == null ? null : { rate: equipment.deposit, rate_source: "DEFAULT" }
  const contract = latest(
    customer.rates.filter((rate) => rate.equipment === equipment.id),
    day,
  )
  if (contract) return { rate: contract.rate, rate_source: "CONTRACT" }
  return equipment.default_rate == null ? null : { rate: equipment.default_rate, rate_source: "DEFAULT" }
}

function priceLine(
  item: SaleItem,
  index: number,
  customer: Buyer,
  equipment: ReadonlyMap<number, Priced>,
  day: string,
): { rate: Big; rate_source: RateSource; amount: Big; taxable: boolean } {
  const sold = equipment.get(item.equipment)
  if (!sold) throw new Refusal("invalid", `items.${index}.equipment`, "This item isn't sold any more.")
  const attr = `items.${index}.rate`
  const found = listedRate(sold, item.type, customer, day)
  const listed = found && { rate: read(found.rate, `The price of ${sold.name}`), rate_source: found.rate_source }
  const named = item.rate == null ? null : new Big(item.rate)
  if (listed && named && !named.eq(listed.rate)) {
    const is = listed.rate.toFixed(2)
    throw new Refusal("rate_mismatch", attr, `The rate of ${sold.name} is ${is}, not ${named.toFixed(2)}.`)
  }
  const untaxed = UNTAXED.has(item.type)
  if (!listed && !named && !untaxed) throw new Refusal("invalid", attr, `${sold.name} has no rate for this customer.`)
  const rate = listed?.rate ?? named ?? new Big(0)
  const sign = item.type === "RETURN" ? -1 : 1
  return {
    rate,
    rate_source: listed?.rate_source ?? "FIELD",
    amount: toCents(rate.times(item.quantity).times(sign)),
    taxable: !untaxed,
  }
}

/** A number of the pull. Where the books have it wrong, nobody here can tell what the sale will cost. */
function read(text: string, what: string): Big {
  if (text === UNREADABLE) throw new Refusal(UNREADABLE, null, `${what} is unreadable. Please tell the office.`)
  return new Big(text)
}

/** Per cent; 0 before the first rate that is known. */
function gstRateOn(day: string, rates: readonly GstRate[]): Big {
  return read(latest(rates, day)?.rate ?? "0", "The GST rate")
}

/** The row that came into force last, on a day. ISO dates order as text. */
function latest<Row extends { valid_from: string }>(rows: readonly Row[], day: string): Row | undefined {
  return rows
    .filter((row) => row.valid_from <= day)
    .reduce<Row | undefined>((found, row) => (found && found.valid_from > row.valid_from ? found : row), undefined)
}
