/** How the app says what the API abbreviates. */
import type { Condition, ItemType } from "../api/types"

export const CONDITIONS: Record<Condition, string> = { FULL: "full", EMPTY: "empty", DAMAGED: "damaged" }

export const ITEM_TYPES: Record<ItemType, string> = {
  SWAP: "Swap",
  SALE: "Sale",
  RETURN: "Return",
  DEPOSIT: "Deposit",
  REFILL: "Refill",
  SERVICE: "Service",
}
