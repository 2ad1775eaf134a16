import "fake-indexeddb/auto"
import { beforeEach, describe, expect, test } from "vitest"
import { makeApi } from "../api/client"
import type { Me } from "../api/types"
import { FieldDatabase } from "../store/database"
import { newId, record } from "../store/queue"
import { pullCounts } from "./counts"
import { Server, saleOf } from "./fake_server"
import { pullPastSales } from "./past_sales"
import { pullVehicles } from "./vehicles"

const ME = { id: 7, capabilities: ["view_sales", "settle_day"] } as unknown as Me
let database: FieldDatabase
let server: Server
let users = 9000

beforeEach(() => {
  users += 1
  database = new FieldDatabase(users)
  server = new Server()
})

const api = () => makeApi("http://127.0.0.1", server.fetch)

describe("vehicles", () => {
  test("are those that were in use when there was a network", async () => {
    server.lists["/api/vehicles/"] = [{ id: 1 }, { id: 2 }]
    await pullVehicles(database, api())
    server.lists["/api/vehicles/"] = [{ id: 2 }, { id: 3 }]
    await pullVehicles(database, api())
    expect(await database.vehicles.toCollection().primaryKeys()).toEqual([2, 3])
  })
})

describe("counts", () => {
  test("are kept by kind, each with what was decided", async () => {
    server.lists["/api/vehicle-counts/"] = [{ id: 4, status: "REJECTED" }]
    server.lists["/api/cash-counts/"] = [{ id: 4, status: "COUNTED" }]
    await pullCounts(database, api(), ME)
    expect(await database.counts.toArray()).toEqual([
      { id: 4, status: "COUNTED", kind: "cash_count" },
      { id: 4, status: "REJECTED", kind: "vehicle_count" },
    ])
  })

  test("are asked of nobody who doesn't count", async () => {
    server.lists["/api/vehicle-counts/"] = server.lists["/api/cash-counts/"] = [{ id: 4 }]
    await pullCounts(database, api(), { ...ME, capabilities: [] })
    expect(await database.counts.count()).toBe(0)
  })
})

describe("past sales", () => {
  const pullSales = async (...ids: string[]) => {
    server.lists["/api/transactions/"] = ids.map((client_temp_id, index) => ({ id: index + 1, client_temp_id }))
    server.lists["/api/invoices/"] = [{ id: 11, transaction: 1 }]
    await pullPastSales(database, api(), ME)
  }

  test("are the latest, each with its invoice", async () => {
    await pullSales("a", "b")
    expect(await database.past_sales.toArray()).toMatchObject([
      { id: 1, invoice: { id: 11 } },
      { id: 2, invoice: null },
    ])
  })

  test("stay for a receipt of this phone, however many came after it", async () => {
    const own = newId()
    await record(database, [{ ...saleOf(1), client_temp_id: own }])
    await pullSales("other", own)
    server.lists["/api/transactions/"] = [{ id: 3, client_temp_id: null }]
    await pullPastSales(database, api(), ME)
    expect(await database.past_sales.toCollection().primaryKeys()).toEqual([2, 3])
  })
})
