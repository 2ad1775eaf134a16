/** For tests: a server as the protocol describes it. */

import { LoggedOut, Unreachable } from "../api/session"
import type { Device, Heard, Pulled, Push, PushResult, SentOperation } from "../api/types"
import { newId } from "../store/queue"
import type { NewOperation, Operation } from "../store/rows"

export type Sent = Omit<SentOperation, "data"> & { data: { customer?: number } }
export type Fault = "lost request" | "lost answer" | "half an answer" | "logged out" | "413" | "400" | "409"

/** A server as the protocol describes it, behind a network that can be told what to break next. */
export class Server {
  readonly books: string[] = []
  readonly results = new Map<string, PushResult>()
  readonly refuses = new Set<number>()
  readonly decisions = new Map<number, string>()
  readonly batches: number[] = []
  readonly pushes: Push[] = []
  readonly asked: URLSearchParams[] = []
  /** What is found to differ, by customer. */
  readonly discrepancies = new Map<number, PushResult["discrepancies"]>()
  readonly reusedNumbers = new Set<number>()
  /** The numbers that came, by device. */
  readonly numbers = new Map<string, Set<number>>()
  /** What else it answers, by path. */
  readonly lists: Record<string, object[]> = {}
  faults: Fault[] = []
  time = "2026-01-20T10:00:00+08:00"
  page: Partial<Pulled> = {}

  readonly fetch = async (request: Request): Promise<Response> => {
    const fault = this.faults.shift()
    if (fault === "lost request") throw new Unreachable("lost")
    if (fault === "logged out") throw new LoggedOut()
    if (fault === "409") return answer(409, TOO_NEW)
    if (fault === "413" || fault === "400") return answer(Number(fault), { errors: [] })
    const response = await this.answer(request)
    if (fault === "lost answer") throw new Unreachable("lost")
    if (fault === "half an answer") return new Response((await response.text()).slice(0, 20), { headers: JSON_TYPE })
    return response
  }

  private async answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname
    if (path === "/api/sync/push/") {
      const push = (await request.json()) as Push
      this.pushes.push(push)
      this.batches.push(push.operations.length)
      const results = push.operations.map((operation) => this.happen(operation as Sent))
      for (const { number } of push.operations) this.numbersOf(push.device).add(number)
      return answer(200, { results, ...this.heard(push.device) })
    }
    if (path in this.lists) return answer(200, { results: this.lists[path], next: null })
    if (path.startsWith("/api/sync/conflicts/")) {
      const reason = this.decisions.get(Number(path.split("/")[4]))
      return answer(200, { status: reason ? "DISMISSED" : "OPEN", reason: reason ?? "" })
    }
    if (path !== "/api/sync/pull/") return answer(404, { errors: [] })
    const { searchParams: query } = new URL(request.url)
    this.asked.push(query)
    const device = { id: query.get("device") ?? "", last_number: Number(query.get("last_number")) }
    return answer(200, { ...NOTHING_NEW, ...this.heard(device), ...this.page })
  }

  private numbersOf({ id }: Device): Set<number> {
    const known = this.numbers.get(id) ?? new Set()
    this.numbers.set(id, known)
    return known
  }

  private heard(device: Device): Heard & { server_time: string } {
    const came = this.numbersOf(device)
    const last_number = Math.max(device.last_number, ...came)
    const all = Array.from({ length: last_number }, (_, index) => index + 1)
    return { server_time: this.time, device: { last_number, missing: all.filter((number) => !came.has(number)) } }
  }

  private happen({ client_temp_id, type, number, data }: Sent): PushResult {
    const earlier = this.results.get(client_temp_id)
    if (earlier) return { ...earlier, status: earlier.status === "rejected" ? "rejected" : "duplicate" }
    const refused = data.customer !== undefined && this.refuses.has(data.customer)
    if (!refused) this.books.push(client_temp_id)
    const result: PushResult = {
      client_temp_id,
      status: refused ? "rejected" : "created",
      id: refused ? null : this.books.length,
      number: refused ? null : `${type} ${this.books.length}`,
      invoice: refused ? null : this.books.length,
      invoice_number: refused ? null : `INV-${this.books.length}`,
      pdf_url: null,
      payments: [],
      errors: refused ? [{ code: "insufficient_stock", detail: "There are fewer.", attr: null }] : [],
      conflict: refused ? 7 : null,
      tried_again_until: null,
      discrepancies: [
        ...(this.discrepancies.get(data.customer ?? 0) ?? []),
        ...(this.reusedNumbers.delete(number) ? [REUSED] : []),
      ],
    }
    this.results.set(client_temp_id, result)
    return result
  }
}

const REUSED = { code: "number_reused" as const, shown: "2", billed: "", detail: "Another one came under this number." }
const TOO_NEW = {
  type: "client_error",
  errors: [{ code: "protocol_too_new", detail: "The app is newer than the server.", attr: "protocol" }],
}
const JSON_TYPE = { "Content-Type": "application/json" }
export const NOTHING_NEW: Pulled = {
  cursor: "epoch.1",
  has_more: false,
  depots: [],
  equipment: [],
  gst_rates: [],
  customers: [],
  gone: { depots: [], equipment: [], gst_rates: [], customers: [] },
  unlikely: { quantity: "50.00", amount: "10000.00" },
  cash_rounding: "0.00",
  stock: [],
  distributions: [],
  server_time: "2026-01-20T10:00:00+08:00",
  device: { missing: [], last_number: 0 },
}

function answer(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: JSON_TYPE })
}

export function saleOf(customer: number, items: Operation["data"] = { customer, items: [] }): NewOperation {
  return {
    client_temp_id: newId(),
    type: "transaction.create",
    data: { ...(items as { customer: number }), customer },
    shown: { customer: { name: "Ah Hock", customer_code: "A", address: "" }, lines: [], price: null },
  }
}
