/** The rows that lie on the phone beside those of the API. */
import type {
  ApiError,
  BasedOn,
  CashCount,
  CountedItem,
  Customer,
  Invoice,
  NewDistribution,
  NewSale,
  PushResult,
  RateSource,
  Transaction,
  VehicleCount,
} from "../api/types"

/** What was asked at the door, and is meant so. */
export type Confirmed = { code: string; attr: string; value: string }

/** `words`: what the customer is found by. */
export type StoredCustomer = Customer & { words: string[] }

/** A sale that the server knows, for the history: also one of another phone, and what became of this one's since. */
export type PastSale = {
  id: number
  client_temp_id: string | null
  transaction: Transaction
  invoice: Invoice | null
}

/** A count that the server knows. */
export type StoredCount = (VehicleCount & { kind: "vehicle_count" }) | (CashCount & { kind: "cash_count" })

export type PricedLine = { rate: string | null; rate_source: RateSource; amount: string; taxable: boolean }

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
  /** What of a refund settles an invoice that is still open, and isn't paid out. */
  set_off: string
}

/** `rejected`: the server keeps it until a supervisor decides. `dismissed`: it shall not happen. */
export type State = "queued" | "done" | "rejected" | "dismissed"

type Kept = {
  /** The order in which it happened on this phone. */
  position: number
  client_temp_id: string
  /** Among the operations of this device; 0: it was settled before the device got its id. */
  number: number
  occurred_at: string
  /** Seconds from this phone's clock to the server's, as far as it was known then. */
  clock_offset_s: number | null
  state: State
  /** An attempt to send it has begun: whether it happened, only the server knows. */
  tried: boolean
  /** What the server said became of it. */
  result: PushResult | null
  errors: ApiError[]
  /** The driver has told the office since that it did not happen. */
  withdrawn?: true
  /** 1: the stock that was pulled knows of it already. */
  pulled: 0 | 1
}

export type SaleOperation = Kept & {
  type: "transaction.create"
  data: Omit<NewSale, "occurred_at"> & { based_on?: BasedOn; confirm?: Confirmed[] }
  /** What the customer was shown. */
  shown: { customer: Pick<Customer, "name" | "customer_code" | "address">; lines: string[]; price: Price | null }
}
export type LoadOperation = Kept & { type: "distribution.create"; data: Omit<NewDistribution, "occurred_at"> }
export type ConfirmOperation = Kept & { type: "distribution.confirm"; data: { distribution: number | string } }
export type VehicleOperation = Kept & { type: "vehicle.taken"; data: { vehicle: string } }
export type VehicleCountOperation = Kept & {
  type: "vehicle_count"
  data: { vehicle: string; counts: CountedItem[]; remarks: string }
}
export type CashCountOperation = Kept & { type: "cash_count"; data: { cash: string; remarks: string } }
/** Taken back before it was sent; its number is sent all the same, so that nobody waits for it. */
export type WithdrawnOperation = Kept & { type: "withdrawn"; data: Record<string, never> }
export type CountOperation = VehicleCountOperation | CashCountOperation
export type Operation =
  | SaleOperation
  | LoadOperation
  | ConfirmOperation
  | VehicleOperation
  | CountOperation
  | WithdrawnOperation

type WithoutPosition<Of> = Of extends Operation ? Omit<Of, "position"> : never
/** Before the database has given it its place. */
export type UnplacedOperation = WithoutPosition<Operation>

type ByHand<Of extends Operation> = Pick<Of, "client_temp_id" | "type" | "data">
/** As the driver's hands leave it. */
export type NewOperation =
  | (ByHand<SaleOperation> & Pick<SaleOperation, "shown">)
  | ByHand<LoadOperation>
  | ByHand<ConfirmOperation>
  | ByHand<VehicleOperation>
  | ByHand<VehicleCountOperation>
  | ByHand<CashCountOperation>
