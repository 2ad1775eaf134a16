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
  SHELL: "Shell",
  SETOFF: "Deposit set off",
}

/** What is done at the door; shells are charged by the office. */
export const DONE_HERE = ["SWAP", "SALE", "RETURN", "DEPOSIT", "REFILL", "SERVICE"] as const
