import { useState } from "react"
import { useNavigate } from "react-router"
import type { Vehicle } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { newId } from "../store/queue"
import { vehicleHere } from "../store/stock"
import { useField, useRecord, useStored } from "../ui/field"
import { byNumber } from "../ui/order"

const SEARCHED_FROM = 10

async function lookUp(database: FieldDatabase, assigned: string) {
  const [vehicles, { vehicle }] = await Promise.all([database.vehicles.toArray(), vehicleHere(database, assigned)])
  return { vehicles: vehicles.sort(byNumber), vehicle }
}

/** Which vehicle is driven from now on; those of the own depot come first. */
export function VehicleScreen() {
  const { me } = useField()
  const record = useRecord()
  const navigate = useNavigate()
  const [text, setText] = useState("")
  const found = useStored((database) => lookUp(database, me.vehicle_no), [me.vehicle_no])
  if (!found) return null
  const { vehicles, vehicle } = found
  const wanted = text.replace(/\s/g, "").toUpperCase()
  const isOwn = (row: Vehicle) => row.depot != null && row.depot === me.depot
  const offered = vehicles
    .filter((row) => row.number.includes(wanted))
    .sort((one, other) => Number(isOwn(other)) - Number(isOwn(one)))

  async function take(number: string) {
    if (number !== vehicle) await record({ client_temp_id: newId(), type: "vehicle.taken", data: { vehicle: number } })
    navigate("/")
  }

  return (
    <>
      <h1>
        Which vehicle do you take?
        <small>{vehicle ? `Now ${vehicle}` : "Now none"}</small>
      </h1>
      {vehicles.length > SEARCHED_FROM && (
        <label>
          Part of its number
          <input type="search" value={text} onChange={(event) => setText(event.target.value)} autoComplete="off" />
        </label>
      )}
      {vehicles.length === 0 && <p className="quiet">The vehicles aren't downloaded yet: that takes the network.</p>}
      {vehicles.length > 0 && offered.length === 0 && <p className="quiet">No vehicle has that in its number.</p>}
      <ul className="tiles">
        {offered.map((row) => (
          <li key={row.id}>
            <button
              type="button"
              className={row.number === vehicle ? "chosen" : ""}
              aria-pressed={row.number === vehicle}
              onClick={() => void take(row.number)}
            >
              <strong>{row.number}</strong>
              {row.depot_code && <span className="quiet">{row.depot_code}</span>}
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
