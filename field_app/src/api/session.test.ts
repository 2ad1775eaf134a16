import { beforeEach, describe, expect, test, vi } from "vitest"
import { currentSession, LoggedOut, logIn, logOut, sendAs, Unreachable, url } from "./session"
import type { Me } from "./types"

const ME = { id: 7, username: "driver1", capabilities: ["sync"] } as unknown as Me

/** Pairs are numbered; a used refresh token is answered with the same pair once more, as the server does for a minute. */
class Tokens {
  latest = 1
  refreshes: string[] = []
  bodies: string[] = []
  lose = 0
  isRevoked = false
  capabilities: string[] = ["sync"]

  readonly fetch = async (request: Request): Promise<Response> => {
    const path = new URL(request.url).pathname
    if (path === "/api/token/") {
      const { password } = (await request.json()) as { password: string }
      return password === "right" ? json(200, this.pair()) : json(401, {})
    }
    if (path === "/api/accounts/me/") return json(200, { ...ME, capabilities: this.capabilities })
    if (path === "/api/token/blacklist/") throw new TypeError("no network")
    if (path === "/api/token/refresh/") {
      const { refresh } = (await request.json()) as { refresh: string }
      this.refreshes.push(refresh)
      if (this.isRevoked) return json(401, {})
      if (refresh === `refresh-${this.latest}`) this.latest += 1
      else if (refresh !== `refresh-${this.latest - 1}`) return json(401, {})
      if (this.lose-- > 0) throw new TypeError("the answer is lost")
      return json(200, this.pair())
    }
    if (request.headers.get("Authorization") !== `Bearer access-${this.latest}`) return json(401, {})
    this.bodies.push(await request.text())
    return json(200, {})
  }

  private pair() {
    return { access: `access-${this.latest}`, refresh: `refresh-${this.latest}` }
  }
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } })
}

/** One holder at a time, as the browser's. */
class Locks {
  private last: Promise<unknown> = Promise.resolve()

  request<Value>(_: string, work: () => Promise<Value>): Promise<Value> {
    const mine = this.last.then(work)
    this.last = mine.catch(() => undefined)
    return mine
  }
}

let server: Tokens

beforeEach(async () => {
  const kept = new Map<string, string>()
  server = new Tokens()
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => kept.set(name, text),
    removeItem: (name: string) => kept.delete(name),
  })
  vi.stubGlobal("window", { location: { origin: "http://127.0.0.1" } })
  vi.stubGlobal("navigator", { locks: new Locks() })
  vi.stubGlobal("fetch", server.fetch)
  await logIn("driver1", "right")
})

const push = (body = "what was sold", userId = ME.id) =>
  sendAs(userId)(new Request(url("sync/push/"), { method: "POST", body, headers: { "Content-Type": "text/plain" } }))

describe("a session", () => {
  test("is nobody's whose role has nothing to send", async () => {
    await logOut()
    server.capabilities = ["use_office", "view_sales"]
    await expect(logIn("auditor", "right")).rejects.toThrow("works in the office")
    expect(currentSession()).toBeNull()
  })

  test("takes the right password", async () => {
    await expect(logIn("driver1", "wrong")).rejects.toThrow("don't match")
    expect(currentSession()).toMatchObject({ me: ME, access: "access-1", expired: false })
  })

  test("renews its token where it has run out, and sends the same once more", async () => {
    server.latest = 2
    expect((await push()).status).toBe(200)
    expect(server.bodies).toEqual(["what was sold"])
  })

  test("asks with the same refresh token again after a lost answer", async () => {
    server.lose = 1
    localStorage.setItem("hsh.session", JSON.stringify({ ...currentSession(), access: "run out" }))
    await expect(push()).rejects.toBeInstanceOf(Unreachable)
    expect(currentSession()?.refresh).toBe("refresh-1")
    expect((await push()).status).toBe(200)
    expect(server.refreshes).toEqual(["refresh-1", "refresh-1"])
    expect(currentSession()).toMatchObject({ access: "access-2", refresh: "refresh-2", expired: false })
  })

  test("renews once, however many requests find that it has run out", async () => {
    localStorage.setItem("hsh.session", JSON.stringify({ ...currentSession(), access: "run out" }))
    const answers = await Promise.all([push("a"), push("b"), push("c")])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(server.refreshes).toEqual(["refresh-1"])
  })

  test("stays the driver's when its tokens are of no use any more", async () => {
    server.isRevoked = true
    localStorage.setItem("hsh.session", JSON.stringify({ ...currentSession(), access: "run out" }))
    await expect(push()).rejects.toBeInstanceOf(LoggedOut)
    expect(currentSession()).toMatchObject({ me: ME, expired: true })
    await expect(push()).rejects.toBeInstanceOf(LoggedOut)
    expect(server.refreshes).toHaveLength(1)
    server.isRevoked = false
    await logIn("driver1", "right")
    expect((await push()).status).toBe(200)
  })

  test("never sends what somebody else sold", async () => {
    await expect(push("sold by user 8", 8)).rejects.toBeInstanceOf(LoggedOut)
    expect(server.bodies).toEqual([])
    expect(currentSession()?.expired).toBe(false)
  })

  test("ends without a network too", async () => {
    await logOut()
    expect(currentSession()).toBeNull()
  })
})
