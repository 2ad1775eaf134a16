import Big from "big.js"
import type { Price } from "../store/rows"
import { shown } from "./money"

/** `cash` is what changes hands; null: none does. */
export function Total({ price, cash }: { price: Price; cash: string | null }) {
  const rounding = cash === null ? new Big(0) : new Big(cash).minus(price.total).minus(price.set_off)
  return (
    <dl>
      <dt>Before GST</dt>
      <dd>{shown(price.subtotal)}</dd>
      <dt>GST {price.gst_rate} %</dt>
      <dd>{shown(price.gst_amount)}</dd>
      <dt className="grand">Total</dt>
      <dd className="grand">{shown(price.total)}</dd>
      {price.set_off !== "0.00" && (
        <>
          <dt>Set off against an open invoice</dt>
          <dd>{shown(price.set_off)}</dd>
        </>
      )}
      {!rounding.eq(0) && cash !== null && (
        <>
          <dt>Rounded to coins, in cash</dt>
          <dd>{shown(cash)}</dd>
        </>
      )}
    </dl>
  )
}
