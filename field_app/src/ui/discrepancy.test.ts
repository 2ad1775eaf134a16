import { expect, test } from "vitest"
import { inWords } from "./discrepancy"

const of = (code: string, shown = "", billed = "") => ({
  ...{ code, shown, billed, detail: "The server's own words." },
})

test.each([
  [of("total_differs", "250.70", "25.07"), true, "You took $250.70, billed are $25.07. Please tell the customer."],
  [of("total_differs", "250.70", "25.07"), false, "You showed $250.70, billed are $25.07. Please tell the customer."],
  [of("rate_differs", "30.00", "28.50"), true, "The server's own words."],
  [of("reading_differs", "1250.00", "1260.00"), true, "You knew 1250.00 as the last reading, the books have 1260.00."],
  [of("vehicle_not_assigned", "GBX1A"), true, "The office doesn't have you on vehicle GBX1A. It looks at that."],
  [of("after_count"), true, "It came after a count of the vehicle or the cash. The office looks at that."],
  [of("number_reused"), true, "Something else came from this phone under the same number. The office looks at that."],
  [
    of("own_correction"),
    true,
    "You took back, or paid out, what you had recorded yourself. Somebody else looks at that.",
  ],
  [of("something_new", "1", "2"), true, "The server's own words."],
  [of("total_differs", "", "25.07"), true, "The server's own words."],
])("%o, paid %s", (discrepancy, paid, said) => {
  expect(inWords(discrepancy, paid)).toBe(said)
})
