/** Sends what waits, oldest first, and writes down what became of it. See docs/offline-protocol.md, "Push". */
import type { Api } from "../api/client"
import { Unreachable } from "../api/session"
import type { ApiError, PushResult } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { becomeAnotherDevice, thisDevice } from "../store/device"
import { inState, missed } from "../store/queue"
import type { Operation } from "../store/rows"
import { hear } from "./heard"

const AT_ONCE = 200
const PROTOCOL = 2

/** The server refuses the request as such: a mistake in the app, or another version of it is needed. */
export class Refused extends Error {}

/** Until nothing waits any more. Throws Unreachable, LoggedOut, Refused; what was answered before stands. */
export async function pushWaiting(database: FieldDatabase, api: Api): Promise<void> {
  let atOnce = AT_ONCE
  for (;;) {
    const batch = await beginning(database, atOnce)
    if (batch.length === 0) return
    if (!(await pushed(database, api, batch))) atOnce = Math.max(1, Math.floor(batch.length / 2))
  }
}

/** The oldest that wait; from now on nobody takes them back. */
async function beginning(database: FieldDatabase, atOnce: number): Promise<Operation[]> {
  return await database.transaction("rw", database.operations, async () => {
    const batch = await inState(database, "queued").limit(atOnce).toArray()
    const fresh = batch.filter(({ tried }) => !tried)
    await database.operations.bulkUpdate(fresh.map(({ position }) => ({ key: position, changes: { tried: true } })))
    return batch
  })
}

/** Send again what the server says never came, as far as it is still here. */
export async function sendMissing(database: FieldDatabase, api: Api): Promise<void> {
  const missing = new Set(await missed(database))
  if (missing.size === 0) return
  const here = await database.operations.filter(({ number }) => missing.has(number)).toArray()
  for (let start = 0; start < here.length; start += AT_ONCE) {
    await pushed(database, api, here.slice(start, start + AT_ONCE))
  }
}

/** Ask once more about what was refused: a supervisor may have let it happen since, or dismissed it. */
export async function askAgain(database: FieldDatabase, api: Api): Promise<void> {
  const refused = await inState(database, "rejected").toArray()
  for (let start = 0; start < refused.length; start += AT_ONCE) {
    await pushed(database, api, refused.slice(start, start + AT_ONCE))
  }
  for (const { position, result } of await inState(database, "rejected").toArray()) {
    if (!result?.conflict) continue
    const { data } = await api.GET("/api/sync/conflicts/{id}/", { params: { path: { id: result.conflict } } })
    if (data?.status !== "DISMISSED") continue
    const errors = [{ code: "dismissed", detail: data.reason, attr: null }]
    await database.operations.update(position, { state: "dismissed", errors })
  }
}

/** False: too much at once. */
async function pushed(database: FieldDatabase, api: Api, batch: readonly Operation[]): Promise<boolean> {
  const device = await thisDevice(database)
  const operations = batch.map(({ type, client_temp_id, number, occurred_at, clock_offset_s, data }) => ({
    type,
    client_temp_id,
    number,
    occurred_at,
    clock_offset_s,
    data,
  }))
  const { data, error, response } = await api.POST("/api/sync/push/", {
    body: { protocol: PROTOCOL, sent_at: new Date().toISOString(), device, operations },
  })
  if (response.status === 413 && batch.length > 1) return false
  if (isTooNew(error)) {
    throw new Refused("This app is newer than the server. What you recorded is kept here until the server is upgraded.")
  }
  if (!data) throw new Refused(`The server refuses the push (${response.status}). Please tell the office.`)
  if (data.results.length !== batch.length) throw new Unreachable("The answer isn't whole.")
  await database.transaction("rw", database.operations, database.notes, async () => {
    for (const [index, operation] of batch.entries()) {
      await keepResult(database, operation, data.results[index] as PushResult)
    }
    await hear(database, data)
    // Answers to what was asked again say so again.
    if (batch.some(({ state }, index) => state === "queued" && isReused(data.results[index] as PushResult))) {
      await becomeAnotherDevice(database)
    }
  })
  return true
}

function isTooNew(error: unknown): boolean {
  const { errors } = (error ?? {}) as { errors?: ApiError[] }
  return errors?.some(({ code }) => code === "protocol_too_new") ?? false
}

async function keepResult(database: FieldDatabase, operation: Operation, result: PushResult): Promise<void> {
  const state = result.status === "rejected" ? "rejected" : "done"
  await database.operations.update(operation.position, { state, result, errors: result.errors })
}

/** Something else came under its number: this store was copied or restored. */
function isReused(result: PushResult): boolean {
  return (result.discrepancies ?? []).some(({ code }) => code === "number_reused")
}
