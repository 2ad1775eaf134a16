/** Keeps the user's latest counts, and what the office decided about them. */
import type { Api } from "../api/client"
import type { Me } from "../api/types"
import type { FieldDatabase } from "../store/database"

const KEPT = 20

/** Throws Unreachable, LoggedOut. */
export async function pullCounts(database: FieldDatabase, api: Api, me: Me): Promise<void> {
  if (!me.capabilities.includes("settle_day")) return
  const newest = { params: { query: { user: me.id, page_size: KEPT } } }
  const [vehicles, cash] = await Promise.all([
    api.GET("/api/vehicle-counts/", newest),
    api.GET("/api/cash-counts/", newest),
  ])
  if (!vehicles.data || !cash.data) return
  const rows = [
    ...vehicles.data.results.map((count) => ({ ...count, kind: "vehicle_count" as const })),
    ...cash.data.results.map((count) => ({ ...count, kind: "cash_count" as const })),
  ]
  await database.transaction("rw", database.counts, async () => {
    await database.counts.clear()
    await database.counts.bulkPut(rows)
  })
}
