/** 9 kg before 12.7 kg, as people count. */
const people = new Intl.Collator("en-SG", { numeric: true })

export function bySku(one: { sku: string }, other: { sku: string }): number {
  return people.compare(one.sku, other.sku)
}

export function byName(one: { name: string }, other: { name: string }): number {
  return people.compare(one.name, other.name)
}

export function byNumber(one: { number: string }, other: { number: string }): number {
  return people.compare(one.number, other.number)
}
