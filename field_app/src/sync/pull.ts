/** Fetches what changed; a page is kept together with its cursor, or not at all. See docs/offline-protocol.md, "Pull". */
import type { Api } from "../api/client"
import type { Customer, Pulled } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { thisDevice } from "../store/device"
import { readable } from "../store/numbers"
import { inState } from "../store/queue"
import type { StoredCustomer } from "../store/rows"
import { wordsOf } from "../store/words"
import { hear } from "./heard"
import { Refused } from "./push"

const PAGE_SIZE = 2000
const KINDS = ["depots", "equipment", "gst_rates", "customers"] as const

/** `vehicle`: the user's, as the server just said, whose stock comes. Throws Unreachable, LoggedOut, Refused. */
export async function pull(database: FieldDatabase, api: Api, vehicle: string): Promise<void> {
  for (;;) {
    const cursor = await database.note<string>("cursor")
    const device = await thisDevice(database)
    const { data: page, response } = await api.GET("/api/sync/pull/", {
      params: {
        query: {
          page_size: PAGE_SIZE,
          device: device.id,
          last_number: device.last_number,
          ...(cursor ? { cursor } : {}),
        },
      },
    })
    if (!page) throw new Refused(`The server refuses the pull (${response.status}). Please tell the office.`)
    await keepPage(database, page, cursor, vehicle)
    if (!page.has_more) return
  }
}

async function keepPage(
  database: FieldDatabase,
  page: Pulled,
  cursor: string | undefined,
  vehicle: string,
): Promise<void> {
  const rows = {
    depots: page.depots,
    equipment: page.equipment.map((item) => readable(item, ["default_rate", "deposit"])),
    gst_rates: page.gst_rates.map((row) => readable(row, ["rate"])),
    customers: page.customers.map(withWords),
  }
  await database.transaction("rw", database.tables, async () => {
    // The server began anew (it was restored from a backup): everything comes again.
    if (cursor !== undefined && cursor.split(".")[0] !== page.cursor.split(".")[0]) {
      await Promise.all(KINDS.map((kind) => database.table(kind).clear()))
    }
    for (const kind of KINDS) {
      await database.table(kind).bulkPut(rows[kind])
      await database.table(kind).bulkDelete(page.gone[kind])
    }
    if (page.stock && page.distributions) {
      await database.stock.clear()
      await database.stock.bulkPut(page.stock)
      await database.distributions.clear()
      await database.distributions.bulkPut(page.distributions)
      // Nothing is pushed while a pull is under way: these balances know of all that was answered.
      await inState(database, "done").modify({ pulled: 1 })
      await database.notes.put({ name: "stock_of", value: vehicle })
      await database.notes.put({ name: "synced_at", value: new Date().toISOString() })
    }
    if (page.unlikely) await database.notes.put({ name: "unlikely", value: page.unlikely })
    if (page.cash_rounding) await database.notes.put({ name: "cash_rounding", value: page.cash_rounding })
    await database.notes.put({ name: "cursor", value: page.cursor })
    await hear(database, page)
  })
}

function withWords(customer: Customer): StoredCustomer {
  const { name, customer_code, address, postal_code, phone } = customer
  const digits = phone.replace(/\D/g, "")
  return {
    ...readable(customer, ["meter_rate", "last_meter_reading", "most_usage_per_day"]),
    rates: customer.rates.map((rate) => readable(rate, ["rate"])),
    holdings: customer.holdings.map((each) => ({
      ...each,
      lots: each.lots.map((lot) => readable(lot, ["amount", "open_amount"])),
    })),
    words: wordsOf(`${name} ${customer_code} ${address} ${postal_code} ${digits} ${digits.slice(-8)}`),
  }
}
