/**
 * What is possible but unlikely about a sale, as the server will ask: docs/domain.md, "Unlikely". Asked at the door, where
 * the meter can be read again; tests/transactions/price_cases.json holds this and the server to the same questions.
 */
import Big from "big.js"
import type { Customer, NewSale, Pulled, SaleItem } from "../api/types"
import { UNREADABLE } from "../store/numbers"
import type { Confirmed, Price } from "../store/rows"

/** A question's words; the rest of it is what the sale then confirms. */
export type Question = Confirmed & { text: string }
/** From where is asked, as it was pulled. */
export type Unlikely = Pulled["unlikely"]

type Sold = { items?: readonly Pick<SaleItem, "quantity">[] } & Pick<NewSale, "current_meter">
type Metered = Pick<Customer, "most_usage_per_day" | "metered_since">

const DAY_MS = 24 * 60 * 60 * 1000

/** `unlikely` undefined: nothing was pulled since the server asks. */
export function questionsOf(
  sale: Sold,
  price: Price,
  customer: Metered,
  unlikely: Unlikely | undefined,
  occurredAt: string,
): Question[] {
  return [
    ...aboutLines(sale, price, unlikely),
    ...aboutUsage(sale, price, customer, occurredAt),
    ...aboutAmount(sale, price, unlikely),
  ]
}

export function confirmed({ code, attr, value }: Question): Confirmed {
  return { code, attr, value }
}

function aboutLines(sale: Sold, price: Price, unlikely: Unlikely | undefined): Question[] {
  return (sale.items ?? []).flatMap(({ quantity }, index) => {
    const line = price.lines[index]
    const questions: Question[] = []
    if (unlikely && new Big(quantity).gt(unlikely.quantity)) {
      const text = `${quantity} in one line: is that right?`
      questions.push({ code: "quantity_unlikely", attr: `items.${index}.quantity`, value: String(quantity), text })
    }
    if (line?.rate_source === "FIELD" && line.taxable && line.rate !== null && new Big(line.rate).eq(0)) {
      const text = "A price of nothing: is that right?"
      questions.push({ code: "rate_unlikely", attr: `items.${index}.rate`, value: line.rate, text })
    }
    return questions
  })
}

function aboutUsage(sale: Sold, price: Price, customer: Metered, occurredAt: string): Question[] {
  const { most_usage_per_day: most, metered_since: since } = customer
  if (sale.current_meter == null || price.usage === null || !most || most === UNREADABLE || !since) return []
  const elapsed = Math.max(Date.parse(occurredAt) - Date.parse(since), DAY_MS)
  const perDay = new Big(price.usage).times(DAY_MS).div(elapsed)
  if (perDay.lte(most)) return []
  const text = `${price.usage} m³ since the last reading, ${perDay.toFixed(1)} a day: look at the meter again. Is that right?`
  return [{ code: "usage_unlikely", attr: "current_meter", value: sale.current_meter, text }]
}

function aboutAmount(sale: Sold, price: Price, unlikely: Unlikely | undefined): Question[] {
  if (!unlikely || new Big(price.total).abs().lte(unlikely.amount)) return []
  const attr = sale.items?.length ? "items" : "current_meter"
  return [{ code: "amount_unlikely", attr, value: price.total, text: `A total of $${price.total}: is that right?` }]
}
