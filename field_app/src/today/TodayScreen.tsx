import { Link } from "react-router"
import { logOut, Unreachable } from "../api/session"
import type { Condition, Distribution } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { inState, isWithdrawable, missed, newId, withdraw } from "../store/queue"
import type { LoadOperation, Operation } from "../store/rows"
import { stockKey, vehicleHere } from "../store/stock"
import { dayShown, timeOfDay } from "../ui/day"
import { useField, useRecord, useStored } from "../ui/field"
import { bySku } from "../ui/order"
import { CONDITIONS } from "../ui/words"

const SHOWN: Condition[] = ["FULL", "EMPTY", "DAMAGED"]

async function lookUp(database: FieldDatabase, assigned: string) {
  const [operations, distributions, equipment, syncedAt, missing, waiting, here] = await Promise.all([
    database.operations.orderBy("position").toArray(),
    database.distributions.toArray(),
    database.equipment.toArray(),
    database.note<string>("synced_at"),
    missed(database),
    inState(database, "queued").count(),
    vehicleHere(database, assigned),
  ])
  return { operations, distributions, equipment, syncedAt, missing, waiting, here }
}

export function TodayScreen() {
  const { me, database } = useField()
  const found = useStored((database) => lookUp(database, me.vehicle_no), [me.vehicle_no])
  if (!found) return null
  const { here, equipment, operations, distributions, syncedAt, waiting, missing } = found
  const rows = equipment
    .map((item) => ({ item, on: SHOWN.map((condition) => here.stock.get(stockKey(item.id, condition)) ?? 0) }))
    .filter(({ on }) => on.some(Boolean))
    .sort((one, other) => bySku(one.item, other.item))
  return (
    <>
      <h1>
        {me.name}
        <small>{dayShown(new Date().toISOString())}</small>
      </h1>
      <div className="choices">
        {me.capabilities.includes("record_sale") && (
          <Link to="/sell" className="primary">
            Sell
          </Link>
        )}
        {me.capabilities.includes("change_distributions") && (
          <Link to="/load" className="secondary">
            Load or return
          </Link>
        )}
      </div>
      <ul className="rows">
        <li>
          <span>
            Vehicle <strong>{here.vehicle || "none"}</strong>
          </span>
          {me.capabilities.includes("take_vehicle") && (
            <Link to="/vehicle" className="secondary" aria-label="Take another vehicle">
              {here.vehicle ? "Change" : "Choose"}
            </Link>
          )}
        </li>
      </ul>
      <section>
        <h2>On the vehicle</h2>
        {here.vehicle && !here.isPulled && (
          <p className="quiet">What the books have on {here.vehicle} isn't downloaded yet.</p>
        )}
        {rows.length === 0 ? (
          here.isPulled && <p className="quiet">{here.vehicle ? "Nothing." : "You carry no vehicle's stock."}</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th scope="col">Item</th>
                {SHOWN.map((condition) => (
                  <th key={condition} scope="col" className="number">
                    {CONDITIONS[condition]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ item, on }) => (
                <tr key={item.id}>
                  <th scope="row">{item.name}</th>
                  {SHOWN.map((condition, index) => (
                    <td key={condition} className={`number ${(on[index] ?? 0) < 0 ? "short" : ""}`}>
                      {on[index] || "·"}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <Drafts operations={operations} distributions={distributions} />
      <section>
        <h2>This phone</h2>
        <p>
          {waiting === 0 ? "Everything is sent." : `${waiting} not sent yet: kept here until they are.`}{" "}
          {syncedAt ? `Last updated ${dayShown(syncedAt)}, ${timeOfDay(syncedAt)}.` : "Not updated yet."}
        </p>
        {missing.length > 0 && (
          <p className="problem">
            The server misses {missing.length === 1 ? "operation" : "operations"} {listed(missing)} of this phone.
            Please tell the office.
          </p>
        )}
        <p className="links">
          <Link to="/refused">What was refused</Link>
          <button type="button" className="link" onClick={() => void leave(database)}>
            Log out
          </button>
        </p>
      </section>
    </>
  )
}

function listed(numbers: readonly number[]): string {
  return new Intl.ListFormat("en-SG").format(numbers.map(String))
}

/** What waits, or was refused, stays on the phone for the next time; else the phone forgets the user's data. */
async function leave(database: FieldDatabase): Promise<void> {
  const kept = (await inState(database, "queued").count()) + (await inState(database, "rejected").count())
  const warning = `${kept} ${kept === 1 ? "is" : "are"} not settled yet and will stay on this phone until you log in here again.`
  if (kept && !window.confirm(`${warning} Log out all the same?`)) return
  await logOut()
  if (kept === 0) await database.delete()
}

type DraftsProps = { operations: Operation[]; distributions: Distribution[] }

function Drafts({ operations, distributions }: DraftsProps) {
  const { api, database, synchroniser } = useField()
  const record = useRecord()
  const confirmed = new Set(
    operations
      .filter((operation) => operation.type === "distribution.confirm" && ["queued", "done"].includes(operation.state))
      .map((operation) => operation.data as { distribution: number | string })
      .map((data) => data.distribution),
  )
  const known = new Set(distributions.map((draft) => draft.client_temp_id))
  const own = operations.filter(
    (operation): operation is LoadOperation =>
      operation.type === "distribution.create" &&
      operation.state === "queued" &&
      !known.has(operation.client_temp_id) &&
      !confirmed.has(operation.client_temp_id),
  )
  const pulled = distributions.filter(
    (draft) => !confirmed.has(draft.id) && !(draft.client_temp_id && confirmed.has(draft.client_temp_id)),
  )
  if (own.length + pulled.length === 0) return null
  const confirm = (distribution: number | string) =>
    record({ client_temp_id: newId(), type: "distribution.confirm", data: { distribution } })
  const cancel = async (id: number) => {
    try {
      await api.POST("/api/distributions/{id}/cancel/", { params: { path: { id } } })
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      window.alert("It takes the network to cancel this one.")
      return
    }
    void synchroniser.now()
  }
  return (
    <section>
      <h2>To confirm</h2>
      <ul className="cards">
        {own.map((load) => (
          <li key={load.client_temp_id}>
            <strong>Not sent yet</strong> · {pieces(load.data.items)}
            <div className="choices">
              <button type="button" className="primary" onClick={() => void confirm(load.client_temp_id)}>
                Confirm
              </button>
              {isWithdrawable(load) && (
                <button
                  type="button"
                  className="secondary"
                  onClick={() => void withdraw(database, load.client_temp_id)}
                >
                  Cancel
                </button>
              )}
            </div>
          </li>
        ))}
        {pulled.map((draft) => (
          <li key={draft.id}>
            <strong>{draft.distribution_number}</strong> · {pieces(draft.items)}
            <div className="choices">
              <button type="button" className="primary" onClick={() => void confirm(draft.id)}>
                Confirm
              </button>
              <button type="button" className="secondary" onClick={() => void cancel(draft.id)}>
                Cancel
              </button>
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

function pieces(items: readonly { direction: "OUT" | "IN"; quantity: number }[]): string {
  const total = (direction: "OUT" | "IN") =>
    items.filter((item) => item.direction === direction).reduce((sum, item) => sum + item.quantity, 0)
  return [total("OUT") && `${total("OUT")} to load`, total("IN") && `${total("IN")} to bring back`]
    .filter(Boolean)
    .join(", ")
}
