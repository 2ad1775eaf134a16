import { useState } from "react"
import { Link } from "react-router"
import type { FieldDatabase } from "../store/database"
import { inState } from "../store/queue"
import type { Operation } from "../store/rows"
import { dayShown, timeOfDay } from "../ui/day"
import { useField, useStored, useSyncStatus } from "../ui/field"
import { whatItIs, whatToDo } from "./words"

export function RefusedScreen() {
  const { synchroniser } = useField()
  const status = useSyncStatus()
  const operations = useStored(lookUp)
  if (!operations) return null
  return (
    <>
      <h1>What was refused</h1>
      {operations.length === 0 ? (
        <p className="quiet">Nothing.</p>
      ) : (
        <>
          <p>
            Nothing of this is lost: the office has it too, and decides. Don't record it again. What they let happen
            gets its number here.
          </p>
          <button
            type="button"
            className="secondary"
            disabled={status.kind === "working"}
            onClick={() => void synchroniser.ask()}
          >
            {status.kind === "working" ? "Asking …" : "Ask what was decided"}
          </button>
          <ul className="cards">
            {operations.map((operation) => (
              <RefusedCard key={operation.client_temp_id} operation={operation} />
            ))}
          </ul>
        </>
      )}
    </>
  )
}

const SHOWN_FOR_MS = 7 * 24 * 60 * 60 * 1000

/** The latest first; what was dismissed is shown for a week. */
async function lookUp(database: FieldDatabase): Promise<Operation[]> {
  const rejected = await inState(database, "rejected").toArray()
  const dismissed = await inState(database, "dismissed").toArray()
  const isRecent = ({ occurred_at }: Operation) => Date.now() - Date.parse(occurred_at) < SHOWN_FOR_MS
  return [...rejected, ...dismissed.filter(isRecent)].sort((one, other) => other.position - one.position)
}

function RefusedCard({ operation }: { operation: Operation }) {
  const { result, errors } = operation
  const until = result?.tried_again_until
  return (
    <li className="refused">
      <strong>{whatItIs(operation)}</strong>
      <span className="quiet">
        {dayShown(operation.occurred_at)}, {timeOfDay(operation.occurred_at)}
        {result?.conflict ? ` · the office knows it as conflict ${result.conflict}` : ""}
      </span>
      {errors.map((error) => (
        <div key={`${error.code} ${error.attr}`}>
          <p className="problem">{error.code === "dismissed" ? `Dismissed: ${error.detail}` : error.detail}</p>
          <p>{whatToDo(error.code)}</p>
        </div>
      ))}
      {operation.withdrawn ? (
        <p>You told the office that this did not happen. Your supervisor decides.</p>
      ) : (
        <>
          {until && Date.parse(until) > Date.now() && (
            <p>It happens by itself today, as soon as the books have enough.</p>
          )}
          {operation.state === "rejected" && result?.conflict && (
            <Withdrawal operation={operation} conflict={result.conflict} />
          )}
        </>
      )}
      {operation.type === "transaction.create" && (
        <Link to={`/receipt/${operation.client_temp_id}`}>What was sold</Link>
      )}
    </li>
  )
}

/** What never happened must not be billed once there is stock. */
function Withdrawal({ operation, conflict }: { operation: Operation; conflict: number }) {
  const { api, database } = useField()
  const [problem, setProblem] = useState("")

  async function withdraw() {
    if (!window.confirm("Tell the office that this did not happen? Your supervisor decides.")) return
    try {
      const { data, error } = await api.POST("/api/sync/conflicts/{id}/withdraw/", {
        params: { path: { id: conflict } },
        body: { reason: "It did not happen, says who sent it." },
      })
      if (data) await database.operations.update(operation.position, { withdrawn: true })
      else setProblem(error.errors[0]?.detail ?? "The office did not take it. Ask what was decided.")
    } catch {
      setProblem("There is no network. Please try again later.")
    }
  }

  return (
    <>
      <button type="button" className="secondary" onClick={() => void withdraw()}>
        It did not happen
      </button>
      {problem && <p className="problem">{problem}</p>}
    </>
  )
}
