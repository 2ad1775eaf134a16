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
const UNTAXED: ReadonlySet<ItemType> = new Set(["DEPOSIT", "RETURN", "SETOFF"])

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
type Buyer = Pick<Customer, "name" | "meter_number" | "meter_rate" | "last_meter_reading" | "rates"> &
  // Nothing is known of what was pulled before the server told it.
  Partial<Pick<Customer, "holdings">>
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
  const refunds = refundsOf(sale.items ?? [], customer)
  const lines = (sale.items ?? []).map((item, index) =>
    item.type === "RETURN"
      ? returned(item, index, refunds[index] ?? [], equipment)
      : priceLine(item, index, customer, equipment, day),
  )
  const metered = meter?.usage.gt(0) ?? false
  if (lines.length === 0 && !metered) throw new Refusal("empty_sale", null, "There is nothing to bill yet.")
  const usageAmount = meter?.amount ?? new Big(0)
  const subtotal = sumOf([usageAmount, ...lines.map((line) => line.amount)])
  const taxed = sumOf([usageAmount, ...lines.filter((line) => line.taxable).map((line) => line.amount)])
  const gstRate = gstRateOn(day, gstRates)
  const gst = toCents(taxed.times(gstRate).div(100))
  return {
    lines: lines.map((line) => ({ ...line, rate: line.rate?.toFixed(2) ?? null, amount: line.amount.toFixed(2) })),
    last_reading: meter?.last?.toFixed(2) ?? null,
    usage: meter?.usage.toFixed(2) ?? null,
    usage_amount: usageAmount.toFixed(2),
    subtotal: subtotal.toFixed(2),
    gst_rate: gstRate.toFixed(2),
    gst_amount: gst.toFixed(2),
    total: subtotal.plus(gst).toFixed(2),
    set_off: subtotal.lt(0) ? setOff(refunds.flat()).toFixed(2) : "0.00",
  }
}

type Lot = Customer["holdings"][number]["lots"][number]
/** So many pieces for so much each. `lot` null: they were lent without a deposit. */
type Refund = { pieces: number; ofOne: Big; lot: Lot | null }

/** What each RETURN refunds: what is on loan first, at nothing, then the oldest deposits, each at its own amount. */
function refundsOf(items: readonly SaleItem[], customer: Buyer): Refund[][] {
  const held = new Map(customer.holdings?.map((each) => [each.equipment, { ...each, lots: each.lots.map(copied) }]))
  const of = (equipment: number) => {
    const found = held.get(equipment) ?? { equipment, at_site: 0, lots: [] }
    held.set(equipment, found)
    return found
  }
  // What is handed over now is there before anything comes back; a deposit charged now is for that.
  for (const item of items) {
    if (item.type === "SALE") of(item.equipment).at_site += item.quantity
    if (item.type === "DEPOSIT") of(item.equipment).at_site -= item.quantity
  }
  return items.map((item) => {
    if (item.type !== "RETURN") return []
    const { lots, ...site } = of(item.equipment)
    const onLoan = Math.max(0, site.at_site - lots.reduce((sum, lot) => sum + lot.pieces, 0))
    const lent = Math.min(item.quantity, onLoan)
    const refunds: Refund[] = lent ? [{ pieces: lent, ofOne: new Big(0), lot: null }] : []
    let left = item.quantity - lent
    for (const lot of lots) {
      for (; left > 0 && lot.pieces > 0; left -= 1) {
        const ofOne = toCents(read(lot.amount, "A deposit").div(lot.pieces))
        refunds.push({ pieces: 1, ofOne, lot: lot.of })
        lot.amount = read(lot.amount, "A deposit").minus(ofOne).toFixed(2)
        lot.pieces -= 1
      }
    }
    if (left > 0) refunds.push({ pieces: left, ofOne: new Big(0), lot: null })
    of(item.equipment).at_site -= item.quantity
    return refunds
  })
}

const copied = (lot: Lot) => ({ pieces: lot.pieces, amount: lot.amount, of: lot })

function returned(item: SaleItem, index: number, refunds: Refund[], equipment: ReadonlyMap<number, Priced>): Line {
  if (!equipment.has(item.equipment)) {
    throw new Refusal("invalid", `items.${index}.equipment`, "This item isn't known here.")
  }
  const rate = refunds[0]?.ofOne ?? new Big(0)
  return {
    rate: refunds.every((refund) => refund.ofOne.eq(rate)) ? rate : null,
    rate_source: "LOT",
    amount: sumOf(refunds.map((refund) => refund.ofOne.times(-refund.pieces))),
    taxable: false,
  }
}

/** What of a refund settles the invoices that charged its deposits, and isn't paid out. */
function setOff(refunds: Refund[]): Big {
  const open = new Map<number, Big>()
  return sumOf(
    refunds.map(({ pieces, ofOne, lot }) => {
      if (lot === null || lot.invoice === null) return new Big(0)
      const left = open.get(lot.invoice) ?? read(lot.open_amount, "What is open of an invoice")
      const part = left.lt(ofOne.times(pieces)) ? left : ofOne.times(pieces)
      open.set(lot.invoice, left.minus(part))
      return part
    }),
  )
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

/**
 * The listed price: of the contract in force that day, else the equipment's; a contract's rate of null ended it. Null: none, and the driver names it, but for a
 * deposit. What comes back has none: `refundsOf`.
 */
export function listedRate(
  equipment: Pick<Equipment, "id" | "default_rate" | "deposit">,
  type: ItemType,
  customer: Pick<Customer, "rates">,
  day: string,
): { rate: string; rate_source: RateSource } | null {
  if (type === "DEPOSIT") return equipment.deposit == null ? null : { rate: equipment.deposit, rate_source: "DEFAULT" }
  const contract = latest(
    customer.rates.filter((rate) => rate.equipment === equipment.id),
    day,
  )
  if (contract?.rate != null) return { rate: contract.rate, rate_source: "CONTRACT" }
  return equipment.default_rate == null ? null : { rate: equipment.default_rate, rate_source: "DEFAULT" }
}

/** `rate` null: not all of its pieces are refunded at the same. */
type Line = { rate: Big | null; rate_source: RateSource; amount: Big; taxable: boolean }

function priceLine(
  item: SaleItem,
  index: number,
  customer: Buyer,
  equipment: ReadonlyMap<number, Priced>,
  day: string,
): Line {
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
  if (!listed && item.type === "DEPOSIT") throw new Refusal("invalid", attr, `${sold.name} has no deposit.`)
  if (!listed && !named) throw new Refusal("invalid", attr, `${sold.name} has no rate for this customer.`)
  const rate = listed?.rate ?? named ?? new Big(0)
  return {
    rate,
    rate_source: listed?.rate_source ?? "FIELD",
    amount: toCents(rate.times(item.quantity)),
    taxable: !UNTAXED.has(item.type),
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
