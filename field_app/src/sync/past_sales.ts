/** Keeps the latest of the user's sales, as the server knows them, for the history without a network. */
import type { Api } from "../api/client"
import type { Me } from "../api/types"
import type { FieldDatabase } from "../store/database"

const KEPT = 100

/** Throws Unreachable, LoggedOut. */
export async function pullPastSales(database: FieldDatabase, api: Api, me: Me): Promise<void> {
  if (!me.capabilities.includes("view_sales")) return
  const newest = { query: { user: me.id, page_size: KEPT } }
  const [sales, invoices] = await Promise.all([
    api.GET("/api/transactions/", { params: newest }),
    api.GET("/api/invoices/", { params: newest }),
  ])
  if (!sales.data || !invoices.data) return
  const invoiceOf = new Map(invoices.data.results.map((invoice) => [invoice.transaction, invoice]))
  const rows = sales.data.results.map((transaction) => ({
    id: transaction.id,
    client_temp_id: transaction.client_temp_id ?? null,
    transaction,
    invoice: invoiceOf.get(transaction.id) ?? null,
  }))
  await database.transaction("rw", database.past_sales, database.operations, async () => {
    // The receipt of a sale of this phone shows its invoice's figures, also after a hundred others.
    const here = new Set<string | null>((await database.operations.orderBy("client_temp_id").keys()) as string[])
    await database.past_sales.filter((sale) => !here.has(sale.client_temp_id)).delete()
    await database.past_sales.bulkPut(rows)
  })
}
