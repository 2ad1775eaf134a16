import "fake-indexeddb/auto"
import { beforeEach, describe, expect, test, vi } from "vitest"
import { makeApi } from "../api/client"
import { Unreachable } from "../api/session"
import { FieldDatabase } from "../store/database"
import { thisDevice } from "../store/device"
import { missed, newId, record, withdraw } from "../store/queue"
import { type Fault, Server, saleOf } from "./fake_server"
import { pull } from "./pull"
import { askAgain, pushWaiting, sendMissing } from "./push"

let database: FieldDatabase
let server: Server
let users = 5000

beforeEach(() => {
  users += 1
  database = new FieldDatabase(users)
  server = new Server()
  return () => vi.useRealTimers()
})

const api = () => makeApi("http://127.0.0.1", server.fetch)
const push = () => pushWaiting(database, api())
const numbers = async () => (await database.operations.orderBy("position").toArray()).map(({ number }) => number)
const sent = () => server.pushes.flatMap(({ operations }) => operations)

async function broken(fault: Fault): Promise<void> {
  server.faults = [fault]
  await expect(push()).rejects.toBeInstanceOf(Unreachable)
}

describe("the running number", () => {
  test("counts up from 1, and none is left out or taken twice, whichever tab records", async () => {
    const other = new FieldDatabase(users)
    await Promise.all(
      Array.from({ length: 20 }, (_, customer) => record(customer % 2 ? database : other, [saleOf(1), saleOf(2)])),
    )
    expect(await numbers()).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    expect((await thisDevice(database)).last_number).toBe(40)
  })

  test("isn't taken where nothing was recorded", async () => {
    const twice = saleOf(1)
    await record(database, [twice])
    await expect(record(database, [saleOf(2), twice])).rejects.toThrow()
    await record(database, [saleOf(3)])
    expect(await numbers()).toEqual([1, 2])
  })

  test("is each user's own", async () => {
    await record(database, [saleOf(1)])
    const other = new FieldDatabase(users + 2500)
    await record(other, [saleOf(1)])
    expect((await thisDevice(other)).last_number).toBe(1)
    expect((await thisDevice(other)).id).not.toBe((await thisDevice(database)).id)
  })
})

describe("a push and a pull", () => {
  test("say which device speaks, and the last number that it took", async () => {
    await record(database, [saleOf(1), saleOf(2)])
    const device = await thisDevice(database)
    expect(device).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), last_number: 2 })
    await push()
    expect(server.pushes[0]?.device).toEqual(device)
    expect(sent().map(({ number }) => number)).toEqual([1, 2])
    await pull(database, api(), "")
    expect(server.asked[0]?.get("device")).toBe(device.id)
    expect(server.asked[0]?.get("last_number")).toBe("2")
  })

  test("tell the time that it is now; what happened keeps the time that it happened", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-01-20T09:12:00+08:00") })
    await record(database, [saleOf(1)])
    vi.setSystemTime(Date.parse("2026-01-20T11:00:00+08:00"))
    await broken("lost answer")
    vi.setSystemTime(Date.parse("2026-01-20T08:00:00+08:00")) // somebody set the clock back
    await push()
    expect(server.pushes.map(({ sent_at }) => sent_at)).toEqual([
      "2026-01-20T03:00:00.000Z",
      "2026-01-20T00:00:00.000Z",
    ])
    expect(sent().map(({ occurred_at }) => occurred_at)).toEqual(Array(2).fill("2026-01-20T01:12:00.000Z"))
  })

  test("keep how far the clock was off when it happened", async () => {
    vi.useFakeTimers({ toFake: ["Date", "performance"], now: Date.parse("2026-01-20T10:00:12+08:00") })
    server.time = "2026-01-20T10:00:00+08:00"
    await pull(database, api(), "")
    await record(database, [saleOf(1)])
    server.time = "2026-01-20T10:05:00+08:00"
    await pull(database, api(), "")
    await push()
    expect(sent().map(({ clock_offset_s }) => clock_offset_s)).toEqual([-12])
  })
})

