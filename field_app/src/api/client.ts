/** The typed client: paths, bodies and answers are those of docs/openapi.yaml, and of protocol.ts. */
import createClient from "openapi-fetch"
import type { Paths } from "./protocol"
import { type Send, Unreachable } from "./session"

export type Api = ReturnType<typeof createClient<Paths>>

export function makeApi(baseUrl: string, send: Send): Api {
  return createClient<Paths>({ baseUrl, fetch: async (request) => whole(await send(request)) })
}

/** An answer that broke off in the middle is none. */
async function whole(response: Response): Promise<Response> {
  try {
    const text = await response.text()
    if (text) JSON.parse(text)
    return new Response(text || null, response)
  } catch (error) {
    throw new Unreachable(String(error))
  }
}
