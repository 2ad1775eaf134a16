import { useSyncExternalStore } from "react"
import { HashRouter, Route, Routes } from "react-router"
import { currentSession, onSessionChange } from "./api/session"
import { CountScreen } from "./count/CountScreen"
import { CustomersScreen } from "./customers/CustomersScreen"
import { HistoryScreen } from "./history/HistoryScreen"
import { LoadScreen } from "./load/LoadScreen"
import { PastReceiptScreen, ReceiptScreen } from "./receipt/ReceiptScreen"
import { RefusedScreen } from "./refused/RefusedScreen"
import { SellScreen } from "./sell/SellScreen"
import { LogInScreen } from "./session/LogInScreen"
import { TodayScreen } from "./today/TodayScreen"
import { FieldProvider } from "./ui/field"
import { Layout } from "./ui/Layout"
import { VehicleScreen } from "./vehicle/VehicleScreen"

export function App() {
  const session = useSyncExternalStore(onSessionChange, currentSession)
  if (!session) {
    return (
      <main>
        <LogInScreen />
      </main>
    )
  }
  return (
    <FieldProvider key={session.me.id} me={session.me}>
      {/* Behind the #: one document serves every screen, also where there is no server to ask. */}
      <HashRouter>
        <Routes>
          <Route element={<Layout />}>
            <Route index element={<TodayScreen />} />
            <Route path="log-in" element={<LogInScreen username={session.me.username} />} />
            <Route path="vehicle" element={<VehicleScreen />} />
            <Route path="load" element={<LoadScreen />} />
            <Route path="sell" element={<CustomersScreen />} />
            <Route path="sell/:customer" element={<SellScreen />} />
            <Route path="receipt/:operation" element={<ReceiptScreen />} />
            <Route path="sale/:sale" element={<PastReceiptScreen />} />
            <Route path="history" element={<HistoryScreen />} />
            <Route path="refused" element={<RefusedScreen />} />
            <Route path="count" element={<CountScreen />} />
            <Route path="*" element={<TodayScreen />} />
          </Route>
        </Routes>
      </HashRouter>
    </FieldProvider>
  )
}
