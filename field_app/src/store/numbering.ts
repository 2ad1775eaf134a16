import type { State } from "./rows"

/** From 1 on, what the server may still be sent, in its order; the rest has none. The last number. */
export function numberAnew(operations: { state: State; number: number }[]): number {
  let last = 0
  for (const operation of operations) {
    const isOpen = operation.state === "queued" || operation.state === "rejected"
    operation.number = isOpen ? ++last : 0
  }
  return last
}
