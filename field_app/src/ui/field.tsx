/** What every screen needs: who sells, what lies on the phone, and what sends it. */
import { useLiveQuery } from "dexie-react-hooks"
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from "react"
import { type Api, makeApi } from "../api/client"
import { type Send, sendAs } from "../api/session"
import type { Me } from "../api/types"
import { FieldDatabase } from "../store/database"
import { record } from "../store/queue"
import type { NewOperation } from "../store/rows"
import { Synchroniser, type SyncStatus } from "../sync/synchroniser"

type Field = { me: Me; database: FieldDatabase; synchroniser: Synchroniser; send: Send; api: Api }
const FieldContext = createContext<Field | null>(null)

export function FieldProvider({ me, children }: { me: Me; children: ReactNode }) {
  const [own] = useState(() => {
    const database = new FieldDatabase(me.id, me.vehicle_no)
    const send = sendAs(me.id)
    const api = makeApi(window.location.origin, send)
    return { database, send, api, synchroniser: new Synchroniser(database, api, me.id) }
  })
  useEffect(() => {
    // Asks the browser not to throw away what waits when the phone's memory is full.
    void navigator.storage?.persist?.()
    return own.synchroniser.start()
  }, [own])
  return <FieldContext value={{ me, ...own }}>{children}</FieldContext>
}

export function useField(): Field {
  const field = useContext(FieldContext)
  if (!field) throw new Error("Nobody is logged in.")
  return field
}

/** Write down what the driver did, and send it; without a network with the next round: until then it can be taken back. */
export function useRecord(): (...operations: NewOperation[]) => Promise<void> {
  const { database, synchroniser } = useField()
  return async (...operations) => {
    await record(database, operations)
    if (navigator.onLine) void synchroniser.now()
  }
}

export function useSyncStatus(): SyncStatus {
  const { synchroniser } = useField()
  return useSyncExternalStore(synchroniser.subscribe, synchroniser.current)
}

/** What a query finds, and finds again whenever any tab changes what it looked at; undefined while it looks. */
export function useStored<Found>(query: (database: FieldDatabase) => Promise<Found>, on: unknown[] = []) {
  const { database } = useField()
  return useLiveQuery(() => query(database), [database, ...on])
}
