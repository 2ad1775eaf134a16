/**
 * What the API has and docs/openapi.yaml doesn't say yet: the pushed counts, and what differs from what was shown.
 * docs/offline-protocol.md describes it.
 */
import type { components, paths } from "./schema"

type Schemas = components["schemas"]

export const PROTOCOL = 2

/** This store's id as a device, and the last number that one of its operations took. */
export type Device = Schemas["DeviceInRequest"]

/** What each answer to a device tells it about itself. */
export type Heard = Pick<Schemas["PullOfDeviceOut"], "server_time" | "device">

/** What was shown or said here, and what the books have instead; each empty where there is none. */
export type Discrepancy = { code: string; shown: string; billed: string; detail: string }

/** An earlier version of the protocol knew no discrepancies. */
export type PushResult = Schemas["ResultOut"] & { discrepancies?: Discrepancy[] }

/** What the sale was based on; what nobody knew is left out. */
export type BasedOn = { last_reading?: string; total_with_gst?: string }

export type SentOperation = Required<Omit<Schemas["OperationInRequest"], "type" | "number" | "data">> & {
  type: string
  number: number
  data: object
}
export type Push = Required<Omit<Schemas["PushDocumentationRequest"], "operations">> & { operations: SentOperation[] }

type Answer<Body> = { headers: { [name: string]: unknown }; content: { "application/json": Body } }
type Refusal = Answer<Schemas["Errors"]>
export type Paths = Omit<paths, "/api/sync/push/"> & {
  "/api/sync/push/": {
    post: {
      requestBody: { content: { "application/json": Push } }
      responses: { 200: Answer<Heard & { results: PushResult[] }>; 400: Refusal; 409: Refusal; 413: Refusal }
    }
  }
}
