/** What was pulled, and what was done here since. */
import Big from "big.js"
import type { Condition, Customer, Distribution, NewDistribution, Stock } from "../api/types"
import type { Operation } from "./rows"

/** True while the pulled balances don't know of it, though it happened here. */
function counts(operation: Operation): boolean {
  return operation.state === "queued" || (operation.state === "done" && operation.pulled === 0)
}

/** What is on the vehicle now: what was pulled, and what was done here since. Keys are `equipment/condition`. */
export function stockNow(
  pulled: readonly Stock[],
  operations: readonly Operation[],
  drafts: readonly Distribution[],
): Map<string, number> {
  const now = new Map(pulled.map((row) => [stockKey(row.equipment, row.condition), row.quantity]))
  const move = (equipment: number, condition: Condition, quantity: number) => {
    const key = stockKey(equipment, condition)
    now.set(key, (now.get(key) ?? 0) + quantity)
  }
  for (const operation of operations.filter(counts)) {
    if (operation.type === "transaction.create") {
      for (const item of operation.data.items ?? []) {
        if (item.type === "SALE" || item.type === "SWAP") move(item.equipment, "FULL", -item.quantity)
        if (item.type === "SWAP") move(item.equipment, "EMPTY", item.quantity)
        if (item.type === "RETURN") move(item.equipment, item.condition || "EMPTY", item.quantity)
      }
    } else if (operation.type === "distribution.confirm") {
      for (const item of itemsOf(operation.data.distribution, operations, drafts)) {
        move(item.equipment, item.condition, item.direction === "OUT" ? item.quantity : -item.quantity)
      }
    }
  }
  return now
}

export function stockKey(equipment: number, condition: Condition): string {
  return `${equipment}/${condition}`
}

function itemsOf(
  distribution: number | string,
  operations: readonly Operation[],
  drafts: readonly Distribution[],
): NewDistribution["items"] {
  if (typeof distribution === "number") return drafts.find((draft) => draft.id === distribution)?.items ?? []
  const load = operations.find((operation) => operation.client_temp_id === distribution)
  return load?.type === "distribution.create" ? load.data.items : []
}

/** The customer as the next sale finds them: with the readings that were taken here and aren't pulled yet. */
export function withReadings<Row extends Customer>(customer: Row, operations: readonly Operation[]): Row {
  let last = customer.last_meter_reading
  for (const operation of operations.filter(counts)) {
    if (operation.type !== "transaction.create" || operation.data.customer !== customer.id) continue
    const reading = operation.data.current_meter
    if (reading != null && (last === null || new Big(reading).gt(last))) last = reading
  }
  return { ...customer, last_meter_reading: last }
}
