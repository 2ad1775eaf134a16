import { describe, expect, test } from "vitest"
import type { CountOperation, Operation, State, StoredCount } from "../store/rows"
import { latestCounts } from "./counts"

function cash(state: State, id: number | null, at = "2026-01-20T18:00:00+08:00"): CountOperation {
  return {
    ...{ type: "cash_count", data: { cash: "78.48", remarks: "" }, state, occurred_at: at, errors: [] },
    result: id === null ? null : { id, number: null },
  } as unknown as CountOperation
}

function known(id: number, status: StoredCount["status"], kind: StoredCount["kind"] = "cash_count"): StoredCount {
  return {
    ...{ kind, id, count_number: `CNT-${id}`, status, occurred_at: "2026-01-20T18:00:12+08:00", remarks: "" },
    decision_remarks: status === "REJECTED" ? "The bag was open." : "",
  }
}

describe("the latest count", () => {
  test("waits, was refused, or was handed in", () => {
    expect(latestCounts([cash("queued", null)], [])).toMatchObject([{ stage: "queued", number: null }])
    expect(latestCounts([cash("rejected", null)], [])).toMatchObject([{ stage: "rejected" }])
    expect(latestCounts([cash("done", 4)], [])).toMatchObject([{ stage: "COUNTED" }])
  })

  test("says what the office decided about it", () => {
    expect(latestCounts([cash("done", 4)], [known(4, "SIGNED_OFF")])).toMatchObject([
      { stage: "SIGNED_OFF", number: "CNT-4", data: { cash: "78.48" }, decision: "" },
    ])
    expect(latestCounts([cash("done", 4)], [known(4, "REJECTED")])).toMatchObject([
      { stage: "REJECTED", decision: "The bag was open." },
    ])
  })

  test("is another one than the vehicle's with the same id", () => {
    const counts = latestCounts([cash("done", 4)], [known(4, "REJECTED", "vehicle_count")])
    expect(counts).toMatchObject([
      { kind: "vehicle_count", stage: "REJECTED", data: null },
      { kind: "cash_count", stage: "COUNTED" },
    ])
  })

  test("is the one that was counted last, also on another phone", () => {
    const operations: Operation[] = [cash("done", 4, "2026-01-19T18:00:00+08:00")]
    expect(latestCounts(operations, [known(4, "SIGNED_OFF"), known(9, "COUNTED")])).toMatchObject([
      { number: "CNT-9", data: null },
    ])
  })
})
