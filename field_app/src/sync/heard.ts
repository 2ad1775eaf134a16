/** What each answer to a push or a pull tells about this device: the server's time, and what never came. */
import { noteServerTime } from "../api/clock"
import type { Heard } from "../api/protocol"
import type { FieldDatabase } from "../store/database"
import { becomeAnotherDevice, thisDevice } from "../store/device"

export async function hear(database: FieldDatabase, { server_time, device }: Heard): Promise<void> {
  noteServerTime(server_time)
  if (!device) return
  const here = await thisDevice(database)
  if (device.last_number > here.last_number) await becomeAnotherDevice(database)
  else await database.notes.put({ name: "missing", value: device.missing })
}
