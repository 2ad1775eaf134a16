import type { ReactNode } from "react"
import { Link } from "react-router"
import type { Equipment } from "../api/types"
import { dayShown, timeOfDay } from "../ui/day"
import { shown } from "../ui/money"
import { CONDITIONS } from "../ui/words"
import type { Handed, Stage } from "./counts"

const SAID: Record<Stage, string> = {
  queued: "Not sent yet. It is sent after everything else that waits.",
  rejected: "Refused: the office has it, and decides.",
  dismissed: "Refused: count again.",
  COUNTED: "Handed in. The office has yet to sign it off.",
  SIGNED_OFF: "Signed off.",
  REJECTED: "Rejected by the office: count again.",
}

type Props = { count: Handed; equipment: Equipment[]; children: ReactNode }

/** A count that was handed in, and what became of it. */
export function HandedIn({ count, equipment, children }: Props) {
  const { counts, cash, stage, decision, errors } = count
  const nameOf = new Map(equipment.map((item) => [item.id, item.name]))
  const isSettled = stage === "COUNTED" || stage === "SIGNED_OFF"
  return (
    <section>
      <h2>
        {count.kind === "cash_count" ? "Cash bag" : `Vehicle ${count.vehicle}`}
        <small>
          {count.number && `${count.number} · `}
          {dayShown(count.moment)}, {timeOfDay(count.moment)}
        </small>
      </h2>
      <p className={isSettled ? "" : "problem"}>{SAID[stage]}</p>
      {decision && <p>The office says: {decision}</p>}
      {errors.map((error) => (
        <p key={error.code} className="problem">
          {error.detail}
        </p>
      ))}
      {stage === "rejected" && (
        <p className="links">
          <Link to="/refused">What was refused</Link>
        </p>
      )}
      {cash !== null && (
        <dl>
          <dt className="grand">Counted</dt>
          <dd className="grand">{shown(cash)}</dd>
        </dl>
      )}
      {counts && (
        <ul className="sum">
          {counts.length === 0 && <li>Nothing was there</li>}
          {counts.map(({ equipment: id, condition, quantity }) => (
            <li key={`${id} ${condition}`}>
              {quantity} × {nameOf.get(id) ?? `Item ${id}`}, {CONDITIONS[condition]}
            </li>
          ))}
        </ul>
      )}
      {children}
    </section>
  )
}
