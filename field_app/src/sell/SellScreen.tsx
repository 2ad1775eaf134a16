import Big from "big.js"
import { useEffect, useId, useState } from "react"
import { useNavigate, useParams } from "react-router"
import type { BasedOn, Customer, Equipment, GstRate, SaleItem } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { UNREADABLE } from "../store/numbers"
import { newId } from "../store/queue"
import type { Price } from "../store/rows"
import { type OnVehicle, stockKey, vehicleHere, withReadings } from "../store/stock"
import { businessDate } from "../ui/day"
import { useField, useRecord, useStored } from "../ui/field"
import { shown } from "../ui/money"
import { bySku } from "../ui/order"
import { Stepper } from "../ui/Stepper"
import { Total } from "../ui/Total"
import { CONDITIONS, DONE_HERE, ITEM_TYPES } from "../ui/words"
import { inCoins } from "./money"
import { listedRate, priceOf, Refusal } from "./price"
import { confirmed, type Question, questionsOf, type Unlikely } from "./questions"

type Line = Pick<SaleItem, "equipment" | "quantity"> & { type: (typeof DONE_HERE)[number] } & {
  rate: string
  condition: "EMPTY" | "DAMAGED"
}
type Draft = { lines: Line[]; reading: string; paid: boolean | null; remarks: string }
type Context = {
  customer: Customer
  equipment: Map<number, Equipment>
  gstRates: GstRate[]
  here: OnVehicle
  unlikely: Unlikely | undefined
  coin: string
}

const EMPTY: Draft = { lines: [], reading: "", paid: null, remarks: "" }
const DECIMAL = /^\d{1,10}(\.\d{1,2})?$/

export function SellScreen() {
  const id = Number(useParams().customer)
  const { me } = useField()
  const found = useStored((database) => lookUp(database, id, me.vehicle_no), [id, me.vehicle_no])
  if (found === undefined) return null
  if (found === null) return <p className="problem">This customer isn't served any more.</p>
  return <SaleForm key={id} {...found} />
}

async function lookUp(database: FieldDatabase, id: number, assigned: string): Promise<Context | null> {
  const [customer, operations, equipment, gstRates, here, unlikely, coin] = await Promise.all([
    database.customers.get(id),
    database.operations.orderBy("position").toArray(),
    database.equipment.toArray(),
    database.gst_rates.toArray(),
    vehicleHere(database, assigned),
    database.note<Unlikely>("unlikely"),
    database.note<string>("cash_rounding"),
  ])
  if (!customer) return null
  const isHere = (item: Equipment) => (here.stock.get(stockKey(item.id, "FULL")) ?? 0) > 0
  // What can be handed over comes first.
  const offered = equipment.sort((one, other) => Number(isHere(other)) - Number(isHere(one)) || bySku(one, other))
  return {
    customer: withReadings(customer, operations),
    equipment: new Map(offered.map((row) => [row.id, row])),
    gstRates,
    here,
    unlikely,
    coin: coin ?? "0.00",
  }
}

