/** What each answer to a push or a pull tells about this device: what never came. */
import type { Heard } from "../api/types"
import type { FieldDatabase } from "../store/database"
import { becomeAnotherDevice, thisDevice } from "../store/device"

export async function hear(database: FieldDatabase, { device }: Heard): Promise<void> {
  if (!device) return
  const here = await thisDevice(database)
  if (device.last_number > here.last_number) await becomeAnotherDevice(database)
  else await database.notes.put({ name: "missing", value: device.missing })
}
