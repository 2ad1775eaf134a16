/** A count that is being entered, kept in the store: a phone that kills the page takes nothing of it along. */
import type { FieldDatabase } from "../store/database"

/** `pieces`: by the key of a stock, see `stockKey`. */
export type CountDraft = { pieces: ReadonlyMap<string, number>; cash: string; remarks: string }
type Kept = CountDraft & { vehicle: string; at: number }

const NAME = "count draft"
/** What was begun yesterday says nothing of today. */
const KEPT_FOR_MS = 12 * 60 * 60 * 1000

export async function keepDraft(
  database: FieldDatabase,
  vehicle: string,
  draft: CountDraft,
  at = Date.now(),
): Promise<void> {
  await database.notes.put({ name: NAME, value: { ...draft, vehicle, at } satisfies Kept })
}

/** What was entered so far; of another vehicle than this one nothing but the cash. */
export async function keptDraft(database: FieldDatabase, vehicle: string, now = Date.now()): Promise<CountDraft> {
  const kept = await database.note<Kept>(NAME)
  if (!kept || now - kept.at > KEPT_FOR_MS) return { pieces: new Map(), cash: "", remarks: "" }
  const { pieces, cash, remarks } = kept
  return kept.vehicle === vehicle ? { pieces, cash, remarks } : { pieces: new Map(), cash, remarks: "" }
}

/** It was handed in. */
export async function forgetDraft(database: FieldDatabase): Promise<void> {
  await database.notes.delete(NAME)
}
