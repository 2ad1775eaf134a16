/** Keeps the vehicles that are in use, to pick one from without a network. */
import type { Api } from "../api/client"
import type { Vehicle } from "../api/types"
import type { FieldDatabase } from "../store/database"

const PAGE_SIZE = 200

/** Throws Unreachable, LoggedOut. */
export async function pullVehicles(database: FieldDatabase, api: Api): Promise<void> {
  const vehicles: Vehicle[] = []
  for (let page = 1; ; page += 1) {
    const { data } = await api.GET("/api/vehicles/", {
      params: { query: { is_active: true, ordering: "id", page, page_size: PAGE_SIZE } },
    })
    if (!data) return
    vehicles.push(...data.results)
    if (!data.next) break
  }
  await database.transaction("rw", database.vehicles, async () => {
    await database.vehicles.clear()
    await database.vehicles.bulkPut(vehicles)
  })
}
