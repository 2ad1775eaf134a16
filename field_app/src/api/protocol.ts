/**
 * What version 2 of the protocol adds to the API, until docs/openapi.yaml has it: docs/offline-protocol.md.
 */
import type { components, paths } from "./schema"

type Schemas = components["schemas"]

export const PROTOCOL = 2

/** This store's number of the device, and the last number that one of its operations took. */
export type Device = { id: string; last_number: number }

/** What was shown or said here, and what the books have instead; each empty where there is none. */
export type Discrepancy = { code: string; shown: string; billed: string; detail: string }

/** An earlier version of the protocol knew no discrepancies. */
export type PushResult = Schemas["ResultOut"] & { discrepancies?: Discrepancy[] }

/** `missing`: the numbers up to the last that never came. */
export type Heard = { server_time: string; device: { missing: number[]; last_number: number } }

/** What the sale was based on; what nobody knew is left out. */
export type BasedOn = { last_reading?: string; total_with_gst?: string }

export type SentOperation = {
  type: string
  client_temp_id: string
  number: number
  occurred_at: string
  /** Seconds to add to the device's clock to get the server's; null: not known. */
  clock_offset_s: number | null
  data: object
}

export type Push = { protocol: number; sent_at: string; device: Device; operations: SentOperation[] }

export type NewVehicleCount = {
  vehicle: string
  counts: { equipment: number; condition: Schemas["Condition"]; quantity: number }[]
  remarks: string
}
export type NewCashCount = { cash: string; remarks: string }

/** A count that was handed in, and what the office decided about it. */
export type Count = {
  id: number
  count_number: string
  status: "COUNTED" | "SIGNED_OFF" | "REJECTED"
  /** Of a count of goods. */
  vehicle?: string
  occurred_at: string
  remarks: string
  decision_remarks: string
}

type Answer<Body> = { headers: { [name: string]: unknown }; content: { "application/json": Body } }
type Refusal = Answer<Schemas["Errors"]>
type Get<Query, Body> = { get: { parameters: { query?: Query }; responses: { 200: Answer<Body>; 400: Refusal } } }

export type Paths = Omit<paths, "/api/sync/push/" | "/api/sync/pull/"> & {
  "/api/sync/push/": {
    post: {
      requestBody: { content: { "application/json": Push } }
      responses: { 200: Answer<Heard & { results: PushResult[] }>; 400: Refusal; 409: Refusal; 413: Refusal }
    }
  }
  "/api/sync/pull/": Get<
    { cursor?: string; page_size?: number; device?: string; last_number?: number },
    Schemas["PullOut"] & Heard
  >
  "/api/vehicle-counts/": Get<{ page_size?: number; user?: number }, { results: Count[] }>
  "/api/cash-counts/": Get<{ page_size?: number; user?: number }, { results: Count[] }>
}
