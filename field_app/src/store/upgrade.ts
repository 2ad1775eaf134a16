/** A store of an earlier version of the app: nothing in it is lost, and what waits is sent as it was written down. */
import type { Transaction } from "dexie"
import type { CountedItem } from "../api/types"
import { numberAnew } from "./numbering"
import type { CountOperation, Operation } from "./rows"

/** A day-end count, which was posted by itself and had no vehicle. */
type Settlement = Omit<Operation, "type" | "data"> & {
  type: "settlement.create"
  data: { counts?: CountedItem[]; cash: string; remarks?: string }
}

/** Version 1 knew no device. `vehicle`: the user's, as far as it is known. */
export async function toVersion2(transaction: Transaction, vehicle: string): Promise<void> {
  const table = transaction.table<Operation | Settlement, number>("operations")
  const earlier = await table.orderBy("position").toArray()
  const operations = earlier
    .flatMap((row): Operation[] => (row.type === "settlement.create" ? countsOf(row, vehicle) : [row]))
    .map((operation) => ({
      ...operation,
      clock_offset_s: null,
      tried: true,
      result: operation.result && { ...operation.result, discrepancies: [] },
    }))
  const last_number = numberAnew(operations)
  await table.bulkPut(operations)
  await transaction.table("notes").put({ name: "device", value: { id: crypto.randomUUID(), last_number } })
}

/**
 * The cash keeps the id: where the server has the settlement already, another count of it under that id is refused. A
 * vehicle that is counted twice is the same vehicle.
 */
function countsOf(settlement: Settlement, vehicle: string): CountOperation[] {
  const { counts = [], cash, remarks = "" } = settlement.data
  const { settlement: _, ...kept } = settlement as Settlement & { settlement: unknown }
  const ofCash = { ...kept, type: "cash_count" as const, data: { cash, remarks } }
  if (!vehicle && counts.length === 0) return [ofCash]
  // Positions are keys of IndexedDB: between two whole ones there is room.
  const before = { position: kept.position - 0.5, client_temp_id: crypto.randomUUID(), result: null }
  return [{ ...kept, ...before, type: "vehicle_count", data: { vehicle, counts, remarks: "" } }, ofCash]
}
