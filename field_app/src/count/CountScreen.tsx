import { useEffect, useState } from "react"
import type { Condition, Equipment } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { newId } from "../store/queue"
import type { CountOperation, NewOperation } from "../store/rows"
import { stockKey, vehicleHere } from "../store/stock"
import { useField, useRecord, useStored } from "../ui/field"
import { bySku } from "../ui/order"
import { Stepper } from "../ui/Stepper"
import { CONDITIONS } from "../ui/words"
import { dueCounts, latestCounts } from "./counts"
import { type CountDraft, forgetDraft, keepDraft, keptDraft } from "./draft"
import { HandedIn } from "./HandedIn"

const COUNTED: Condition[] = ["FULL", "EMPTY", "DAMAGED"]
const MONEY = /^\d{1,8}(\.\d{1,2})?$/

type Kind = CountOperation["type"]

async function lookUp(database: FieldDatabase, assigned: string) {
  const [operations, known, equipment, { vehicle }] = await Promise.all([
    database.operations.orderBy("position").toArray(),
    database.counts.toArray(),
    database.equipment.toArray(),
    vehicleHere(database, assigned),
  ])
  return { counts: latestCounts(operations, known), equipment: equipment.sort(bySku), vehicle }
}

/** Goods and cash are two counts: one of them may have to be done again. */
export function CountScreen() {
  const { me } = useField()
  const found = useStored((database) => lookUp(database, me.vehicle_no), [me.vehicle_no])
  const [again, setAgain] = useState<ReadonlySet<Kind>>(new Set())
  if (!found) return null
  const { counts, equipment, vehicle } = found
  const due = new Set([...dueCounts(counts, vehicle, new Date()), ...again])
  return (
    <>
      <h1>Day-end count</h1>
      {counts.map((count) => (
        <HandedIn key={count.kind} count={count} equipment={equipment}>
          {!due.has(count.kind) && (vehicle || count.kind === "cash_count") && (
            <div className="choices">
              <button type="button" className="secondary" onClick={() => setAgain(new Set([...again, count.kind]))}>
                {count.kind === "cash_count" ? "Count the cash again" : "Count the vehicle again"}
              </button>
            </div>
          )}
        </HandedIn>
      ))}
      {due.size > 0 && (
        <CountForm
          key={vehicle}
          vehicle={due.has("vehicle_count") ? vehicle : ""}
          ofCash={due.has("cash_count")}
          equipment={equipment}
          onDone={() => setAgain(new Set())}
        />
      )}
    </>
  )
}

type CountFormProps = { vehicle: string; ofCash: boolean; equipment: Equipment[]; onDone: () => void }

/** It goes on with what was entered before the page was closed. */
function CountForm(props: CountFormProps) {
  const { database } = useField()
  const { vehicle } = props
  const [begun, setBegun] = useState<CountDraft | null>(null)
  useEffect(() => {
    void keptDraft(database, vehicle).then(setBegun)
  }, [database, vehicle])
  return begun && <CountFields {...props} begun={begun} />
}

/** Blind: what should be there is shown to nobody before they have counted. */
function CountFields({ vehicle, ofCash, equipment, onDone, begun }: CountFormProps & { begun: CountDraft }) {
  const { database } = useField()
  const record = useRecord()
  const [condition, setCondition] = useState<Condition>("FULL")
  const [draft, setDraft] = useState(begun)
  const { pieces, cash, remarks } = draft
  function change(part: Partial<CountDraft>) {
    const next = { ...draft, ...part }
    setDraft(next)
    void keepDraft(database, vehicle, next)
  }
  const [isRecording, setIsRecording] = useState(false)
  const isMoney = MONEY.test(cash)
  const isComplete = (!ofCash || isMoney) && !isRecording

  async function finish() {
    setIsRecording(true)
    const counts = equipment.flatMap((item) =>
      COUNTED.flatMap((each) => {
        const quantity = pieces.get(stockKey(item.id, each)) ?? 0
        return quantity ? [{ equipment: item.id, condition: each, quantity }] : []
      }),
    )
    const said = { remarks: remarks.trim() }
    const made: NewOperation[] = []
    if (vehicle) made.push({ client_temp_id: newId(), type: "vehicle_count", data: { vehicle, counts, ...said } })
    if (ofCash) made.push({ client_temp_id: newId(), type: "cash_count", data: { cash, ...said } })
    try {
      await record(...made)
      await forgetDraft(database)
      onDone()
    } catch (error) {
      setIsRecording(false)
      throw error
    }
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (isComplete) void finish()
      }}
    >
      {vehicle && (
        <section>
          <h2>On vehicle {vehicle}</h2>
          <p>Count what is there. What you leave at 0 wasn't there.</p>
          <div className="switch">
            {COUNTED.map((each) => (
              <label key={each}>
                <input type="radio" name="condition" checked={condition === each} onChange={() => setCondition(each)} />
                {CONDITIONS[each]}
              </label>
            ))}
          </div>
          <ul className="rows">
            {equipment.map((item) => {
              const key = stockKey(item.id, condition)
              return (
                <li key={item.id}>
                  <span>{item.name}</span>
                  <Stepper
                    label={`${item.name}, ${CONDITIONS[condition]}`}
                    value={pieces.get(key) ?? 0}
                    onChange={(quantity) => change({ pieces: new Map(pieces).set(key, quantity) })}
                  />
                </li>
              )
            })}
          </ul>
        </section>
      )}
      <section>
        {ofCash && (
          <>
            <h2>In the cash bag</h2>
            <label>
              Dollars, such as 205.50
              <input
                inputMode="decimal"
                autoComplete="off"
                required
                value={cash}
                aria-invalid={cash !== "" && !isMoney}
                onChange={(event) => change({ cash: event.target.value.trim().replace(",", ".") })}
              />
            </label>
          </>
        )}
        <label>
          Remarks
          <input value={remarks} maxLength={500} onChange={(event) => change({ remarks: event.target.value })} />
        </label>
      </section>
      {vehicle && <Entered pieces={pieces} equipment={equipment} />}
      <section className="total">
        <button type="submit" className="primary" disabled={!isComplete}>
          Hand in the count
        </button>
      </section>
    </form>
  )
}

/** What was entered under each condition, of which only one is on the screen. */
function Entered({ pieces, equipment }: { pieces: ReadonlyMap<string, number>; equipment: Equipment[] }) {
  const entered = equipment.flatMap((item) =>
    COUNTED.map((condition) => ({ item, condition, quantity: pieces.get(stockKey(item.id, condition)) ?? 0 })),
  )
  return (
    <ul className="sum">
      {entered
        .filter(({ quantity }) => quantity > 0)
        .map(({ item, condition, quantity }) => (
          <li key={stockKey(item.id, condition)}>
            {quantity} × {item.name}, {CONDITIONS[condition]}
          </li>
        ))}
    </ul>
  )
}
