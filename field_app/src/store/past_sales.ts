/** Sales that the server knows, for the history: also those of another phone, and what became of this one's since. */
import type { Invoice, Transaction } from "../api/types"

export type PastSale = {
  id: number
  client_temp_id: string | null
  transaction: Transaction
  invoice: Invoice | null
}
