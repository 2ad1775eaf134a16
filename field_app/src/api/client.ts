/** The typed client: paths, bodies and answers are those of docs/openapi.yaml. */
import createClient from "openapi-fetch"
import { noteServerTime } from "./clock"
import type { paths } from "./schema"
import { type Send, Unreachable } from "./session"

export type Api = ReturnType<typeof createClient<paths>>

export function makeApi(baseUrl: string, send: Send): Api {
  return createClient<paths>({
    baseUrl,
    fetch: async (request) => {
      const askedAt = Date.now()
      const { response, told } = await whole(await send(request))
      if (told?.server_time) noteServerTime(told.server_time, askedAt)
      return response
    },
  })
}

/** An answer that broke off in the middle is none. */
async function whole(response: Response): Promise<{ response: Response; told: { server_time?: string } | null }> {
  try {
    const text = await response.text()
    return { response: new Response(text || null, response), told: text ? JSON.parse(text) : null }
  } catch (error) {
    throw new Unreachable(String(error))
  }
}
