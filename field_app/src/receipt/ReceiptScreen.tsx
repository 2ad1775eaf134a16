import { type ReactNode, useEffect, useState } from "react"
import { Link, useNavigate, useParams } from "react-router"
import { url } from "../api/session"
import type { Invoice } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { isWithdrawable, withdraw } from "../store/queue"
import type { SaleOperation } from "../store/rows"
import { dayShown, timeOfDay } from "../ui/day"
import { useField, useStored } from "../ui/field"
import { shown } from "../ui/money"
import { Total } from "../ui/Total"
import { asText, howPaid, ofOperation, ofPastSale, type Receipt, STATES } from "./receipt"

export function ReceiptScreen() {
  const name = String(useParams().operation)
  const found = useStored((database) => lookUp(database, name), [name])
  if (!found) return null
  return (
    <ReceiptPage receipt={ofOperation(found.operation, found.past)}>
      {isWithdrawable(found.operation) && <TakeBack operation={found.operation} />}
    </ReceiptPage>
  )
}

export function PastReceiptScreen() {
  const id = Number(useParams().sale)
  const sale = useStored((database) => database.past_sales.get(id), [id])
  return sale ? <ReceiptPage receipt={ofPastSale(sale)} /> : null
}

async function lookUp(database: FieldDatabase, name: string) {
  const operation = await database.operations.get({ client_temp_id: name })
  if (operation?.type !== "transaction.create") return null
  return { operation, past: operation.result?.id ? await database.past_sales.get(operation.result.id) : undefined }
}

function ReceiptPage({ receipt, children }: { receipt: Receipt; children?: ReactNode }) {
  const { price } = receipt
  return (
    <>
      <article className="receipt">
        <h1>{receipt.number}</h1>
        {[STATES[receipt.state], ...receipt.differences].filter(Boolean).map((said) => (
          <p key={said} className="problem">
            {said}
          </p>
        ))}
        <p>
          <strong>{receipt.customer}</strong>
          {receipt.address && <br />}
          {receipt.address}
          <br />
          {dayShown(receipt.moment)}, {timeOfDay(receipt.moment)}
        </p>
        <table>
          <tbody>
            {receipt.lines.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a receipt never move
              <tr key={index}>
                <th scope="row">
                  {line.text}
                  <small>
                    {line.quantity}
                    {line.rate !== null && ` × ${shown(line.rate)}`}
                  </small>
                </th>
                <td className="number">{line.amount === null ? "" : shown(line.amount)}</td>
              </tr>
            ))}
            {receipt.reading !== null && (
              <tr>
                <th scope="row">
                  Gas by meter
                  <small>
                    {price?.last_reading ?? "first reading"} to {receipt.reading}
                    {price?.usage ? `: ${price.usage} m³` : ""}
                  </small>
                </th>
                <td className="number">{price ? shown(price.usage_amount) : ""}</td>
              </tr>
            )}
          </tbody>
        </table>
        {price && <Total price={price} cash={receipt.cash} />}
        <p>
          <strong>{howPaid(receipt)}</strong>
          {receipt.remarks && <br />}
          {receipt.remarks}
        </p>
      </article>
      <div className="choices">
        {receipt.invoice && <Document invoice={receipt.invoice} />}
        <button type="button" className="secondary" onClick={() => window.print()}>
          Print
        </button>
        {"share" in navigator && (
          <button type="button" className="secondary" onClick={() => void share({ text: asText(receipt) })}>
            Share as text
          </button>
        )}
        {children}
        <Link to="/sell" className="primary">
          Next sale
        </Link>
      </div>
    </>
  )
}

/** As long as nothing of it was sent. */
function TakeBack({ operation }: { operation: SaleOperation }) {
  const { database, synchroniser } = useField()
  const navigate = useNavigate()
  async function takeBack() {
    if (!window.confirm("Take this sale back, as if it had never been?")) return
    if (await withdraw(database, operation.client_temp_id)) navigate("/history", { replace: true })
    else window.alert("It is being sent already: ask your supervisor to void it.")
    void synchroniser.now()
  }
  return (
    <button type="button" className="secondary" onClick={() => void takeBack()}>
      Take it back
    </button>
  )
}

/** The tax invoice's PDF, to open, print or pass on. It takes the network. */
function Document({ invoice }: { invoice: Pick<Invoice, "id"> & { number: string } }) {
  const { me, send } = useField()
  const [file, setFile] = useState<File | null>(null)
  const [problem, setProblem] = useState("")
  const address = useObjectUrl(file)
  if (!me.capabilities.includes("view_sales")) return null
  const fetchIt = async () => {
    setProblem("")
    try {
      const response = await send(new Request(url(`invoices/${invoice.id}/pdf/`)))
      if (!response.ok) throw new Error(`The server answered ${response.status}.`)
      setFile(new File([await response.blob()], `${invoice.number}.pdf`, { type: "application/pdf" }))
    } catch {
      setProblem("The PDF takes the network. Please try again.")
    }
  }
  return (
    <>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {!file && (
        <button type="button" className="primary" onClick={() => void fetchIt()}>
          Tax invoice
        </button>
      )}
      {file && address && (
        <a className="primary" href={address} target="_blank" rel="noreferrer">
          Open the PDF
        </a>
      )}
      {file && "canShare" in navigator && navigator.canShare({ files: [file] }) && (
        <button type="button" className="secondary" onClick={() => void share({ files: [file], title: file.name })}>
          Share the PDF
        </button>
      )}
    </>
  )
}

function useObjectUrl(file: File | null): string | null {
  const [address, setAddress] = useState<string | null>(null)
  useEffect(() => {
    if (!file) return
    const made = URL.createObjectURL(file)
    setAddress(made)
    return () => URL.revokeObjectURL(made)
  }, [file])
  return address
}

async function share(what: ShareData): Promise<void> {
  try {
    await navigator.share(what)
  } catch (error) {
    // Whoever closes the phone's menu has changed their mind.
    if (!(error instanceof DOMException && error.name === "AbortError")) throw error
  }
}
