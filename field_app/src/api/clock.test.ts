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
  clock.noteDate(null)
  clock.noteServerTime("some day", NOON)
  expect(clock.clockOffsetSeconds()).toBeNull()
  expect(clock.clockMinutesAhead()).toBe(0)
})

test("the offset is what this phone's clock lacks", () => {
  clock.noteServerTime("2026-01-20T12:11:00+08:00", NOON)
  expect(clock.clockOffsetSeconds()).toBe(660)
  clock.noteServerTime("2026-01-20T11:59:48+08:00", NOON)
  expect(clock.clockOffsetSeconds()).toBe(-12)
})

test("the answer's way is halved, and one that took long tells nothing", () => {
  vi.advanceTimersByTime(1600)
  clock.noteServerTime("2026-01-20T12:00:00.800+08:00", NOON)
  expect(clock.clockOffsetSeconds()).toBe(0)
  vi.advanceTimersByTime(60_000)
  clock.noteServerTime("2026-01-20T12:00:02+08:00", NOON + 1600)
  expect(clock.clockOffsetSeconds()).toBe(0)
})

test("the Date of an answer tells that a clock is minutes off", () => {
  clock.noteDate("Tue, 20 Jan 2026 04:11:00 GMT")
  expect(clock.clockMinutesAhead()).toBe(-11)
  clock.noteDate("Tue, 20 Jan 2026 04:01:00 GMT")
  expect(clock.clockMinutesAhead()).toBe(0)
  expect(clock.clockOffsetSeconds()).toBeNull()
})

test("hours pass, and it still holds", () => {
  clock.noteServerTime("2026-01-20T11:59:48+08:00", NOON)
  vi.advanceTimersByTime(5 * 60 * 60 * 1000)
  expect(clock.clockOffsetSeconds()).toBe(-12)
})

test("it is forgotten when somebody sets the clock, until the next answer", () => {
  clock.noteServerTime("2026-01-20T11:49:00+08:00", NOON)
  vi.setSystemTime(NOON - 11 * 60_000)
  expect(clock.clockOffsetSeconds()).toBeNull()
  clock.noteServerTime("2026-01-20T11:49:00+08:00", NOON - 11 * 60_000)
  expect(clock.clockOffsetSeconds()).toBe(0)
})
