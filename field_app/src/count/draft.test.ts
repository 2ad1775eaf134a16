import "fake-indexeddb/auto"
import { beforeEach, describe, expect, test } from "vitest"
import { FieldDatabase } from "../store/database"
import { forgetDraft, keepDraft, keptDraft } from "./draft"

const NOON = Date.parse("2026-01-20T12:00:00+08:00")
const HOUR = 60 * 60 * 1000
const ENTERED = { pieces: new Map([["3 FULL", 7]]), cash: "12.5", remarks: "one is dented" }
const NOTHING = { pieces: new Map(), cash: "", remarks: "" }

let user = 500
let database: FieldDatabase

beforeEach(() => {
  user += 1
  database = new FieldDatabase(user)
})

describe("a count that is being entered", () => {
  test("is there when the page was killed", async () => {
    await keepDraft(database, "GBX1A", ENTERED, NOON)
    database.close()
    expect(await keptDraft(new FieldDatabase(user), "GBX1A", NOON + HOUR)).toEqual(ENTERED)
  })

  test("is this vehicle's; the cash stays the same bag's", async () => {
    await keepDraft(database, "GBX1A", ENTERED, NOON)
    expect(await keptDraft(database, "GBX2B", NOON)).toEqual({ ...NOTHING, cash: "12.5" })
  })

  test("says nothing of the next day", async () => {
    await keepDraft(database, "GBX1A", ENTERED, NOON)
    expect(await keptDraft(database, "GBX1A", NOON + 12 * HOUR)).toEqual(ENTERED)
    expect(await keptDraft(database, "GBX1A", NOON + 12 * HOUR + 1)).toEqual(NOTHING)
  })

  test("is nobody else's", async () => {
    await keepDraft(database, "GBX1A", ENTERED, NOON)
    expect(await keptDraft(new FieldDatabase(user + 1000), "GBX1A", NOON)).toEqual(NOTHING)
  })

  test("is forgotten when it was handed in", async () => {
    await keepDraft(database, "GBX1A", ENTERED, NOON)
    await forgetDraft(database)
    expect(await keptDraft(database, "GBX1A", NOON)).toEqual(NOTHING)
  })
})