function SaleForm({ customer, equipment, gstRates, here, unlikely, coin }: Context) {
  const record = useRecord()
  const navigate = useNavigate()
  const [draft, setDraft] = useDraft(customer.id)
  const [isSure, setIsSure] = useState(false)
  const [answered, setAnswered] = useState<string[]>([])
  const [isRecording, setIsRecording] = useState(false)
  const { lines, reading, remarks } = draft
  const paid = draft.paid ?? customer.payment_type === "CASH"
  const today = businessDate(new Date())
  const isKnown = here.vehicle !== "" && here.isPulled
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part })
  const changeLine = (index: number, part: Partial<Line>) =>
    change({
      lines: lines.map((line, at) => (at === index ? { ...line, ...part } : line)).filter((line) => line.quantity > 0),
    })

  const sale = { customer: customer.id, items: lines.map((line) => itemOf(line, equipment, customer, today)) }
  const isMisread = reading !== "" && !DECIMAL.test(reading)
  const read = reading && !isMisread ? { ...sale, current_meter: new Big(reading).toFixed(2) } : sale
  const [price, refusal] = attempt(() => priceOf(read, customer, equipment, gstRates, new Date().toISOString()))
  const isBelow = refusal?.code === "meter_reading_decreased"
  const isUnreadable = refusal?.code === UNREADABLE
  const toPay = price ? new Big(price.total).plus(price.set_off) : null
  const cash = toPay && inCoins(toPay, coin).toFixed(2)
  const questions = price ? questionsOf(read, price, customer, unlikely, new Date().toISOString()) : []
  const isAnswered = questions.every((question) => answered.includes(keyOf(question)))
  const canRecord = !isMisread && isAnswered && (price !== null || isUnreadable || (isBelow && isSure))

  async function recordSale() {
    setIsRecording(true)
    const operation = newId()
    const recorded = record({
      client_temp_id: operation,
      type: "transaction.create",
      data: {
        ...read,
        ...(here.vehicle ? { vehicle: here.vehicle } : {}),
        payment_received: paid,
        ...(remarks.trim() ? { remarks: remarks.trim() } : {}),
        based_on: basedOn(customer, price, paid ? cash : null),
        ...(questions.length ? { confirm: questions.map(confirmed) } : {}),
      },
      shown: {
        customer: { name: customer.name, customer_code: customer.customer_code, address: customer.address },
        lines: lines.map((line) => `${ITEM_TYPES[line.type]}: ${equipment.get(line.equipment)?.name}`),
        price,
      },
    })
    await recorded.finally(() => setIsRecording(false))
    setDraft(EMPTY)
    navigate(`/receipt/${operation}`, { replace: true })
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (canRecord && !isRecording) void recordSale()
      }}
    >
      <h1>
        {customer.name}
        <small>
          {customer.address} {customer.postal_code}
        </small>
      </h1>
      <Holdings customer={customer} equipment={equipment} />
      <section>
        <h2>
          Items
          {here.vehicle && <small>from vehicle {here.vehicle}</small>}
        </h2>
        <ul className="tiles">
          {[...equipment.values()].map((item) => (
            <li key={item.id}>
              <button
                type="button"
                className={piecesOf(item, lines) ? "chosen" : ""}
                onClick={() => change({ lines: withOneMore(lines, item) })}
              >
                <strong>{item.name}</strong>
                <span>{rateShown(item, customer, today)}</span>
                {piecesOf(item, lines) > 0 && <span className="pieces">{piecesOf(item, lines)} chosen</span>}
                {isKnown && <span className="quiet">{here.stock.get(stockKey(item.id, "FULL")) ?? 0} full here</span>}
              </button>
            </li>
          ))}
        </ul>
      </section>
      {lines.length > 0 && (
        <section>
          <h2>This sale</h2>
          <ul className="cards">
            {lines.map((line, index) => (
              <LineCard
                // biome-ignore lint/suspicious/noArrayIndexKey: two lines may be equal; their place is what they are
                key={index}
                line={line}
                item={equipment.get(line.equipment)}
                price={price?.lines[index]?.amount}
                isListed={
                  line.type === "RETURN" || line.type === "DEPOSIT" || listed(line, equipment, customer, today) !== null
                }
                onChange={(part) => changeLine(index, part)}
              />
            ))}
          </ul>
          <Shortage lines={lines} equipment={equipment} stock={isKnown ? here.stock : null} />
        </section>
      )}
      {customer.meter_rate !== null && (
        <section>
          <h2>Meter {customer.meter_number}</h2>
          <label>
            Reading now{" "}
            {customer.last_meter_reading === null ? "(the first one)" : `(last one ${customer.last_meter_reading})`}
            <input
              inputMode="decimal"
              autoComplete="off"
              value={reading}
              aria-invalid={isMisread || isBelow}
              onChange={(event) => {
                setIsSure(false)
                change({ reading: event.target.value.trim().replace(",", ".") })
              }}
            />
          </label>
          {isMisread && <p className="problem">A reading is a number with at most two decimals, such as 1250.50.</p>}
          {isBelow && (
            <>
              <p className="problem">This is below the last reading, so the office will have to look at it.</p>
              <label className="check">
                <input type="checkbox" checked={isSure} onChange={(event) => setIsSure(event.target.checked)} />
                The meter does read {reading}: record it all the same
              </label>
            </>
          )}
          {price?.usage && (
            <p>
              {price.last_reading === null
                ? "The first reading bills nothing."
                : `${price.usage} m³ at $${customer.meter_rate}: ${shown(price.usage_amount)}`}
            </p>
          )}
        </section>
      )}
      <section>
        <h2>Payment</h2>
        <div className="switch">
          <label>
            <input type="radio" name="paid" checked={paid} onChange={() => change({ paid: true })} />
            Paid in cash
          </label>
          <label>
            <input type="radio" name="paid" checked={!paid} onChange={() => change({ paid: false })} />
            On account
          </label>
        </div>
        <label>
          Remarks, printed on the invoice
          <input value={remarks} maxLength={1000} onChange={(event) => change({ remarks: event.target.value })} />
        </label>
      </section>
      <section aria-live="polite">
        {price && <Total price={price} cash={paid ? cash : null} />}
        {refusal && !isBelow && refusal.code !== "empty_sale" && (
          <p className="problem">
            {refusal.message}
            {isUnreadable && " The total comes with the invoice; you can record it all the same."}
          </p>
        )}
      </section>
      {questions.length > 0 && (
        <section aria-label="Please confirm">
          {questions.map((question) => (
            <label key={keyOf(question)} className="check problem">
              <input
                type="checkbox"
                checked={answered.includes(keyOf(question))}
                onChange={({ target }) =>
                  setAnswered(
                    target.checked
                      ? [...answered, keyOf(question)]
                      : answered.filter((each) => each !== keyOf(question)),
                  )
                }
              />
              {question.text}
            </label>
          ))}
        </section>
      )}
      <section className="total">
        <button type="submit" className="primary" disabled={!canRecord || isRecording}>
          {toPay && cash ? `Record: ${shown(paid ? cash : toPay.toFixed(2))}` : "Record"}
        </button>
      </section>
    </form>
  )
}

