const SINGAPORE = "Asia/Singapore"
// Sweden writes dates as ISO 8601 does.
const isoDate = new Intl.DateTimeFormat("sv-SE", { timeZone: SINGAPORE, dateStyle: "short" })
const time = new Intl.DateTimeFormat("en-SG", {
  timeZone: SINGAPORE,
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
})
const dayAndMonth = new Intl.DateTimeFormat("en-SG", {
  timeZone: SINGAPORE,
  weekday: "short",
  day: "numeric",
  month: "short",
})

/** Singapore's date of a moment, whatever the phone's time zone: `2026-01-20`. */
export function businessDate(moment: string | Date): string {
  return isoDate.format(new Date(moment))
}

/** `09:12` in Singapore. */
export function timeOfDay(moment: string): string {
  return time.format(new Date(moment))
}

/** `Tue, 20 Jan` in Singapore. */
export function dayShown(moment: string): string {
  return dayAndMonth.format(new Date(moment))
}
