/** What differs between what was shown or said here and what the books have, in words. */
import type { Discrepancy } from "../api/types"
import { shown } from "./money"

/** `paid`: the money was taken on the spot. */
export function inWords({ code, shown: here, billed, detail }: Discrepancy, paid: boolean): string {
  switch (code) {
    case "total_differs":
      return here && billed
        ? `You ${paid ? "took" : "showed"} ${shown(here)}, billed are ${shown(billed)}. Please tell the customer.`
        : detail
    case "reading_differs":
      return here && billed ? `You knew ${here} as the last reading, the books have ${billed}.` : detail
    case "vehicle_not_assigned":
      return here ? `The office doesn't have you on vehicle ${here}. It looks at that.` : detail
    case "vehicle_of_another_depot":
      return here ? `Vehicle ${here} belongs to another depot. Both offices look at that.` : detail
    case "after_count":
      return "It came after a count of the vehicle or the cash. The office looks at that."
    case "number_reused":
      return "Something else came from this phone under the same number. The office looks at that."
    case "own_correction":
      return "You took back, or paid out, what you had recorded yourself. Somebody else looks at that."
    // The server's words name the item whose rate differs, and say whether cash was taken or paid out.
    default:
      return detail
  }
}
