import { Component, type ReactNode, useEffect, useState } from "react"

const SAID = "Something went wrong on this phone. What was recorded before is kept."

/** What a screen throws while it is drawn. */
export class FailureBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override render() {
    if (!this.state.failed) return this.props.children
    return (
      <main>
        <h1>HSH LPG</h1>
        <p role="alert">{SAID}</p>
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          Open it again
        </button>
      </main>
    )
  }
}

/** What a tap started, and nobody caught: a full disk, a database that another tab closed. */
export function FailureBanner() {
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    const onFailure = () => setFailed(true)
    window.addEventListener("unhandledrejection", onFailure)
    return () => window.removeEventListener("unhandledrejection", onFailure)
  }, [])
  return failed ? (
    <p className="banner" role="alert">
      {SAID} If the last tap had no effect, please repeat it.
    </p>
  ) : null
}