describe("a lost store", () => {
  test("comes back as another device", async () => {
    const before = await thisDevice(database)
    await database.delete()
    database = new FieldDatabase(users)
    const after = await thisDevice(database)
    expect(after.id).not.toBe(before.id)
    expect(after.last_number).toBe(0)
  })
})

describe("what was taken back before it was sent", () => {
  test("is sent as withdrawn, under its number", async () => {
    const [first, second] = [saleOf(1), saleOf(2)]
    await record(database, [first, second])
    expect(await withdraw(database, first.client_temp_id)).toBe(true)
    await push()
    expect(sent()).toMatchObject([
      { type: "withdrawn", client_temp_id: first.client_temp_id, number: 1, data: {} },
      { type: "transaction.create", client_temp_id: second.client_temp_id, number: 2 },
    ])
  })

  test("is too late once sending has begun, whatever became of that", async () => {
    const sale = saleOf(1)
    await record(database, [sale])
    await broken("lost request")
    expect(await withdraw(database, sale.client_temp_id)).toBe(false)
    await push()
    expect(sent()).toMatchObject([{ type: "transaction.create" }])
  })
})

describe("numbers that the server misses", () => {
  beforeEach(async () => {
    await record(database, [saleOf(1), saleOf(2), saleOf(3)])
    await push()
    const { id } = await thisDevice(database)
    server.numbers.get(id)?.delete(2)
    server.pushes.length = 0
    await pull(database, api(), "")
  })

  test("are sent again, and then it misses nothing", async () => {
    expect(await database.note("missing")).toEqual([2])
    await sendMissing(database, api())
    expect(sent()).toMatchObject([{ number: 2, data: { customer: 2 } }])
    expect(await database.note("missing")).toEqual([])
    await sendMissing(database, api())
    expect(server.pushes).toHaveLength(1)
  })

  test("aren't those that still wait", async () => {
    await record(database, [saleOf(4)])
    await pull(database, api(), "")
    expect(await database.note("missing")).toEqual([2, 4])
    expect(await missed(database)).toEqual([2])
  })

  test("stay missing where they aren't here any more", async () => {
    await database.operations.where("position").equals(2).delete()
    await sendMissing(database, api())
    expect(server.pushes).toEqual([])
    expect(await missed(database)).toEqual([2])
  })
})

describe("a store that was copied or restored", () => {
  test("becomes another device when the server knows more of its numbers than it does", async () => {
    await record(database, [saleOf(1), saleOf(2)])
    const { id } = await thisDevice(database)
    server.numbers.set(id, new Set([1, 2, 3, 4]))
    await pull(database, api(), "")
    const device = await thisDevice(database)
    expect(device.id).not.toBe(id)
    expect(device.last_number).toBe(2)
    await push()
    expect(server.pushes.map((pushed) => pushed.device.id)).toEqual([device.id])
    expect(sent().map(({ number }) => number)).toEqual([1, 2])
  })

  test("becomes another device, once, when one of its numbers came with something else", async () => {
    const { id } = await thisDevice(database)
    server.refuses.add(2)
    server.reusedNumbers.add(2)
    await record(database, [saleOf(1), saleOf(2)])
    await push()
    const device = await thisDevice(database)
    expect(device.id).not.toBe(id)
    // What was settled keeps no number of the old device; what may be sent again has one of the new.
    expect(await numbers()).toEqual([0, 1])
    await askAgain(database, api())
    expect((await thisDevice(database)).id).toBe(device.id)
    await record(database, [saleOf(3)])
    expect(await numbers()).toEqual([0, 1, 2])
  })
})

test("an id is the operation's own for ever, whatever number it gets", async () => {
  const name = newId()
  await record(database, [{ ...saleOf(1), client_temp_id: name }])
  server.reusedNumbers.add(1)
  await broken("lost answer")
  await push()
  expect(sent().map(({ client_temp_id }) => client_temp_id)).toEqual([name, name])
  expect(server.books).toEqual([name])
})