/** What stands here, without a deposit or against one. */
function Holdings({ customer, equipment }: Pick<Context, "customer" | "equipment">) {
  if (!customer.holdings?.length) return null
  return (
    <section>
      <h2>At this site</h2>
      <ul className="quiet">
        {customer.holdings.map(({ equipment: id, at_site, lots }) => {
          const pieces = lots.reduce((sum, lot) => sum + lot.pieces, 0)
          const deposits = lots.map((lot) => `${lot.pieces} for ${shown(lot.amount)}`).join(", ")
          return (
            <li key={id}>
              {at_site} × {equipment.get(id)?.name ?? "an item that isn't sold any more"},{" "}
              {Math.max(0, at_site - pieces)} on loan{deposits && `; deposits: ${deposits}`}
            </li>
          )
        })}
      </ul>
    </section>
  )
}

/** An answer holds for the value that was seen. */
function keyOf({ code, attr, value }: Question): string {
  return `${code} ${attr} ${value}`
}

/** What was tapped so far; it outlives a reload, and a browser that was put to sleep. */
function useDraft(customer: number): [Draft, (draft: Draft) => void] {
  const key = `hsh.draft.${customer}`
  const [draft, setDraft] = useState<Draft>(() => JSON.parse(sessionStorage.getItem(key) ?? "null") ?? EMPTY)
  useEffect(() => {
    if (draft === EMPTY) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, JSON.stringify(draft))
  }, [key, draft])
  return [draft, setDraft]
}

/** Full for empty is what a driver does all day; meters and regulators are sold. */
function withOneMore(lines: Line[], item: Equipment): Line[] {
  const at = lines.findLastIndex((line) => line.equipment === item.id)
  if (at >= 0) return lines.map((line, index) => (index === at ? { ...line, quantity: line.quantity + 1 } : line))
  const type: Line["type"] = item.equipment_type === "CYLINDER" ? "SWAP" : "SALE"
  return [...lines, { equipment: item.id, type, quantity: 1, rate: "", condition: "EMPTY" }]
}

function piecesOf(item: Equipment, lines: Line[]): number {
  return lines.filter((line) => line.equipment === item.id).reduce((sum, line) => sum + line.quantity, 0)
}

