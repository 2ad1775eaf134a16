/** Sends what waits, oldest first, and writes down what became of it. See docs/offline-protocol.md, "Push". */
import type { Api } from "../api/client"
import { Unreachable } from "../api/session"
import type { ApiError, PushResult } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { inState } from "../store/queue"
import type { Operation, SettlementOperation } from "../store/rows"

const AT_ONCE = 200
const PROTOCOL = 1

/** The server refuses the request as such: a mistake in the app, or another version of it is needed. */
export class Refused extends Error {}

/** Until nothing waits any more. Throws Unreachable, LoggedOut, Refused; what was answered before stands. */
export async function pushWaiting(database: FieldDatabase, api: Api): Promise<void> {
  let atOnce = AT_ONCE
  for (;;) {
    const waiting = await inState(database, "queued").limit(atOnce).toArray()
    const [first] = waiting
    if (!first) return
    if (first.type === "settlement.create") {
      await postSettlement(database, api, first)
      continue
    }
    const end = waiting.findIndex((operation) => operation.type === "settlement.create")
    const batch = end === -1 ? waiting : waiting.slice(0, end)
    if (!(await pushed(database, api, batch))) atOnce = Math.max(1, Math.floor(batch.length / 2))
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
  const operations = batch
    .filter((operation) => operation.type !== "settlement.create")
    .map(({ type, client_temp_id, occurred_at, data }) => ({ type, client_temp_id, occurred_at, data }))
  const { data, error, response } = await api.POST("/api/sync/push/", { body: { protocol: PROTOCOL, operations } })
  if (response.status === 413 && batch.length > 1) return false
  if (isTooNew(error)) {
    throw new Refused("This app is newer than the server. What you recorded is kept here until the server is upgraded.")
  }
  if (!data) throw new Refused(`The server refuses the push (${response.status}). Please tell the office.`)
  if (data.results.length !== batch.length) throw new Unreachable("The answer isn't whole.")
  await database.transaction("rw", database.operations, async () => {
    for (const [index, operation] of batch.entries()) {
      await keepResult(database, operation, data.results[index] as PushResult)
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

async function postSettlement(database: FieldDatabase, api: Api, operation: SettlementOperation): Promise<void> {
  const { data, error, response } = await api.POST("/api/settlements/", {
    body: { ...operation.data, client_temp_id: operation.client_temp_id },
  })
  if (!data && response.status !== 400 && response.status !== 403 && response.status !== 409) {
    throw new Refused(`The server refuses the count (${response.status}). Please tell the office.`)
  }
  await database.operations.put({
    ...operation,
    // The server keeps no count that it refused: the driver counts again.
    state: data ? "done" : "dismissed",
    settlement: data ?? null,
    errors: (error as { errors?: ApiError[] } | undefined)?.errors ?? [],
  })
}
