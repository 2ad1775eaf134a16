/** Which phone this is to the server: an id of the store's own, and the running number of its operations. */
import type { Device } from "../api/types"
import type { FieldDatabase } from "./database"
import { numberAnew } from "./numbering"

/** A store that was lost comes back as another device. */
export async function thisDevice(database: FieldDatabase): Promise<Device> {
  return await database.transaction("rw", database.notes, async () => {
    const known = await database.note<Device>("device")
    if (known) return known
    return await keep(database, { id: crypto.randomUUID(), last_number: 0 })
  })
}

/** The first of so many numbers that nothing else has. Call it in the transaction that records what they are for. */
export async function takeNumbers(database: FieldDatabase, count: number): Promise<number> {
  const { id, last_number } = await thisDevice(database)
  await keep(database, { id, last_number: last_number + count })
  return last_number + 1
}

/**
 * This store was copied or restored, and its numbers have come from elsewhere already: it becomes another device. What
 * the server may still be sent gets new numbers, in its order.
 */
export async function becomeAnotherDevice(database: FieldDatabase): Promise<void> {
  await database.transaction("rw", database.operations, database.notes, async () => {
    const operations = await database.operations.orderBy("position").toArray()
    const last_number = numberAnew(operations)
    await database.operations.bulkPut(operations)
    await keep(database, { id: crypto.randomUUID(), last_number })
    await database.notes.put({ name: "missing", value: [] })
  })
}

async function keep(database: FieldDatabase, device: Device): Promise<Device> {
  await database.notes.put({ name: "device", value: device })
  return device
}
