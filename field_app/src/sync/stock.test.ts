import "fake-indexeddb/auto"
import { beforeEach, describe, expect, test } from "vitest"
import { makeApi } from "../api/client"
import { FieldDatabase } from "../store/database"
import { newId, record, withdraw } from "../store/queue"
import type { NewOperation } from "../store/rows"
import { stockKey, stockNow, vehicleHere } from "../store/stock"
import { Server, saleOf } from "./fake_server"
import { pull } from "./pull"
import { pushWaiting } from "./push"

let database: FieldDatabase
let server: Server
let users = 3000

beforeEach(() => {
  users += 1
  database = new FieldDatabase(users)
  server = new Server()
})

const api = () => makeApi("http://127.0.0.1", server.fetch)
const push = () => pushWaiting(database, api())

describe("the vehicle's stock", () => {
  const swap = saleOf(1, { customer: 1, items: [{ equipment: 3, type: "SWAP", quantity: 2 }] })

  async function now(): Promise<[number | undefined, number | undefined]> {
    const stock = stockNow(await database.stock.toArray(), await database.operations.toArray(), [], "GBX1A")
    return [stock.get(stockKey(3, "FULL")), stock.get(stockKey(3, "EMPTY"))]
  }

  test("knows of what was done here and isn't pulled yet, and counts nothing twice", async () => {
    server.page = { stock: [{ equipment: 3, condition: "FULL", quantity: 10 }] }
    await pull(database, api(), "GBX1A")
    await record(database, [swap])
    expect(await now()).toEqual([8, 2])
    await push()
    expect(await now()).toEqual([8, 2])
    server.page = {
      stock: [
        { equipment: 3, condition: "FULL", quantity: 8 },
        { equipment: 3, condition: "EMPTY", quantity: 2 },
      ],
    }
    await pull(database, api(), "GBX1A")
    expect(await now()).toEqual([8, 2])
  })

  test("grows by a load when it is confirmed, not before", async () => {
    const load = newId()
    await record(database, [
      {
        client_temp_id: load,
        type: "distribution.create",
        data: { depot: 1, items: [{ equipment: 3, direction: "OUT", condition: "FULL", quantity: 5 }] },
      },
    ])
    expect(await now()).toEqual([undefined, undefined])
    await record(database, [{ client_temp_id: newId(), type: "distribution.confirm", data: { distribution: load } }])
    expect(await now()).toEqual([5, undefined])
  })

  test("takes back what was refused", async () => {
    server.refuses.add(1)
    await record(database, [swap])
    await push()
    expect(await now()).toEqual([undefined, undefined])
  })

  test("doesn't know of what was withdrawn", async () => {
    await record(database, [swap])
    await withdraw(database, swap.client_temp_id)
    expect(await now()).toEqual([undefined, undefined])
  })
})

describe("the vehicle that is sold from", () => {
  const take = (vehicle: string): NewOperation => ({
    ...{ client_temp_id: newId(), type: "vehicle.taken", data: { vehicle } },
  })
  const swapFrom = (vehicle: string) =>
    saleOf(1, { customer: 1, vehicle, items: [{ equipment: 3, type: "SWAP", quantity: 2 }] })
  const full = async () => {
    const { vehicle, isPulled, stock } = await vehicleHere(database, "GBX1A")
    return [vehicle, isPulled, stock.get(stockKey(3, "FULL"))]
  }
  const pulled = async (vehicle: string, quantity: number) => {
    server.page = { stock: [{ equipment: 3, condition: "FULL", quantity }] }
    await pull(database, api(), vehicle)
  }

  test("is the one that the server says, until another one is taken", async () => {
    await pulled("GBX1A", 10)
    expect(await full()).toEqual(["GBX1A", true, 10])
    await record(database, [swapFrom("GBX1A")])
    await record(database, [take("GBX2B")])
    expect(await full()).toEqual(["GBX2B", false, undefined])
    await record(database, [swapFrom("GBX2B")])
    expect(await full()).toEqual(["GBX2B", false, -2])
  })

  test("has its own stock as soon as the server knows", async () => {
    await pulled("GBX1A", 10)
    await record(database, [take("GBX2B")])
    await push()
    expect(await full()).toEqual(["GBX2B", false, undefined])
    await pulled("GBX2B", 4)
    expect(await full()).toEqual(["GBX2B", true, 4])
  })

  test("is the server's again where it was refused, or the office gave another one since", async () => {
    await pulled("GBX1A", 10)
    await record(database, [take("GBX2B")])
    await push()
    await pulled("GBX3C", 7)
    expect(await full()).toEqual(["GBX3C", true, 7])
    await record(database, [take("GBX2B")])
    await database.operations.filter(({ state }) => state === "queued").modify({ state: "rejected" })
    expect(await full()).toEqual(["GBX3C", true, 7])
  })

  test("is taken back as it was when one goes back to it", async () => {
    await pulled("GBX1A", 10)
    await record(database, [take("GBX2B"), swapFrom("GBX2B"), take("GBX1A")])
    expect(await full()).toEqual(["GBX1A", true, 10])
  })
})
