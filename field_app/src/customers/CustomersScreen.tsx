import { useState } from "react"
import { Link } from "react-router"
import type { FieldDatabase } from "../store/database"
import { wordsOf } from "../store/words"
import { useStored } from "../ui/field"
import { byName } from "../ui/order"

const SHOWN = 30

export function CustomersScreen() {
  const [text, setText] = useState("")
  const found = useStored((database) => search(database, text), [text])
  return (
    <>
      <h1>Whom do you sell to?</h1>
      <label>
        Name, code, address, postal code or phone
        <input
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
          autoComplete="off"
          enterKeyHint="search"
        />
      </label>
      {found && found.length === 0 && (
        <p className="quiet">Nobody is found by that. New customers are entered in the office.</p>
      )}
      <ul className="cards tappable">
        {found?.map((customer) => (
          <li key={customer.id}>
            <Link to={`/sell/${customer.id}`}>
              <strong>{customer.name}</strong>
              <span>
                {customer.address} {customer.postal_code}
              </span>
              <span className="quiet">
                {customer.customer_code}
                {customer.meter_number && ` · meter ${customer.meter_number}`}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}

/** Customers with words that begin as each of the given ones; without any, those that were sold to last, then by name. */
async function search(database: FieldDatabase, text: string) {
  const wanted = wordsOf(text)
  const [longest] = [...wanted].sort((one, other) => other.length - one.length)
  if (!longest) return await latest(database)
  const begun = await database.customers.where("words").startsWith(longest).distinct().toArray()
  return begun
    .filter((customer) => wanted.every((word) => customer.words.some((own) => own.startsWith(word))))
    .sort(byName)
    .slice(0, SHOWN)
}

async function latest(database: FieldDatabase) {
  const operations = await database.operations.reverse().limit(100).toArray()
  const ids = operations.flatMap((operation) =>
    operation.type === "transaction.create" ? [operation.data.customer] : [],
  )
  const sold = await database.customers.bulkGet([...new Set(ids)].slice(0, 5))
  const others = await database.customers.orderBy("name").limit(SHOWN).toArray()
  const rows = [...sold.filter((customer) => customer !== undefined), ...others]
  return [...new Map(rows.map((customer) => [customer.id, customer])).values()]
}
