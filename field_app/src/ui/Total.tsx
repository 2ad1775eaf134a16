import type { Price } from "../store/rows"
import { shown } from "./money"

export function Total({ price }: { price: Price }) {
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
    </dl>
  )
}