function listed(line: Line, equipment: Map<number, Equipment>, customer: Customer, day: string) {
  const item = equipment.get(line.equipment)
  return item ? listedRate(item, line.type, customer, day) : null
}

/** With the rate that the customer is shown, so that another one is noticed. */
function itemOf(line: Line, equipment: Map<number, Equipment>, customer: Customer, day: string): SaleItem {
  // What a RETURN refunds nobody names.
  if (line.type === "RETURN") {
    return { equipment: line.equipment, type: line.type, quantity: line.quantity, condition: line.condition }
  }
  const rate = listed(line, equipment, customer, day)?.rate ?? (DECIMAL.test(line.rate) ? line.rate : UNREADABLE)
  return {
    equipment: line.equipment,
    type: line.type,
    quantity: line.quantity,
    ...(rate === UNREADABLE ? {} : { rate }),
  }
}

/** What the customer was shown and paid, and the reading that it went from, as far as they are known. */
function basedOn({ last_meter_reading: last }: Customer, price: Price | null, cash: string | null): BasedOn {
  return {
    ...(last === null || last === UNREADABLE ? {} : { last_reading: last }),
    ...(price ? { total_with_gst: price.total } : {}),
    ...(cash ? { cash } : {}),
  }
}

function rateShown(item: Equipment, customer: Customer, day: string): string {
  const rate = listedRate(item, "SALE", customer, day)
  return rate ? shown(rate.rate) : "You name the price"
}

function attempt(compute: () => Price): [Price, null] | [null, Refusal] {
  try {
    return [compute(), null]
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return [null, error]
  }
}

type LineCardProps = {
  line: Line
  item: Equipment | undefined
  price: string | undefined
  isListed: boolean
  onChange: (part: Partial<Line>) => void
}

function LineCard({ line, item, price, isListed, onChange }: LineCardProps) {
  const name = item?.name ?? "Item"
  const heading = useId()
  return (
    <li className="line">
      <strong id={heading}>{name}</strong>
      <span className="amount">{price === undefined ? "" : shown(price)}</span>
      <select
        aria-label={`What is done with ${name}`}
        value={line.type}
        onChange={(event) => onChange({ type: event.target.value as Line["type"] })}
      >
        {DONE_HERE.map((type) => (
          <option key={type} value={type}>
            {ITEM_TYPES[type]}
          </option>
        ))}
      </select>
      <Stepper label={name} value={line.quantity} onChange={(quantity) => onChange({ quantity })} />
      {line.type === "RETURN" && (
        <select
          aria-label={`Condition of ${name}`}
          value={line.condition}
          onChange={(event) => onChange({ condition: event.target.value as Line["condition"] })}
        >
          <option value="EMPTY">{CONDITIONS.EMPTY}</option>
          <option value="DAMAGED">{CONDITIONS.DAMAGED}</option>
        </select>
      )}
      {!isListed && (
        <label>
          Price of one, before GST
          <input
            inputMode="decimal"
            autoComplete="off"
            value={line.rate}
            onChange={(event) => onChange({ rate: event.target.value.trim() })}
          />
        </label>
      )}
    </li>
  )
}

type ShortageProps = { lines: Line[]; equipment: Map<number, Equipment>; stock: Map<string, number> | null }

/** A warning alone: what stands on the vehicle is known better by who stands beside it. */
function Shortage({ lines, equipment, stock }: ShortageProps) {
  if (!stock) return null
  const sold = new Map<number, number>()
  for (const line of lines) {
    if (line.type !== "SALE" && line.type !== "SWAP") continue
    sold.set(line.equipment, (sold.get(line.equipment) ?? 0) + line.quantity)
  }
  const short = [...sold].filter(([id, quantity]) => quantity > (stock.get(stockKey(id, "FULL")) ?? 0))
  return short.map(([id]) => (
    <p key={id} className="problem" role="status">
      The books have {stock.get(stockKey(id, "FULL")) ?? 0} of {equipment.get(id)?.name} on your vehicle. Did you
      confirm your load?
    </p>
  ))
}
