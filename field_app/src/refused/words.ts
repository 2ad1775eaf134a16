/** How the app says what was refused, and what to do about it. */
import type { Operation } from "../store/rows"

export function whatItIs(operation: Operation): string {
  switch (operation.type) {
    case "transaction.create":
      return `Sale to ${operation.shown.customer.name}`
    case "distribution.create":
      return "Load or return"
    case "distribution.confirm":
      return "Confirmation of a load or return"
    case "vehicle.taken":
      return `Taking vehicle ${operation.data.vehicle}`
    case "vehicle_count":
      return `Count of vehicle ${operation.data.vehicle}`
    case "cash_count":
      return "Count of the cash bag"
    case "withdrawn":
      return "What you had taken back"
  }
}

/** What a driver can do about a refusal, by its code. */
export function whatToDo(code: string): string {
  return (
    {
      insufficient_stock:
        "The books had fewer than that on your vehicle. Tell your supervisor what you carried: once your load is in the books, it can happen.",
      rate_mismatch: "The price had been changed. Your supervisor decides whether the price that you showed holds.",
      meter_reading_decreased: "Look at the meter again, and tell your supervisor what it reads.",
      usage_unlikely: "So much gas is unusual there. Look at the meter again, and tell your supervisor what it reads.",
      reading_before_last: "A later reading was recorded before this one. Tell your supervisor what the meter reads.",
      meter_moved_on: "The meter was replaced in the meantime. Tell your supervisor when you read it.",
      no_meter: "The office knows of no meter there. Tell your supervisor its number.",
      customer_inactive: "The office doesn't serve this customer any more. Your supervisor decides.",
      equipment_inactive: "The office doesn't sell this item any more. Your supervisor decides.",
      occurred_at_out_of_range: "It was sent too late, or the phone's clock is wrong. Your supervisor decides.",
      dependency_rejected: "It belongs to something that was refused: see that one first.",
      already_confirmed: "It had been confirmed already: there is nothing to do.",
      distribution_cancelled: "It had been cancelled. Load again, and confirm that.",
      dismissed: "Your supervisor decided that it doesn't count.",
    }[code] ?? "Tell your supervisor: they see it in the office, and decide."
  )
}
