/**
 * Who is logged in on this phone, in all its tabs.
 *
 * A session whose tokens are of no use any more is still somebody's: they go on selling, and log in again to send.
 */
import { noteDate } from "./clock"
import type { Me } from "./types"

export type Session = { me: Me; access: string; refresh: string; expired: boolean }

/** No answer, half an answer, or one that asks for patience. Whether it happened, only the server knows. */
export class Unreachable extends Error {
  constructor(
    message: string,
    readonly retryAfterSeconds = 0,
  ) {
    super(message)
  }
}

/** The tokens are of no use any more. */
export class LoggedOut extends Error {}

const KEY = "hsh.session"
const listeners = new Set<() => void>()
let read: { text: string | null; session: Session | null } = { text: null, session: null }

export function currentSession(): Session | null {
  const text = localStorage.getItem(KEY)
  if (text !== read.text) read = { text, session: text === null ? null : (JSON.parse(text) as Session) }
  return read.session
}

export function onSessionChange(listener: () => void): () => void {
  const fromAnotherTab = (event: StorageEvent) => {
    if (event.key === KEY || event.key === null) listener()
  }
  listeners.add(listener)
  window.addEventListener("storage", fromAnotherTab)
  return () => {
    listeners.delete(listener)
    window.removeEventListener("storage", fromAnotherTab)
  }
}

function keep(session: Session | null): void {
  if (session) localStorage.setItem(KEY, JSON.stringify(session))
  else localStorage.removeItem(KEY)
  for (const listener of listeners) listener()
}

const TIMEOUT_MS = 90_000

/** Throws Unreachable. */
export async function send(request: Request): Promise<Response> {
  let response: Response
  try {
    response = await fetch(new Request(request, { signal: AbortSignal.timeout(TIMEOUT_MS), cache: "no-store" }))
  } catch (error) {
    throw new Unreachable(String(error))
  }
  noteDate(response.headers.get("Date"))
  if (response.status === 429 || response.status >= 500) {
    const patience = Number(response.headers.get("Retry-After"))
    throw new Unreachable(`The server answered ${response.status}.`, Number.isFinite(patience) ? patience : 0)
  }
  return response
}

export type Send = (request: Request) => Promise<Response>

/**
 * Sends with this user's token, renewed where it has run out; never with that of somebody who has logged in since.
 *
 * It throws Unreachable, LoggedOut.
 */
export function sendAs(userId: number): Send {
  return async (request) => {
    const { access } = sessionOf(userId)
    const response = await send(authorised(request.clone(), access))
    if (response.status !== 401) return response
    const again = await send(authorised(request, await renewed(userId, access)))
    if (again.status !== 401) return again
    expire(userId)
    throw new LoggedOut()
  }
}

function sessionOf(userId: number): Session {
  const session = currentSession()
  if (session?.me.id !== userId || session.expired) throw new LoggedOut()
  return session
}

function authorised(request: Request, access: string): Request {
  request.headers.set("Authorization", `Bearer ${access}`)
  return request
}

/**
 * A fresh access token in the place of `stale`. A refresh token works once, and again within a minute with the same
 * answer: so it stays until the new pair is kept, and only one tab at a time uses it.
 */
async function renewed(userId: number, stale: string): Promise<string> {
  return await navigator.locks.request("hsh.refresh", async () => {
    const session = sessionOf(userId)
    if (session.access !== stale) return session.access
    const response = await send(post("token/refresh/", { refresh: session.refresh }))
    if (!response.ok) {
      expire(userId)
      throw new LoggedOut()
    }
    const pair = (await whole(response)) as { access: string; refresh: string }
    keep({ ...sessionOf(userId), ...pair })
    return pair.access
  })
}

/** The office may have changed the user's vehicle or depot. */
export function rememberMe(me: Me): void {
  const session = currentSession()
  if (session?.me.id === me.id && JSON.stringify(session.me) !== JSON.stringify(me)) keep({ ...session, me })
}

function expire(userId: number): void {
  const session = currentSession()
  if (session?.me.id === userId) keep({ ...session, expired: true })
}

/** Throws Unreachable, or Error with what to tell the driver. */
export async function logIn(username: string, password: string): Promise<Session> {
  const response = await send(post("token/", { username, password }))
  if (response.status === 401) throw new Error("This user name and password don't match.")
  if (!response.ok) throw new Error("Please enter your user name and your password.")
  const pair = (await whole(response)) as { access: string; refresh: string }
  const answer = await send(authorised(new Request(url("accounts/me/")), pair.access))
  if (!answer.ok) throw new Error("This user can't use the app.")
  const me = (await whole(answer)) as Me
  if (!me.capabilities.includes("sync")) {
    throw new Error("Your role works in the office, not with this app. Please log in there.")
  }
  const session = { me, ...pair, expired: false }
  keep(session)
  return session
}

/** The tokens are given back where there is a network; where there is none they run out. */
export async function logOut(): Promise<void> {
  const session = currentSession()
  keep(null)
  if (!session) return
  try {
    await send(post("token/blacklist/", { refresh: session.refresh }))
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
  }
}

export function url(path: string): string {
  return new URL(`/api/${path}`, window.location.origin).href
}

function post(path: string, body: unknown): Request {
  return new Request(url(path), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  })
}

async function whole(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (error) {
    throw new Unreachable(String(error))
  }
}
