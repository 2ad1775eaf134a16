import { describe, expect, test } from "vitest"
import type { CountOperation, Operation, State, StoredCount } from "../store/rows"
import { dueCounts, type Handed, latestCounts } from "./counts"

function cash(state: State, at = "2026-01-20T18:00:00+08:00"): CountOperation {
  return {
    ...{
      type: "cash_count",
      client_temp_id: "bag",
      result: null,
      data: { cash: "78.48", remarks: "" },
      state,
      occurred_at: at,
      errors: [],
    },
  } as unknown as CountOperation
}

function known(client_temp_id: string, status: StoredCount["status"]): StoredCount {
  return {
    ...{
      kind: "cash_count",
      id: 4,
      client_temp_id,
      count_number: "CSH-4",
      cash: "80.00",
      status,
      occurred_at: "2026-01-20T18:00:12+08:00",
      remarks: "",
    },
    decision_remarks: status === "REJECTED" ? "The bag was open." : "",
  } as unknown as StoredCount
}

describe("the latest count", () => {
  test("waits, was refused, or was handed in", () => {
    expect(latestCounts([cash("queued")], [])).toMatchObject([{ stage: "queued", number: null }])
    expect(latestCounts([cash("rejected")], [])).toMatchObject([{ stage: "rejected" }])
    expect(latestCounts([cash("done")], [])).toMatchObject([{ stage: "COUNTED" }])
  })

  test("says what the office decided about it", () => {
    expect(latestCounts([cash("done")], [known("bag", "SIGNED_OFF")])).toMatchObject([
      { stage: "SIGNED_OFF", number: "CSH-4", cash: "78.48", decision: "" },
    ])
    expect(latestCounts([cash("done")], [known("bag", "REJECTED")])).toMatchObject([
      { stage: "REJECTED", decision: "The bag was open." },
    ])
  })

  test("is the one that was counted last, also on another phone", () => {
    const operations: Operation[] = [cash("done", "2026-01-19T18:00:00+08:00")]
    expect(latestCounts(operations, [known("bag", "SIGNED_OFF"), known("other", "COUNTED")])).toMatchObject([
      { number: "CSH-4", cash: "80.00" },
    ])
  })
})

describe("what is to be counted now", () => {
  const EVENING = new Date("2026-01-20T18:30:00+08:00")
  const of = (part: Partial<Handed>): Handed => ({
    ...{ kind: "cash_count", moment: "2026-01-20T18:00:00+08:00", number: null, stage: "queued" },
    ...{ vehicle: "", counts: null, cash: null, decision: "", errors: [] },
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
