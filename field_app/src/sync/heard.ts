/** What each answer to a push or a pull tells about this device: the server's time, and what never came. */
import { noteServerTime } from "../api/clock"
import type { Device, Heard } from "../api/protocol"
import type { FieldDatabase } from "../store/database"
import { becomeAnotherDevice, thisDevice } from "../store/device"

/** `asked`: the device that the request named. */
export async function hear(database: FieldDatabase, { server_time, device }: Heard, asked: Device): Promise<void> {
  noteServerTime(server_time)
  const now = await thisDevice(database)
  if (now.id !== asked.id) return
  if ((device.last_number ?? 0) > now.last_number) await becomeAnotherDevice(database)
  else await database.notes.put({ name: "missing", value: device.missing })
}
