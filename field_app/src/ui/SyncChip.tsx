import { inState } from "../store/queue"
import { useField, useStored, useSyncStatus } from "./field"

/** What waits, and whether it is on its way; a tap tries at once. */
export function SyncChip() {
  const { synchroniser } = useField()
  const status = useSyncStatus()
  const waiting = useStored((database) => inState(database, "queued").count()) ?? 0
  const count = waiting ? `${waiting} waiting` : ""
  const says = {
    idle: count || "All sent",
    working: count ? `Sending ${waiting} …` : "Updating …",
    unreachable: ["Offline", count].filter(Boolean).join(" · "),
    logged_out: ["Logged out", count].filter(Boolean).join(" · "),
    failed: ["Not sent", count].filter(Boolean).join(" · "),
  }[status.kind]
  return (
    <button
      type="button"
      className={`chip ${waiting ? "waiting" : ""} ${status.kind}`}
      onClick={() => void synchroniser.now()}
      aria-label={`${says}. Send and update now`}
    >
      <output>{says}</output>
    </button>
  )
}
