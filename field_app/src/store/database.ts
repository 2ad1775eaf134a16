/** What lies on the phone: one database for each user, so that nobody sends, or sees, somebody else's sales. */
import Dexie, { type EntityTable, type Table } from "dexie"
import type { Depot, Distribution, Equipment, GstRate, Stock, Vehicle } from "../api/types"
import type { Operation, PastSale, StoredCount, StoredCustomer, UnplacedOperation } from "./rows"
import { toVersion2 } from "./upgrade"

export class FieldDatabase extends Dexie {
  readonly operations!: Table<Operation, number, UnplacedOperation>
  readonly customers!: EntityTable<StoredCustomer, "id">
  readonly equipment!: EntityTable<Equipment, "id">
  readonly depots!: EntityTable<Depot, "id">
  readonly gst_rates!: EntityTable<GstRate, "id">
  readonly stock!: Table<Stock, [number, string]>
  readonly distributions!: EntityTable<Distribution, "id">
  readonly past_sales!: EntityTable<PastSale, "id">
  readonly vehicles!: EntityTable<Vehicle, "id">
  readonly counts!: Table<StoredCount, [string, number]>
  readonly notes!: EntityTable<{ name: string; value: unknown }, "name">

  /** `vehicle`: the user's; a store of an earlier version counted it without its name. */
  constructor(
    readonly userId: number,
    vehicle = "",
  ) {
    // Strict: a sale that the driver was shown as recorded is on the disk, whatever becomes of the phone's battery.
    super(`hsh-field-${userId}`, { chromeTransactionDurability: "strict" })
    this.version(1).stores({
      operations: "++position, &client_temp_id, [state+position]",
      customers: "id, name, *words",
      equipment: "id",
      depots: "id",
      gst_rates: "id",
      stock: "[equipment+condition]",
      distributions: "id",
      past_sales: "id",
      notes: "name",
    })
    this.version(2)
      .stores({ vehicles: "id", counts: "[kind+id]" })
      .upgrade((transaction) => toVersion2(transaction, vehicle))
  }

  async note<Value>(name: string): Promise<Value | undefined> {
    return (await this.notes.get(name))?.value as Value | undefined
  }
}
