import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { App } from "./App"
import { FailureBoundary } from "./ui/Failure"
import "./styles.css"

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <FailureBoundary>
      <App />
    </FailureBoundary>
  </StrictMode>,
)
