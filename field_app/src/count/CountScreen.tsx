import { useState } from "react"
import type { Condition, Equipment } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { newId } from "../store/queue"
import type { SettlementOperation } from "../store/rows"
import { stockKey } from "../store/stock"
import { dayShown, timeOfDay } from "../ui/day"
import { useField, useRecord, useStored } from "../ui/field"
import { shown } from "../ui/money"
import { bySku } from "../ui/order"
import { Stepper } from "../ui/Stepper"
import { CONDITIONS } from "../ui/words"

const COUNTED: Condition[] = ["FULL", "EMPTY", "DAMAGED"]
const MONEY = /^\d{1,8}(\.\d{1,2})?$/

async function lookUp(database: FieldDatabase) {
  const [operations, equipment] = await Promise.all([
    database.operations.orderBy("position").toArray(),
    database.equipment.toArray(),
  ])
  return {
    counts: operations.filter((row): row is SettlementOperation => row.type === "settlement.create"),
    equipment: equipment.sort(bySku),
  }
}

export function CountScreen() {
  const { me } = useField()
  const found = useStored(lookUp)
  const [again, setAgain] = useState(false)
  if (!found) return null
  const last = found.counts.at(-1)
  return (
    <>
      <h1>Day-end count</h1>
      {last && !again ? (
        <>
          <Counted count={last} equipment={found.equipment} />
          <button type="button" className="secondary" onClick={() => setAgain(true)}>
            Count again
          </button>
        </>
      ) : (
        <CountForm equipment={me.vehicle_no ? found.equipment : []} onDone={() => setAgain(false)} />
      )}
    </>
  )
}

/** Blind: what should be there is shown to nobody before they have counted. */
function CountForm({ equipment, onDone }: { equipment: Equipment[]; onDone: () => void }) {
  const record = useRecord()
  const [condition, setCondition] = useState<Condition>("FULL")
  const [pieces, setPieces] = useState<ReadonlyMap<string, number>>(new Map())
  const [cash, setCash] = useState("")
  const [remarks, setRemarks] = useState("")
  const isMoney = MONEY.test(cash)

  async function finish() {
    const counts = equipment.flatMap((item) =>
      COUNTED.flatMap((each) => {
        const quantity = pieces.get(stockKey(item.id, each)) ?? 0
        return quantity ? [{ equipment: item.id, condition: each, quantity }] : []
      }),
    )
    const data = { counts, cash, ...(remarks.trim() ? { remarks: remarks.trim() } : {}) }
    await record({ client_temp_id: newId(), type: "settlement.create", data, settlement: null })
    onDone()
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (isMoney) void finish()
      }}
    >
      {equipment.length > 0 && (
        <section>
          <h2>On the vehicle</h2>
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
                    onChange={(quantity) => setPieces(new Map(pieces).set(key, quantity))}
                  />
                </li>
              )
            })}
          </ul>
        </section>
      )}
      <section>
        <h2>In the cash bag</h2>
        <label>
          Dollars, such as 205.50
          <input
            inputMode="decimal"
            autoComplete="off"
            required
            value={cash}
            aria-invalid={cash !== "" && !isMoney}
            onChange={(event) => setCash(event.target.value.trim().replace(",", "."))}
          />
        </label>
        <label>
          Remarks
          <input value={remarks} maxLength={500} onChange={(event) => setRemarks(event.target.value)} />
        </label>
      </section>
      <Entered pieces={pieces} equipment={equipment} />
      <section className="total">
        <button type="submit" className="primary" disabled={!isMoney}>
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

function Counted({ count, equipment }: { count: SettlementOperation; equipment: Equipment[] }) {
  const { settlement } = count
  const nameOf = new Map(equipment.map((item) => [item.id, item.name]))
  const when = `${dayShown(count.occurred_at)}, ${timeOfDay(count.occurred_at)}`
  if (!settlement) {
    return (
      <section>
        <h2>{when}</h2>
        {count.state === "queued" ? (
          <p className="problem">Not sent yet. It is sent after everything else that waits.</p>
        ) : (
          count.errors.map((error) => (
            <p key={error.code} className="problem">
              {error.detail}
            </p>
          ))
        )}
      </section>
    )
  }
  const differing = settlement.lines.filter((line) => line.variance !== 0)
  return (
    <section>
      <h2>
        {settlement.settlement_number}
        <small>{when}</small>
      </h2>
      <p>Handed in. Depot staff sign it off.</p>
      <dl>
        <dt>Cash counted</dt>
        <dd>{shown(settlement.cash_counted)}</dd>
        <dt>Cash expected</dt>
        <dd>{shown(settlement.cash_expected)}</dd>
        <dt className="grand">Difference</dt>
        <dd className="grand">{shown(settlement.cash_variance)}</dd>
      </dl>
      {differing.length === 0 ? (
        <p>The vehicle is as the books have it.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">What differs</th>
              <th scope="col" className="number">
                books
              </th>
              <th scope="col" className="number">
                counted
              </th>
            </tr>
          </thead>
          <tbody>
            {differing.map((line) => (
              <tr key={stockKey(line.equipment, line.condition)}>
                <th scope="row">
                  {nameOf.get(line.equipment) ?? line.sku}, {CONDITIONS[line.condition]}
                </th>
                <td className="number">{line.expected}</td>
                <td className="number">{line.counted}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
