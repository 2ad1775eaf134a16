import { useRegisterSW } from "virtual:pwa-register/react"
import { useEffect, useRef, useSyncExternalStore } from "react"
import { Link, NavLink, Outlet, useLocation } from "react-router"
import { clockMinutesAhead, onClockChange } from "../api/clock"
import { currentSession, onSessionChange } from "../api/session"
import type { Me } from "../api/types"
import { inState } from "../store/queue"
import { FailureBanner } from "./Failure"
import { useField, useStored, useSyncStatus } from "./field"
import { SyncChip } from "./SyncChip"

/** `needs`: what the user's role has to be able to do. */
const PLACES: { to: string; icon: string; name: string; needs?: Me["capabilities"][number] }[] = [
  { to: "/", icon: "M3 11 12 3l9 8v10h-6v-6H9v6H3z", name: "Today" },
  {
    to: "/load",
    icon: "M3 6h11v10H3zM14 9h4l3 4v3h-7zM6 16v3h3v-3zM16 16v3h3v-3z",
    name: "Load",
    needs: "change_distributions",
  },
  { to: "/sell", icon: "M12 4v16M4 12h16", name: "Sell", needs: "record_sale" },
  { to: "/history", icon: "M5 4h14v17l-3-2-2 2-2-2-2 2-2-2-3 2zM8 9h8M8 13h8", name: "History", needs: "view_sales" },
  { to: "/count", icon: "M4 12l5 6L20 5", name: "Day end", needs: "settle_day" },
]

export function Layout() {
  const session = useSyncExternalStore(onSessionChange, currentSession)
  const { me } = useField()
  const status = useSyncStatus()
  const minutesAhead = useSyncExternalStore(onClockChange, clockMinutesAhead)
  const refused = useStored((database) => inState(database, "rejected").count())
  const {
    needRefresh: [isNewer],
    updateServiceWorker,
  } = useRegisterSW()
  const main = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  // A new screen is read from its heading on, by eye and by screen reader.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the path that tells that the screen is another one
  useEffect(() => {
    window.scrollTo(0, 0)
    main.current?.focus({ preventScroll: true })
  }, [pathname])
  return (
    <>
      <header className="bar">
        <Link to="/" className="brand">
          HSH LPG
        </Link>
        <SyncChip />
      </header>
      {session?.expired && pathname !== "/log-in" && (
        <p className="banner">
          Go on selling. To send what waits, please <Link to="/log-in">log in again</Link>.
        </p>
      )}
      {status.kind === "failed" && (
        <p className="banner" role="alert">
          {status.why}
        </p>
      )}
      {minutesAhead !== 0 && (
        <p className="banner" role="alert">
          This phone's clock is {Math.abs(minutesAhead)} minutes {minutesAhead > 0 ? "fast" : "slow"}. Please set it
          right.
        </p>
      )}
      <FailureBanner />
      {isNewer && (
        <p className="banner">
          A new version is here.{" "}
          <button type="button" className="link" onClick={() => void updateServiceWorker()}>
            Use it now
          </button>
        </p>
      )}
      {refused ? (
        <p className="banner">
          <Link to="/refused">
            {refused} {refused === 1 ? "was" : "were"} refused: see why
          </Link>
        </p>
      ) : null}
      <main ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      <nav className="places" aria-label="Screens">
        {PLACES.filter(({ needs }) => !needs || me.capabilities.includes(needs)).map(({ to, icon, name }) => (
          <NavLink key={to} to={to} end={to === "/"}>
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d={icon} />
            </svg>
            {name}
          </NavLink>
        ))}
      </nav>
    </>
  )
}
