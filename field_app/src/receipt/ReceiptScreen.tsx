import { useEffect, useState } from "react"
import { Link, useParams } from "react-router"
import { url } from "../api/session"
import type { Invoice } from "../api/types"
import { receiptNumber } from "../store/queue"
import type { PastSale, Price, SaleOperation } from "../store/rows"
import { dayShown, timeOfDay } from "../ui/day"
import { useField, useStored } from "../ui/field"
import { shown } from "../ui/money"
import { Total } from "../ui/Total"
import { ITEM_TYPES } from "../ui/words"

type Receipt = {
  number: string
  state: "provisional" | "official" | "refused"
  customer: string
  address: string
  moment: string
  paid: boolean
  lines: { text: string; quantity: number; rate: string; amount: string }[]
  price: Price | null
  remarks: string
  reading: string | null
  invoice: { id: number; number: string } | null
}

export function ReceiptScreen() {
  const name = String(useParams().operation)
  const operation = useStored((database) => database.operations.get({ client_temp_id: name }), [name])
  if (operation?.type !== "transaction.create") return null
  return <ReceiptPage receipt={ofOperation(operation)} />
}

export function PastReceiptScreen() {
  const id = Number(useParams().sale)
  const sale = useStored((database) => database.past_sales.get(id), [id])
  return sale ? <ReceiptPage receipt={ofPastSale(sale)} /> : null
}

function ofOperation(operation: SaleOperation): Receipt {
  const { data, shown: seen, result, state } = operation
  return {
    number: receiptNumber(operation),
    state: state === "done" ? "official" : state === "queued" ? "provisional" : "refused",
    customer: seen.customer.name,
    address: seen.customer.address,
    moment: operation.occurred_at,
    paid: data.payment_received ?? false,
    lines: seen.lines.map((text, index) => {
      const line = seen.price?.lines[index]
      return {
        text,
        quantity: data.items?.[index]?.quantity ?? 0,
        rate: line?.rate ?? "0",
        amount: line?.amount ?? "0",
      }
    }),
    price: seen.price,
    remarks: data.remarks ?? "",
    reading: data.current_meter ?? null,
    invoice: result?.invoice ? { id: result.invoice, number: result.invoice_number ?? "" } : null,
  }
}

function ofPastSale({ transaction, invoice }: PastSale): Receipt {
  return {
    number: invoice?.invoice_number ?? transaction.transaction_number,
    state: "official",
    customer: transaction.customer_name,
    address: "",
    moment: transaction.occurred_at,
    paid: transaction.payment_received ?? false,
    lines: transaction.items.map((item) => ({
      text: `${ITEM_TYPES[item.type]}: ${item.equipment_name}`,
      quantity: item.quantity,
      rate: item.rate,
      amount: item.amount,
    })),
    price: invoice && {
      lines: [],
      last_reading: transaction.last_meter_reading ?? null,
      usage: transaction.current_meter_reading ? transaction.usage : null,
      usage_amount: transaction.usage_amount,
      subtotal: invoice.subtotal,
      gst_rate: invoice.gst_rate,
      gst_amount: invoice.gst_amount,
      total: invoice.total_amount,
    },
    remarks: transaction.remarks ?? "",
    reading: transaction.current_meter_reading ?? null,
    invoice: invoice && { id: invoice.id, number: invoice.invoice_number },
  }
}

const STATES = {
  provisional: "Provisional: not a tax invoice. It gets its number as soon as it is sent.",
  official: "",
  refused: "The office has to decide about this sale: it has no invoice yet.",
}

function ReceiptPage({ receipt }: { receipt: Receipt }) {
  const { price } = receipt
  return (
    <>
      <article className="receipt">
        <h1>{receipt.number}</h1>
        {STATES[receipt.state] && <p className="problem">{STATES[receipt.state]}</p>}
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
                    {line.quantity} × {shown(line.rate)}
                  </small>
                </th>
                <td className="number">{shown(line.amount)}</td>
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
        {price && <Total price={price} />}
        <p>
          <strong>{receipt.paid ? "Paid in cash" : "On account"}</strong>
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
          <button type="button" className="secondary" onClick={() => void share({ text: inWords(receipt) })}>
            Share as text
          </button>
        )}
        <Link to="/sell" className="primary">
          Next sale
        </Link>
      </div>
    </>
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

function inWords(receipt: Receipt): string {
  const { price } = receipt
  return [
    receipt.number,
    STATES[receipt.state],
    receipt.customer,
    `${dayShown(receipt.moment)}, ${timeOfDay(receipt.moment)}`,
    ...receipt.lines.map((line) => `${line.quantity} × ${line.text}: ${shown(line.amount)}`),
    receipt.reading && price && `Gas by meter, to ${receipt.reading}: ${shown(price.usage_amount)}`,
    price && `GST ${price.gst_rate} %: ${shown(price.gst_amount)}`,
    price && `Total: ${shown(price.total)}`,
    receipt.paid ? "Paid in cash" : "On account",
  ]
    .filter(Boolean)
    .join("\n")
}
