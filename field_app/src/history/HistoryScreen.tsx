import { Link } from "react-router"
import type { FieldDatabase } from "../store/database"
import { receiptNumber } from "../store/queue"
import type { PastSale, SaleOperation, State } from "../store/rows"
import { businessDate, dayShown, timeOfDay } from "../ui/day"
import { inWords } from "../ui/discrepancy"
import { useStored } from "../ui/field"
import { shown } from "../ui/money"

type Entry = {
  key: string
  to: string
  moment: string
  customer: string
  number: string
  total: string | null
  mark: string
  differences: string[]
}

const MARKS: Record<State, string> = { queued: "waiting", done: "", rejected: "refused", dismissed: "dismissed" }

export function HistoryScreen() {
  const entries = useStored(lookUp)
  if (!entries) return null
  const days = Map.groupBy(entries, (entry) => businessDate(entry.moment))
  return (
    <>
      <h1>Your sales</h1>
      {entries.length === 0 && <p className="quiet">None yet.</p>}
      {[...days].map(([day, sales]) => (
        <section key={day}>
          <h2>{dayShown(sales[0]?.moment ?? day)}</h2>
          <ul className="cards tappable">
            {sales.map((sale) => (
              <li key={sale.key}>
                <Link to={sale.to}>
                  <strong>{sale.customer}</strong>
                  <span className="amount">{sale.total === null ? "" : shown(sale.total)}</span>
                  <span className="quiet">
                    {timeOfDay(sale.moment)} · {sale.number}
                  </span>
                  {sale.mark && <span className={`mark ${sale.mark}`}>{sale.mark}</span>}
                  {sale.differences.map((said) => (
                    <span key={said} className="problem">
                      {said}
                    </span>
                  ))}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  )
}

async function lookUp(database: FieldDatabase): Promise<Entry[]> {
  const [operations, past] = await Promise.all([database.operations.toArray(), database.past_sales.toArray()])
  const known = new Map(past.map((sale) => [sale.client_temp_id, sale]))
  const here = operations.filter((operation): operation is SaleOperation => operation.type === "transaction.create")
  const names = new Set<string | null>(here.map((operation) => operation.client_temp_id))
  return [
    ...here.map((operation) => ofOperation(operation, known.get(operation.client_temp_id))),
    ...past.filter((sale) => !names.has(sale.client_temp_id)).map(ofPastSale),
  ].sort((one, other) => Date.parse(other.moment) - Date.parse(one.moment))
}

const TAKEN_BACK: Partial<Record<PastSale["transaction"]["status"], string>> = {
  VOIDED: "voided",
  CREDITED: "credited",
}

function ofOperation(operation: SaleOperation, past: PastSale | undefined): Entry {
  return {
    key: operation.client_temp_id,
    to: `/receipt/${operation.client_temp_id}`,
    moment: operation.occurred_at,
    customer: operation.shown.customer.name,
    number: receiptNumber(operation),
    total: past?.invoice?.total_amount ?? operation.shown.price?.total ?? null,
    mark: (past && TAKEN_BACK[past.transaction.status]) || MARKS[operation.state],
    differences: (operation.result?.discrepancies ?? []).map((each) =>
      inWords(each, operation.data.payment_received ?? false),
    ),
  }
}

function ofPastSale({ id, transaction, invoice }: PastSale): Entry {
  return {
    key: String(id),
    to: `/sale/${id}`,
    moment: transaction.occurred_at,
    customer: transaction.customer_name,
    number: invoice?.invoice_number ?? transaction.transaction_number,
    total: invoice?.total_amount ?? null,
    mark: TAKEN_BACK[transaction.status] ?? "",
    differences: [],
  }
}
