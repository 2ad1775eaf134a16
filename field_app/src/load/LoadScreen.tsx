import { useState } from "react"
import { useNavigate } from "react-router"
import type { Condition, Depot, DistributionItem, Equipment } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { newId } from "../store/queue"
import { type OnVehicle, stockKey, vehicleHere } from "../store/stock"
import { useField, useRecord, useStored } from "../ui/field"
import { byName, bySku } from "../ui/order"
import { Stepper } from "../ui/Stepper"
import { CONDITIONS } from "../ui/words"

type Context = { depots: Depot[]; equipment: Equipment[]; here: OnVehicle }

export function LoadScreen() {
  const { me } = useField()
  const found = useStored((database) => lookUp(database, me.vehicle_no), [me.vehicle_no])
  return found ? <LoadForm {...found} /> : null
}

async function lookUp(database: FieldDatabase, assigned: string): Promise<Context> {
  const [depots, equipment, here] = await Promise.all([
    database.depots.toArray(),
    database.equipment.toArray(),
    vehicleHere(database, assigned),
  ])
  return { depots: depots.sort(byName), equipment: equipment.sort(bySku), here }
}

function LoadForm({ depots, equipment, here }: Context) {
  const { me } = useField()
  const record = useRecord()
  const navigate = useNavigate()
  const [depot, setDepot] = useState<number | null>(null)
  const [direction, setDirection] = useState<"OUT" | "IN">("OUT")
  const [condition, setCondition] = useState<Condition>("EMPTY")
  const [lines, setLines] = useState<DistributionItem[]>([])
  const [isRecording, setIsRecording] = useState(false)
  const chosen = depot ?? me.depot ?? depots[0]?.id
  const now: Condition = direction === "OUT" ? "FULL" : condition
  const isLine = (line: DistributionItem, item: Equipment) =>
    line.equipment === item.id && line.direction === direction && line.condition === now

  const set = (item: Equipment, quantity: number) => {
    const others = lines.filter((line) => !isLine(line, item))
    setLines(quantity ? [...others, { equipment: item.id, direction, condition: now, quantity }] : others)
  }
  const bringBackAll = () => {
    const all = equipment.flatMap((item) => {
      const quantity = here.stock.get(stockKey(item.id, now)) ?? 0
      return quantity > 0 ? [{ equipment: item.id, direction, condition: now, quantity }] : []
    })
    setLines([...lines.filter((line) => line.direction !== direction || line.condition !== now), ...all])
  }
  async function finish(isConfirmed: boolean) {
    if (chosen === undefined || isRecording) return
    setIsRecording(true)
    const load = newId()
    await record(
      {
        client_temp_id: load,
        type: "distribution.create",
        data: { depot: chosen, ...(here.vehicle ? { vehicle: here.vehicle } : {}), items: lines },
      },
      ...(isConfirmed
        ? [{ client_temp_id: newId(), type: "distribution.confirm" as const, data: { distribution: load } }]
        : []),
    ).finally(() => setIsRecording(false))
    navigate("/")
  }

  const nameOf = new Map(equipment.map((item) => [item.id, item.name]))
  return (
    <>
      <h1>
        Load or return
        {here.vehicle && <small>Vehicle {here.vehicle}</small>}
      </h1>
      <label>
        Depot
        <select value={chosen} onChange={(event) => setDepot(Number(event.target.value))}>
          {depots.map((row) => (
            <option key={row.id} value={row.id}>
              {row.name}
            </option>
          ))}
        </select>
      </label>
      <div className="switch">
        <label>
          <input type="radio" name="direction" checked={direction === "OUT"} onChange={() => setDirection("OUT")} />
          Load
        </label>
        <label>
          <input type="radio" name="direction" checked={direction === "IN"} onChange={() => setDirection("IN")} />
          Bring back
        </label>
      </div>
      {direction === "IN" && (
        <div className="choices">
          <label>
            Condition
            <select value={condition} onChange={(event) => setCondition(event.target.value as Condition)}>
              {(["EMPTY", "DAMAGED", "FULL"] as const).map((each) => (
                <option key={each} value={each}>
                  {CONDITIONS[each]}
                </option>
              ))}
            </select>
          </label>
          <button type="button" className="secondary" onClick={bringBackAll}>
            All {CONDITIONS[now]} ones
          </button>
        </div>
      )}
      <ul className="rows">
        {equipment.map((item) => (
          <li key={item.id}>
            <span>
              {item.name}
              {here.vehicle && here.isPulled && (
                <small>
                  {here.stock.get(stockKey(item.id, now)) ?? 0} {CONDITIONS[now]} here
                </small>
              )}
            </span>
            <Stepper
              label={`${item.name}, ${CONDITIONS[now]}`}
              value={lines.find((line) => isLine(line, item))?.quantity ?? 0}
              onChange={(quantity) => set(item, quantity)}
            />
          </li>
        ))}
      </ul>
      <section className="total">
        {lines.length > 0 && (
          <ul className="sum">
            {lines.map((line) => (
              <li key={`${line.direction} ${line.equipment} ${line.condition}`}>
                {line.direction === "OUT" ? "Load" : "Bring back"} {line.quantity} × {nameOf.get(line.equipment)},{" "}
                {CONDITIONS[line.condition]}
              </li>
            ))}
          </ul>
        )}
        <div className="choices">
          <button type="button" className="primary" disabled={lines.length === 0} onClick={() => void finish(true)}>
            Confirm
          </button>
          <button type="button" className="secondary" disabled={lines.length === 0} onClick={() => void finish(false)}>
            Keep as draft
          </button>
        </div>
      </section>
    </>
  )
}
