/** How far this phone's clock is from the server's. */

const TOLERATED_MS = 2 * 60_000
const STEADY_MS = 2000
const SHORT_MS = 2000

type Comparison = { offsetMs: number; beganAt: number }

const listeners = new Set<() => void>()
let last: Comparison | null = null
let minutesAhead = 0

/** The Date header of any answer: whole seconds, enough to see that a clock is minutes off. */
export function noteDate(header: string | null): void {
  const ahead = Date.now() - Date.parse(header ?? "")
  if (Number.isNaN(ahead)) return
  const minutes = Math.abs(ahead) > TOLERATED_MS ? Math.round(ahead / 60_000) : 0
  if (minutes === minutesAhead) return
  minutesAhead = minutes
  for (const listener of listeners) listener()
}

/** What an answer says of the server's time was so at some moment since `askedAt`; one that took long says too little. */
export function noteServerTime(told: string, askedAt: number): void {
  const now = Date.now()
  const server = Date.parse(told)
  if (Number.isNaN(server) || now < askedAt || now - askedAt > SHORT_MS) return
  last = { offsetMs: server - (askedAt + now) / 2, beganAt: beganAt() }
}

/**
 * Seconds to add to this phone's clock to get the server's; null: not known, since the app was started or since the
 * clock was set. The server then goes by when the operation was sent and when it came.
 */
export function clockOffsetSeconds(): number | null {
  if (last === null || Math.abs(beganAt() - last.beganAt) > STEADY_MS) return null
  return Math.round(last.offsetMs / 1000) + 0 // no −0
}

/** By this clock, when the app was started: that moves only where the clock is set, or stood still in its sleep. */
function beganAt(): number {
  return Date.now() - performance.now()
}

/** Whole minutes; 0 while it is right enough. */
export function clockMinutesAhead(): number {
  return minutesAhead
}

export function onClockChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
