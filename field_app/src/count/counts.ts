/** What was handed in last, here or on another phone, and what became of it. */
import type { ApiError, CountedItem, CountStatus } from "../api/types"
import type { CountOperation, Operation, State, StoredCount } from "../store/rows"
import { businessDate } from "../ui/day"

/** The office's decision where it is known, else what became of the operation. */
export type Stage = CountStatus | Exclude<State, "done">

export type Handed = {
  kind: CountOperation["type"]
  moment: string
  number: string | null
  stage: Stage
  vehicle: string
  /** Of a count of goods. */
  counts: readonly CountedItem[] | null
  /** Of a count of cash. */
  cash: string | null
  decision: string
  errors: ApiError[]
}

/** The latest of each kind: the vehicle, then the cash. */
export function latestCounts(operations: readonly Operation[], known: readonly StoredCount[]): Handed[] {
  const here = operations.filter(
    (operation): operation is CountOperation => operation.type === "vehicle_count" || operation.type === "cash_count",
  )
  const names = new Set<string | null>(here.map((operation) => operation.client_temp_id))
  const all = [
    ...known.filter((count) => !names.has(count.client_temp_id)).map(ofServer),
    ...here.map((operation) => ofOperation(operation, known)),
  ].sort((one, other) => Date.parse(one.moment) - Date.parse(other.moment))
  const latest = (kind: Handed["kind"]) => all.findLast((count) => count.kind === kind)
  return [latest("vehicle_count"), latest("cash_count")].filter((count) => count !== undefined)
}

/**
 * What is to be counted now. Yesterday's count is not today's, another vehicle's not this one's, and a rejected one is
 * none; `vehicle` is "" for who has none.
 */
export function dueCounts(counts: readonly Handed[], vehicle: string, now: Date): Handed["kind"][] {
  const holds = ({ moment, stage }: Handed) =>
    businessDate(moment) === businessDate(now) && stage !== "REJECTED" && stage !== "dismissed"
  const isDone = (kind: Handed["kind"]) =>
    counts.some((count) => count.kind === kind && holds(count) && (kind === "cash_count" || count.vehicle === vehicle))
  const kinds = vehicle ? (["vehicle_count", "cash_count"] as const) : (["cash_count"] as const)
  return kinds.filter((kind) => !isDone(kind))
}

function ofOperation(operation: CountOperation, known: readonly StoredCount[]): Handed {
  const { type, client_temp_id, occurred_at, data, errors, state } = operation
  const told = known.find((count) => count.client_temp_id === client_temp_id)
  return {
    kind: type,
    moment: occurred_at,
    number: told?.count_number ?? null,
    stage: state === "done" ? (told?.status ?? "COUNTED") : state,
    vehicle: "vehicle" in data ? data.vehicle : "",
    counts: "counts" in data ? data.counts : null,
    cash: "cash" in data ? data.cash : null,
    decision: told?.decision_remarks ?? "",
    errors,
  }
}

function ofServer(count: StoredCount): Handed {
  return {
    kind: count.kind,
    moment: count.occurred_at,
    number: count.count_number,
    stage: count.status,
    vehicle: "vehicle" in count ? count.vehicle : "",
    counts: "lines" in count ? count.lines : null,
    cash: "cash" in count ? count.cash : null,
    decision: count.decision_remarks,
    errors: [],
  }
}
