/** How far this phone's clock is from the server's: a sale with a time that can't be is refused. */

const TOLERATED_MS = 2 * 60_000
const listeners = new Set<() => void>()
let minutesAhead = 0

/** Answers tell the server's time, to the second. */
export function noteServerTime(response: Response): void {
  const told = Date.parse(response.headers.get("Date") ?? "")
  if (Number.isNaN(told)) return
  const ahead = Date.now() - told
  const minutes = Math.abs(ahead) > TOLERATED_MS ? Math.round(ahead / 60_000) : 0
  if (minutes === minutesAhead) return
  minutesAhead = minutes
  for (const listener of listeners) listener()
}

/** Whole minutes; 0 while it is right enough. */
export function clockMinutesAhead(): number {
  return minutesAhead
}

export function onClockChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
