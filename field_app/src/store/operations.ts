/** The queue: what the driver did, written down before anything is sent. See docs/offline-protocol.md. */
import Big from "big.js"
import type {
  ApiError,
  Condition,
  Customer,
  Distribution,
  NewDistribution,
  NewSale,
  NewSettlement,
  PushResult,
  Settlement,
  Stock,
} from "../api/types"
import type { Price } from "../rules/price"
import type { FieldDatabase } from "./database"

/** `rejected`: the server keeps it until a supervisor decides. `dismissed`: it shall not happen. */
export type State = "queued" | "done" | "rejected" | "dismissed"

type Kept = {
  /** The order in which it happened on this phone. */
  position: number
  client_temp_id: string
  occurred_at: string
  state: State
  /** What the server said became of it. */
  result: PushResult | null
  errors: ApiError[]
  /** 1: the stock that was pulled knows of it already. */
  pulled: 0 | 1
}

export type SaleOperation = Kept & {
  type: "transaction.create"
  data: Omit<NewSale, "client_temp_id" | "occurred_at">
  /** What the customer was shown. */
  shown: { customer: Pick<Customer, "name" | "customer_code" | "address">; lines: string[]; price: Price | null }
}
export type LoadOperation = Kept & {
  type: "distribution.create"
  data: Omit<NewDistribution, "client_temp_id" | "occurred_at">
}
export type ConfirmOperation = Kept & { type: "distribution.confirm"; data: { distribution: number | string } }
/** Not a push: it is posted by itself, in its turn. */
export type SettlementOperation = Kept & {
  type: "settlement.create"
  data: Omit<NewSettlement, "client_temp_id">
  settlement: Settlement | null
}
export type Operation = SaleOperation | LoadOperation | ConfirmOperation | SettlementOperation

type WithoutPosition<Of> = Of extends Operation ? Omit<Of, "position"> : never
/** Before the database has given it its place. */
export type UnplacedOperation = WithoutPosition<Operation>

/** As the driver's hands leave it. */
export type NewOperation =
  | Pick<SaleOperation, "client_temp_id" | "type" | "data" | "shown">
  | Pick<LoadOperation, "client_temp_id" | "type" | "data">
  | Pick<ConfirmOperation, "client_temp_id" | "type" | "data">
  | Pick<SettlementOperation, "client_temp_id" | "type" | "data" | "settlement">

/** The app's own id of an operation, for ever. */
export function newId(): string {
  return crypto.randomUUID()
}

/** Write operations down, all or none, to be sent in this order when there is a network. */
export async function record(database: FieldDatabase, operations: NewOperation[], now = new Date()): Promise<void> {
  const begun = { occurred_at: now.toISOString(), state: "queued", result: null, errors: [], pulled: 0 } as const
  await database.operations.bulkAdd(operations.map((operation) => ({ ...operation, ...begun, errors: [] })))
}

/** The oldest first. */
export function inState(database: FieldDatabase, state: State) {
  return database.operations.where("[state+position]").between([state, 0], [state, Infinity])
}

const KEPT_FOR_MS = 30 * 24 * 60 * 60 * 1000

/** What was settled a month ago is the server's to know. */
export async function forgetOld(database: FieldDatabase, now = Date.now()): Promise<void> {
  const isOld = ({ occurred_at }: Operation) => now - Date.parse(occurred_at) > KEPT_FOR_MS
  await inState(database, "done").filter(isOld).delete()
  await inState(database, "dismissed").filter(isOld).delete()
}

/** Until the server has named it, a receipt has to say that it is provisional. */
export function receiptNumber(operation: Operation): string {
  return (
    operation.result?.invoice_number ??
    operation.result?.number ??
    `PROVISIONAL-${operation.client_temp_id.slice(0, 8).toUpperCase()}`
  )
}

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
