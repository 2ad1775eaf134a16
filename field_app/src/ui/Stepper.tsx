type Props = { label: string; value: number; onChange: (value: number) => void; max?: number }

/** A whole number by thumb. */
export function Stepper({ label, value, onChange, max = 9999 }: Props) {
  const set = (next: number) => onChange(Math.min(Math.max(0, next), max))
  return (
    <span className="stepper">
      <button type="button" aria-label={`One less ${label}`} disabled={value === 0} onClick={() => set(value - 1)}>
        −
      </button>
      <input
        inputMode="numeric"
        aria-label={label}
        value={value === 0 ? "" : value}
        placeholder="0"
        onChange={(event) => set(Number.parseInt(event.target.value.replace(/\D/g, "") || "0", 10))}
      />
      <button type="button" aria-label={`One more ${label}`} onClick={() => set(value + 1)}>
        +
      </button>
    </span>
  )
}
