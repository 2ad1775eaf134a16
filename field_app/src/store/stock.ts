/** What was pulled, and what was done here since. */
import Big from "big.js"
import type { Condition, Customer, Distribution, NewDistribution, Stock } from "../api/types"
import type { FieldDatabase } from "./database"
import { UNREADABLE } from "./numbers"
import type { Operation } from "./rows"

/** True while the pulled balances don't know of it, though it happened here. */
function counts(operation: Operation): boolean {
  return operation.state === "queued" || (operation.state === "done" && operation.pulled === 0)
}

/** The vehicle that is sold from, "" for none; and what is on it, as far as it was pulled (`isPulled`). */
export type OnVehicle = { vehicle: string; stock: Map<string, number>; isPulled: boolean }

/** `assigned`: the user's vehicle, as the server said last. */
export async function vehicleHere(database: FieldDatabase, assigned: string): Promise<OnVehicle> {
  const [operations, stock, drafts, pulledOf = assigned] = await Promise.all([
    database.operations.orderBy("position").toArray(),
    database.stock.toArray(),
    database.distributions.toArray(),
    database.note<string>("stock_of"),
  ])
  const vehicle = vehicleNow(operations, pulledOf)
  const isPulled = vehicle === pulledOf
  return { vehicle, isPulled, stock: stockNow(isPulled ? stock : [], operations, drafts, vehicle) }
}

/** The one that was taken last, until the server has said which it is. */
export function vehicleNow(operations: readonly Operation[], pulledOf: string): string {
  const taken = operations.findLast((operation) => operation.type === "vehicle.taken" && counts(operation))
  return taken?.type === "vehicle.taken" ? taken.data.vehicle : pulledOf
}

/** What is on a vehicle now: what was pulled, and what was done here since. Keys are `equipment/condition`. */
export function stockNow(
  pulled: readonly Stock[],
  operations: readonly Operation[],
  drafts: readonly Distribution[],
  vehicle: string,
): Map<string, number> {
  const now = new Map(pulled.map((row) => [stockKey(row.equipment, row.condition), row.quantity]))
  const move = (equipment: number, condition: Condition, quantity: number) => {
    const key = stockKey(equipment, condition)
    now.set(key, (now.get(key) ?? 0) + quantity)
  }
  for (const operation of operations.filter(counts)) {
    if (operation.type === "transaction.create") {
      if ((operation.data.vehicle ?? vehicle) !== vehicle) continue
      for (const item of operation.data.items ?? []) {
        if (item.type === "SALE" || item.type === "SWAP") move(item.equipment, "FULL", -item.quantity)
        if (item.type === "SWAP") move(item.equipment, "EMPTY", item.quantity)
        if (item.type === "RETURN") move(item.equipment, item.condition || "EMPTY", item.quantity)
      }
    } else if (operation.type === "distribution.confirm") {
      const load = loadOf(operation.data.distribution, operations, drafts)
      if ((load?.vehicle ?? vehicle) !== vehicle) continue
      for (const item of load?.items ?? []) {
        move(item.equipment, item.condition, item.direction === "OUT" ? item.quantity : -item.quantity)
      }
    }
  }
  return now
}

export function stockKey(equipment: number, condition: Condition): string {
  return `${equipment}/${condition}`
}

function loadOf(
  distribution: number | string,
  operations: readonly Operation[],
  drafts: readonly Distribution[],
): Pick<NewDistribution, "vehicle" | "items"> | undefined {
  if (typeof distribution === "number") {
    const draft = drafts.find(({ id }) => id === distribution)
    return draft && { vehicle: draft.vehicle_no, items: [...draft.items] }
  }
  const load = operations.find((operation) => operation.client_temp_id === distribution)
  return load?.type === "distribution.create" ? load.data : undefined
}

/** The customer as the next sale finds them: with the readings that were taken here and aren't pulled yet. */
export function withReadings<Row extends Customer>(customer: Row, operations: readonly Operation[]): Row {
  let { last_meter_reading: last, metered_since: since } = customer
  for (const operation of operations.filter(counts)) {
    if (operation.type !== "transaction.create" || operation.data.customer !== customer.id) continue
    const reading = operation.data.current_meter
    if (reading != null && (last === null || last === UNREADABLE || new Big(reading).gt(last))) {
      last = reading
      since = operation.occurred_at
    }
  }
  return { ...customer, last_meter_reading: last, metered_since: since }
}
