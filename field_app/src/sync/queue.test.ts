import "fake-indexeddb/auto"
import { beforeEach, describe, expect, test } from "vitest"
import { makeApi } from "../api/client"
import { LoggedOut, Unreachable } from "../api/session"
import type { Customer, Equipment, GstRate, PushResult } from "../api/types"
import { FieldDatabase } from "../store/database"
import { UNREADABLE } from "../store/numbers"
import { forgetOld, newId, receiptNumber, record } from "../store/queue"
import type { NewOperation } from "../store/rows"
import { type Fault, NOTHING_NEW, Server, saleOf } from "./fake_server"
import { pull } from "./pull"
import { askAgain, pushWaiting, Refused } from "./push"

const COUNT: NewOperation = { client_temp_id: "count", type: "cash_count", data: { cash: "1.00", remarks: "" } }

let database: FieldDatabase
let server: Server
let users = 0

beforeEach(() => {
  users += 1
  database = new FieldDatabase(users)
  server = new Server()
})

const api = () => makeApi("http://127.0.0.1", server.fetch)
const push = () => pushWaiting(database, api())
const states = async () => (await database.operations.orderBy("position").toArray()).map(({ state }) => state)

async function untilSent(): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      await push()
      return
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
    }
  }
  throw new Error("It never got through.")
}

describe("the queue", () => {
  test("sends in the order in which it happened, and keeps the official numbers", async () => {
    const operations = [saleOf(1), saleOf(2), saleOf(3)]
    for (const operation of operations) await record(database, [operation])
    await push()
    expect(server.books).toEqual(operations.map(({ client_temp_id }) => client_temp_id))
    const [first] = await database.operations.toArray()
    expect(first?.state).toBe("done")
    expect(first && receiptNumber(first)).toBe("INV-1")
  })

  test("calls a receipt provisional until it has been answered", async () => {
    await record(database, [{ ...saleOf(1), client_temp_id: "0b1f6a52-44a0" }])
    const [sale] = await database.operations.toArray()
    expect(sale && receiptNumber(sale)).toBe("PROVISIONAL-0B1F6A52")
  })

  test("outlives the browser", async () => {
    await record(database, [saleOf(1)])
    database.close()
    database = new FieldDatabase(users)
    await push()
    expect(server.books).toHaveLength(1)
  })

  test("is the user's own", async () => {
    await record(database, [saleOf(1)])
    users += 1
    expect(await new FieldDatabase(users).operations.count()).toBe(0)
  })

  test.each<Fault>(["lost request", "lost answer", "half an answer"])(
    "sends again after a %s, and nothing doubles",
    async (fault) => {
      await record(database, [saleOf(1), saleOf(2)])
      server.faults = [fault]
      await expect(push()).rejects.toBeInstanceOf(Unreachable)
      expect(await states()).toEqual(["queued", "queued"])
      await push()
      expect(await states()).toEqual(["done", "done"])
      expect(server.books).toHaveLength(2)
    },
  )

  test("gets everything through a bad network exactly once, in order", async () => {
    const faults: Fault[] = ["lost answer", "lost request", "half an answer", "lost answer"]
    const recorded: string[] = []
    for (let number = 0; number < 450; number += 1) {
      const operation = number % 150 === 149 ? { ...COUNT, client_temp_id: newId() } : saleOf(number)
      recorded.push(operation.client_temp_id)
      await record(database, [operation])
      if (number % 40 === 0) {
        server.faults = [...faults]
        await untilSent()
      }
    }
    server.faults = [...faults, "413", ...faults, "413"]
    await untilSent()
    expect(server.books).toEqual(recorded)
    expect(new Set(await states())).toEqual(new Set(["done"]))
  })

  test("sends fewer at once where the server finds it too much", async () => {
    await record(
      database,
      Array.from({ length: 10 }, (_, customer) => saleOf(customer)),
    )
    server.faults = ["413"]
    await push()
    expect(server.batches).toEqual([5, 5])
  })

  test("keeps with the sale what is billed otherwise than it was shown", async () => {
    const differs = {
      code: "total_differs" as const,
      shown: "250.70",
      billed: "25.07",
      detail: "The price had changed.",
    }
    server.discrepancies.set(1, [differs])
    await record(database, [saleOf(1), saleOf(2)])
    await push()
    const results = (await database.operations.toArray()).map(({ result }) => result?.discrepancies)
    expect(results).toEqual([[differs], []])
  })

  test("keeps everything where the server refuses the request as such", async () => {
    await record(database, [saleOf(1)])
    server.faults = ["400"]
    await expect(push()).rejects.toBeInstanceOf(Refused)
    server.faults = ["logged out"]
    await expect(push()).rejects.toBeInstanceOf(LoggedOut)
    expect(await states()).toEqual(["queued"])
  })

  test("names its protocol, and keeps everything where the server's is older", async () => {
    await record(database, [saleOf(1)])
    server.faults = ["409"]
    await expect(push()).rejects.toThrow("This app is newer than the server.")
    expect(await states()).toEqual(["queued"])
    await push()
    expect(server.pushes.map(({ protocol }) => protocol)).toEqual([2])
    expect(await states()).toEqual(["done"])
  })

  test("takes out what was refused, with the reason, and lets the rest pass", async () => {
    server.refuses.add(2)
    await record(database, [saleOf(1), saleOf(2), saleOf(3)])
    await push()
    expect(await states()).toEqual(["done", "rejected", "done"])
    expect((await database.operations.toArray())[1]?.errors[0]?.code).toBe("insufficient_stock")
  })

  test("forgets after a month what was settled, and nothing else", async () => {
    server.refuses.add(2)
    await record(database, [saleOf(1), saleOf(2)], new Date("2026-01-01"))
    await record(database, [saleOf(3)], new Date("2026-02-10"))
    await push()
    await record(database, [saleOf(4)], new Date("2026-01-01"))
    await forgetOld(database, Date.parse("2026-02-11"))
    expect(await states()).toEqual(["rejected", "done", "queued"])
  })

  test("counts the day after what was sold before it", async () => {
    await record(database, [saleOf(1)])
    await record(database, [COUNT])
    const after = saleOf(2)
    await record(database, [after])
    await push()
    expect(server.books[1]).toBe("count")
    expect(server.books[2]).toBe(after.client_temp_id)
    expect(await states()).toEqual(["done", "done", "done"])
  })
})

