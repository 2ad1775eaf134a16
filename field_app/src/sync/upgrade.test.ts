import "fake-indexeddb/auto"
import Dexie from "dexie"
import { beforeEach, expect, test } from "vitest"
import { makeApi } from "../api/client"
import { FieldDatabase } from "../store/database"
import { thisDevice } from "../store/device"
import { record } from "../store/queue"
import { Server } from "./fake_server"
import { pushWaiting } from "./push"

/** The tables of the version before there were devices. */
const VERSION_1 = {
  operations: "++position, &client_temp_id, [state+position]",
  customers: "id, name, *words",
  equipment: "id",
  depots: "id",
  gst_rates: "id",
  stock: "[equipment+condition]",
  distributions: "id",
  past_sales: "id",
  notes: "name",
}

const SALE = {
  customer: 1,
  items: [{ equipment: 3, type: "SWAP", quantity: 1, rate: "28.50" }],
  payment_received: true,
}
const COUNTED = [{ equipment: 3, condition: "FULL", quantity: 5 }]

const kept = (client_temp_id: string, state: string, type: string, data: object) => ({
  ...{
    client_temp_id,
    type,
    data,
    state,
    occurred_at: "2026-01-20T01:12:00.000Z",
    result: null,
    errors: [],
    pulled: 0,
  },
})
const EARLIER = [
  kept("sold-and-settled", "done", "transaction.create", SALE),
  kept("refused", "rejected", "transaction.create", SALE),
  kept("sold", "queued", "transaction.create", { ...SALE, customer: 2 }),
  kept("load", "queued", "distribution.create", { depot: 1, items: [] }),
  {
    ...kept("day-end", "queued", "settlement.create", { counts: COUNTED, cash: "78.48", remarks: "late" }),
    settlement: null,
  },
  kept("sold-after", "queued", "transaction.create", { ...SALE, customer: 3 }),
]

let users = 8000

beforeEach(async () => {
  users += 1
  const earlier = new Dexie(`hsh-field-${users}`)
  earlier.version(1).stores(VERSION_1)
  await earlier.table("operations").bulkAdd(EARLIER)
  await earlier.table("notes").put({ name: "cursor", value: "epoch.5" })
  earlier.close()
})

test("what waits gets numbers in its order, and is sent with the same ids and contents", async () => {
  const database = new FieldDatabase(users, "GBX1A")
  const server = new Server()
  await pushWaiting(database, makeApi("http://127.0.0.1", server.fetch))
  const sent = server.pushes.flatMap(({ operations }) => operations)
  expect(sent).toMatchObject([
    { number: 2, client_temp_id: "sold", type: "transaction.create", data: { ...SALE, customer: 2 } },
    { number: 3, client_temp_id: "load", data: { depot: 1, items: [] } },
    { number: 4, type: "vehicle_count", data: { vehicle: "GBX1A", counts: COUNTED, remarks: "" } },
    { number: 5, client_temp_id: "day-end", type: "cash_count", data: { cash: "78.48", remarks: "late" } },
    { number: 6, client_temp_id: "sold-after" },
  ])
  expect(sent[0]?.data).toEqual({ ...SALE, customer: 2 })
  expect(new Set(sent.map(({ occurred_at }) => occurred_at))).toEqual(new Set(["2026-01-20T01:12:00.000Z"]))
  expect(new Set(sent.map(({ clock_offset_s }) => clock_offset_s))).toEqual(new Set([null]))
})

test("the next operation goes on from there, and nothing else is lost", async () => {
  const database = new FieldDatabase(users, "GBX1A")
  expect((await thisDevice(database)).last_number).toBe(6)
  await record(database, [{ client_temp_id: "new", type: "vehicle.taken", data: { vehicle: "GBX2B" } }])
  const operations = await database.operations.orderBy("position").toArray()
  expect(operations.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(operations.map(({ state }) => state).slice(0, 2)).toEqual(["done", "rejected"])
  expect(await database.note("cursor")).toBe("epoch.5")
})

test("who had no vehicle counted the cash alone", async () => {
  const earlier = new Dexie(`hsh-field-${users}`)
  earlier.version(1).stores(VERSION_1)
  await earlier
    .table("operations")
    .where("client_temp_id")
    .equals("day-end")
    .modify({ data: { cash: "78.48" } })
  earlier.close()
  const database = new FieldDatabase(users)
  const types = (await database.operations.orderBy("position").toArray()).map(({ type }) => type)
  expect(types).not.toContain("vehicle_count")
  expect(types.filter((type) => type === "cash_count")).toHaveLength(1)
})
