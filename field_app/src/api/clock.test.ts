import { beforeEach, expect, test, vi } from "vitest"

const NOON = Date.parse("2026-01-20T12:00:00+08:00")
let clock: typeof import("./clock")

beforeEach(async () => {
  vi.resetModules()
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout"], now: NOON })
  clock = await import("./clock")
  return () => vi.useRealTimers()
})

test("nothing is known before the first answer", () => {
  expect(clock.clockOffsetSeconds()).toBeNull()
  clock.noteServerTime(null)
  clock.noteServerTime("some day")
  expect(clock.clockOffsetSeconds()).toBeNull()
})

test("the offset is what this phone's clock lacks", () => {
  clock.noteServerTime("Tue, 20 Jan 2026 04:11:00 GMT")
  expect(clock.clockOffsetSeconds()).toBe(660)
  expect(clock.clockMinutesAhead()).toBe(-11)
  clock.noteServerTime("2026-01-20T11:59:48+08:00")
  expect(clock.clockOffsetSeconds()).toBe(-12)
  expect(clock.clockMinutesAhead()).toBe(0)
})

test("hours pass, and it still holds", () => {
  clock.noteServerTime("2026-01-20T11:59:48+08:00")
  vi.advanceTimersByTime(5 * 60 * 60 * 1000)
  expect(clock.clockOffsetSeconds()).toBe(-12)
})

test("it is forgotten when somebody sets the clock, until the next answer", () => {
  clock.noteServerTime("2026-01-20T11:49:00+08:00")
  vi.setSystemTime(NOON - 11 * 60_000)
  expect(clock.clockOffsetSeconds()).toBeNull()
  clock.noteServerTime("2026-01-20T11:49:00+08:00")
  expect(clock.clockOffsetSeconds()).toBe(0)
})