describe("what was refused", () => {
  beforeEach(async () => {
    server.refuses.add(1)
    await record(database, [saleOf(1)])
    await push()
  })

  test("stays refused until somebody decides", async () => {
    await askAgain(database, api())
    expect(await states()).toEqual(["rejected"])
  })

  test("gets its number when a supervisor lets it happen", async () => {
    const [sale] = await database.operations.toArray()
    const id = sale?.client_temp_id ?? ""
    server.results.set(id, {
      ...(server.results.get(id) as PushResult),
      status: "created",
      invoice_number: "INV-9",
      conflict: null,
    })
    await askAgain(database, api())
    expect(await states()).toEqual(["done"])
    expect((await database.operations.toArray())[0]?.result?.invoice_number).toBe("INV-9")
  })

  test("is dismissed with the supervisor's reason", async () => {
    server.decisions.set(7, "Entered twice")
    await askAgain(database, api())
    const [sale] = await database.operations.toArray()
    expect(sale?.state).toBe("dismissed")
    expect(sale?.errors).toEqual([{ code: "dismissed", detail: "Entered twice", attr: null }])
  })
})

describe("a pull", () => {
  const customer = {
    id: 1,
    customer_code: "A1",
    name: "Kim Leng 金龙汤",
    phone: "+65 6123 4567",
    address: "Blk 58 #01-998",
    postal_code: "461058",
    payment_type: "CASH",
    payment_terms_days: 0,
    meter_number: "",
    meter_rate: null,
    last_meter_reading: null,
    most_usage_per_day: null,
    metered_since: null,
    version: 1,
    rates: [],
    holdings: [] as never[],
  } as const

  test("keeps each page with its cursor, and goes on where it was cut off", async () => {
    server.page = {
      cursor: "epoch.5",
      has_more: true,
      customers: [{ ...customer, rates: [] }],
      stock: null,
      distributions: null,
    }
    const pages = server.fetch
    let asked: string[] = []
    const cut = makeApi("http://127.0.0.1", async (request) => {
      asked.push(new URL(request.url).searchParams.get("cursor") ?? "")
      if (asked.length === 2) throw new Unreachable("cut off")
      return pages(request)
    })
    await expect(pull(database, cut, "GBX1A")).rejects.toBeInstanceOf(Unreachable)
    expect(await database.note("cursor")).toBe("epoch.5")
    asked = ["again"]
    server.page = { cursor: "epoch.6", has_more: false }
    const again = makeApi("http://127.0.0.1", async (request) => {
      asked.push(new URL(request.url).searchParams.get("cursor") ?? "")
      return pages(request)
    })
    await pull(database, again, "GBX1A")
    expect(asked).toEqual(["again", "epoch.5"])
    expect(await database.customers.count()).toBe(1)
  })

  test("takes out what is gone, and begins anew after a restore", async () => {
    server.page = {
      customers: [
        { ...customer, rates: [] },
        { ...customer, id: 2, rates: [] },
      ],
    }
    await pull(database, api(), "GBX1A")
    server.page = { gone: { ...NOTHING_NEW.gone, customers: [2] } }
    await pull(database, api(), "GBX1A")
    expect(await database.customers.toCollection().primaryKeys()).toEqual([1])
    server.page = { cursor: "other.1", customers: [{ ...customer, id: 9, rates: [] }] }
    await pull(database, api(), "GBX1A")
    expect(await database.customers.toCollection().primaryKeys()).toEqual([9])
  })

  test("says which number it can't read, and keeps the rest", async () => {
    const equipment = { id: 3, sku: "A", name: "14 kg", equipment_type: "CYLINDER", version: 1 } as const
    server.page = {
      equipment: [{ ...equipment, default_rate: "NaN", deposit: "40.00" } as unknown as Equipment],
      gst_rates: [{ id: 1, rate: "Infinity", valid_from: "2024-01-01" } as unknown as GstRate],
      customers: [
        {
          ...customer,
          meter_rate: "x",
          last_meter_reading: "1250.00",
          rates: [{ equipment: 3, rate: "NaN", valid_from: "2024-01-01" }],
        } as unknown as Customer,
      ],
    }
    await pull(database, api(), "GBX1A")
    expect(await database.equipment.get(3)).toMatchObject({ default_rate: UNREADABLE, deposit: "40.00" })
    expect(await database.gst_rates.get(1)).toMatchObject({ rate: UNREADABLE })
    expect(await database.customers.get(1)).toMatchObject({
      meter_rate: UNREADABLE,
      last_meter_reading: "1250.00",
      rates: [{ rate: UNREADABLE }],
    })
  })

  test("finds customers by words of any script, their unit and their phone", async () => {
    server.page = { customers: [{ ...customer, rates: [] }] }
    await pull(database, api(), "GBX1A")
    for (const begin of ["kim", "金龙", "998", "461058", "6123", "a1"]) {
      expect(await database.customers.where("words").startsWith(begin).count()).toBeGreaterThan(0)
    }
  })
})
