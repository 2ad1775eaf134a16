import { useState } from "react"
import { logIn, Unreachable } from "../api/session"

/** With a `username`, only that user can go on: what waits is theirs. */
export function LogInScreen({ username }: { username?: string }) {
  const [problem, setProblem] = useState("")
  const [isWorking, setIsWorking] = useState(false)
  const submit = async (form: FormData) => {
    setProblem("")
    setIsWorking(true)
    try {
      await logIn(username ?? String(form.get("username")), String(form.get("password")))
      if (username) window.location.hash = "#/"
    } catch (error) {
      setProblem(
        error instanceof Unreachable ? "There is no network here. Please try again." : (error as Error).message,
      )
    } finally {
      setIsWorking(false)
    }
  }
  return (
    <div className="log-in">
      <h1>
        HSH LPG
        <small>Field app</small>
      </h1>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit(new FormData(event.currentTarget))
        }}
      >
        <label>
          User name
          <input
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            {...(username ? { value: username, readOnly: true } : {})}
          />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" className="primary" disabled={isWorking}>
          {isWorking ? "Logging in …" : "Log in"}
        </button>
      </form>
    </div>
  )
}
