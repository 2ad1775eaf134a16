import { describe, expect, test } from "vitest"
import type { CountOperation, Operation, State, StoredCount } from "../store/rows"
import { dueCounts, type Handed, latestCounts } from "./counts"

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

describe("what is to be counted now", () => {
  const EVENING = new Date("2026-01-20T18:30:00+08:00")
  const of = (part: Partial<Handed>): Handed => ({
    ...{ kind: "cash_count", moment: "2026-01-20T18:00:00+08:00", number: null, stage: "queued" },
    ...{ vehicle: "", data: null, decision: "", errors: [] },
    ...part,
  })
  const goods = of({ kind: "vehicle_count", vehicle: "GBX1A" })

  test("is goods and cash, or the cash alone without a vehicle", () => {
    expect(dueCounts([], "GBX1A", EVENING)).toEqual(["vehicle_count", "cash_count"])
    expect(dueCounts([], "", EVENING)).toEqual(["cash_count"])
  })

  test("is nothing once both were counted today, whatever waits or was refused", () => {
    expect(dueCounts([goods, of({})], "GBX1A", EVENING)).toEqual([])
    expect(dueCounts([goods, of({ stage: "rejected" })], "GBX1A", EVENING)).toEqual([])
    expect(dueCounts([goods, of({ stage: "SIGNED_OFF" })], "GBX1A", EVENING)).toEqual([])
  })

  test("is that one again which the office rejected", () => {
    expect(dueCounts([{ ...goods, stage: "REJECTED" }, of({})], "GBX1A", EVENING)).toEqual(["vehicle_count"])
    expect(dueCounts([goods, of({ stage: "REJECTED" })], "GBX1A", EVENING)).toEqual(["cash_count"])
  })

  test("is another day's and another vehicle's anew", () => {
    const tomorrow = new Date("2026-01-21T00:30:00+08:00")
    expect(dueCounts([goods, of({})], "GBX1A", tomorrow)).toEqual(["vehicle_count", "cash_count"])
    expect(dueCounts([goods, of({})], "GBX2B", EVENING)).toEqual(["vehicle_count"])
  })
})
