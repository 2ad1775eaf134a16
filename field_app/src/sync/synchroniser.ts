/** Sends and fetches whenever there is a chance: one tab at a time, again after a growing pause where it failed. */
import type { Api } from "../api/client"
import { currentSession, LoggedOut, onSessionChange, rememberMe, Unreachable } from "../api/session"
import type { FieldDatabase } from "../store/database"
import { forgetOld } from "../store/queue"
import { pullCounts } from "./counts"
import { pullPastSales } from "./past_sales"
import { pull } from "./pull"
import { askAgain, pushWaiting, Refused, sendMissing } from "./push"
import { pullVehicles } from "./vehicles"

export type SyncStatus =
  | { kind: "idle" }
  | { kind: "working" }
  | { kind: "unreachable" }
  | { kind: "logged_out" }
  | { kind: "failed"; why: string }

const EVERY_MS = 60_000
const ASK_EVERY_MS = 5 * 60_000
const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 60_000

export class Synchroniser {
  status: SyncStatus = { kind: "idle" }
  private failures = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private running: Promise<void> | undefined
  private wantedAgain = false
  private isStopped = false
  private askedAt = 0
  private readonly listeners = new Set<() => void>()

  constructor(
    private readonly database: FieldDatabase,
    private readonly api: Api,
    private readonly userId: number,
  ) {}

  start(): () => void {
    const now = () => void this.now()
    const whenSeen = () => {
      if (document.visibilityState === "visible") now()
    }
    this.isStopped = false
    const whenLoggedInAgain = () => {
      if (this.status.kind === "logged_out" && currentSession()?.expired === false) now()
    }
    const stopListening = onSessionChange(whenLoggedInAgain)
    window.addEventListener("online", now)
    document.addEventListener("visibilitychange", whenSeen)
    now()
    return () => {
      stopListening()
      window.removeEventListener("online", now)
      document.removeEventListener("visibilitychange", whenSeen)
      this.isStopped = true
      clearTimeout(this.timer)
    }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly current = (): SyncStatus => this.status

  /** Ends when everything that waited when it was called has been tried. */
  now(): Promise<void> {
    if (this.running) {
      this.wantedAgain = true
      return this.running
    }
    clearTimeout(this.timer)
    this.running = this.run().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  /** The same, and asks what was decided about what was refused. */
  ask(): Promise<void> {
    this.askedAt = 0
    return this.now()
  }

  private async run(): Promise<void> {
    this.show({ kind: "working" })
    let pause = EVERY_MS
    try {
      do {
        this.wantedAgain = false
        await navigator.locks.request(`hsh.sync.${this.userId}`, async () => {
          await pushWaiting(this.database, this.api)
          await this.askNowAndThen()
          const { data: me } = await this.api.GET("/api/accounts/me/")
          if (!me) return
          await pull(this.database, this.api, me.vehicle_no)
          await sendMissing(this.database, this.api)
          await forgetOld(this.database)
          rememberMe(me)
          await pullCounts(this.database, this.api, me)
          await pullPastSales(this.database, this.api, me)
        })
      } while (this.wantedAgain)
      this.failures = 0
      this.show({ kind: "idle" })
    } catch (error) {
      pause = this.pauseAfter(error)
    }
    if (!this.isStopped) this.timer = setTimeout(() => void this.now(), pause)
  }

  /** A supervisor takes minutes to decide, and every phone with a refused sale asks. New vehicles are rarer still. */
  private async askNowAndThen(): Promise<void> {
    if (Date.now() - this.askedAt < ASK_EVERY_MS) return
    await askAgain(this.database, this.api)
    await pullVehicles(this.database, this.api)
    this.askedAt = Date.now()
  }

  private pauseAfter(error: unknown): number {
    this.failures += 1
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures)
    const pause = longest / 2 + (Math.random() * longest) / 2
    if (error instanceof Unreachable) {
      this.show({ kind: "unreachable" })
      return Math.max(pause, error.retryAfterSeconds * 1000)
    }
    if (error instanceof LoggedOut) this.show({ kind: "logged_out" })
    else if (error instanceof Refused) this.show({ kind: "failed", why: error.message })
    else {
      console.error(error)
      this.show({ kind: "failed", why: "Something went wrong on this phone. What you recorded is kept." })
    }
    return LONGEST_PAUSE_MS
  }

  private show(status: SyncStatus): void {
    this.status = status
    for (const listener of this.listeners) listener()
  }
}
