/** The rows that lie on the phone beside those of the API. */
import type {
  ApiError,
  Customer,
  Invoice,
  NewDistribution,
  NewSale,
  NewSettlement,
  PushResult,
  RateSource,
  Settlement,
  Transaction,
} from "../api/types"

/** `words`: what the customer is found by. */
export type StoredCustomer = Customer & { words: string[] }

/** A sale that the server knows, for the history: also one of another phone, and what became of this one's since. */
export type PastSale = {
  id: number
  client_temp_id: string | null
  transaction: Transaction
  invoice: Invoice | null
}

export type PricedLine = { rate: string; rate_source: RateSource; amount: string; taxable: boolean }

/** All amounts in dollars. `last_reading` and `usage` are null where no meter was read. */
export type Price = {
  lines: PricedLine[]
  last_reading: string | null
  usage: string | null
  usage_amount: string
  subtotal: string
  gst_rate: string
  gst_amount: string
  total: string
}

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
