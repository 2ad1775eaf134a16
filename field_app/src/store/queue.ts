/** The queue: what the driver did, written down before anything is sent. See docs/offline-protocol.md. */
import { clockOffsetSeconds } from "../api/clock"
import type { FieldDatabase } from "./database"
import { takeNumbers } from "./device"
import type { NewOperation, Operation, State } from "./rows"

/** The app's own id of an operation, for ever. */
export function newId(): string {
  return crypto.randomUUID()
}

/** Write operations down, all or none, to be sent in this order when there is a network. */
export async function record(database: FieldDatabase, operations: NewOperation[], now = new Date()): Promise<void> {
  await database.transaction("rw", database.operations, database.notes, async () => {
    const first = await takeNumbers(database, operations.length)
    await database.operations.bulkAdd(
      operations.map((operation, index) => ({
        ...operation,
        number: first + index,
        occurred_at: now.toISOString(),
        clock_offset_s: clockOffsetSeconds(),
        state: "queued",
        tried: false,
        result: null,
        errors: [],
        pulled: 0,
      })),
    )
  })
}

/** Can it be taken back? Not once sending it has begun. */
export function isWithdrawable(operation: Operation): boolean {
  return operation.state === "queued" && !operation.tried && operation.type !== "withdrawn"
}

/** Take an operation back: it never happened, and only its number is sent. False: it was too late. */
export async function withdraw(database: FieldDatabase, clientTempId: string): Promise<boolean> {
  return await database.transaction("rw", database.operations, async () => {
    const operation = await database.operations.get({ client_temp_id: clientTempId })
    if (!operation || !isWithdrawable(operation)) return false
    await database.operations.put({ ...operation, type: "withdrawn", data: {} })
    return true
  })
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

/** The numbers that the server misses, and that don't wait here to be sent. */
export async function missed(database: FieldDatabase): Promise<number[]> {
  const missing = (await database.note<number[]>("missing")) ?? []
  const waiting = new Set((await inState(database, "queued").toArray()).map(({ number }) => number))
  return missing.filter((number) => !waiting.has(number))
}

/** Until the server has named it, a receipt has to say that it is provisional. */
export function receiptNumber(operation: Operation): string {
  return (
    operation.result?.invoice_number ??
    operation.result?.number ??
    `PROVISIONAL-${operation.client_temp_id.slice(0, 8).toUpperCase()}`
  )
}
