/** The tree of relays as the page shows it: the worst first, one row each, and what needs to be looked at. Pure. */
import type { Mark, RelayStatus, TrunkStatus } from '../../../relay/status/trunk-status.ts'
import { TROUBLE_ORDER } from './codes.ts'

export type RelayRow = {
  relay: RelayStatus
  /** 0 = a child of this node. */
  depth: number
  /** Names from this node down to its parent. */
  path: string[]
}

export type MarkCounts = Readonly<Record<Mark, number>>

const MARK_RANK: Readonly<Record<Mark, number>> = { red: 0, amber: 1, green: 2 }

/** Smaller is worse: mark, then trouble, then how many sites it concerns. */
function compare(a: RelayStatus, b: RelayStatus): number {
  return (
    MARK_RANK[a.mark] - MARK_RANK[b.mark] ||
    troubleRank(a) - troubleRank(b) ||
    b.sitesBelow - a.sitesBelow ||
    (a.name < b.name ? -1 : 1)
  )
}

function troubleRank({ troubles }: RelayStatus): number {
  const [worst] = troubles
  return worst === undefined ? TROUBLE_ORDER.length : TROUBLE_ORDER.indexOf(worst)
}

/** The worst of a relay and all below it. */
function worstOf(relay: RelayStatus): RelayStatus {
  let worst = relay
  for (const child of relay.children) {
    const below = worstOf(child)
    if (compare(below, worst) < 0) worst = below
  }
  return worst
}

/** Every relay under its parent; among siblings the one with the worst below it first. */
export function rowsOf(status: TrunkStatus): RelayRow[] {
  const rows: RelayRow[] = []
  const add = (relays: readonly RelayStatus[], depth: number, path: string[]): void => {
    const worst = new Map(relays.map((relay) => [relay, worstOf(relay)]))
    const sorted = [...relays].sort(
      (a, b) => compare(worst.get(a) ?? a, worst.get(b) ?? b) || compare(a, b),
    )
    for (const relay of sorted) {
      rows.push({ relay, depth, path })
      add(relay.children, depth + 1, [...path, relay.name])
    }
  }
  add(status.children, 0, [status.node.name])
  return rows
}

/** Rows that need a look, worst first. */
export function worstRows(rows: readonly RelayRow[]): RelayRow[] {
  const troubled = rows.filter(({ relay }) => relay.mark !== 'green')
  return troubled.sort((a, b) => compare(a.relay, b.relay))
}

/** Those with trouble, and whoever they hang on. */
export function troubledRows(rows: readonly RelayRow[]): RelayRow[] {
  const hasTrouble = ({ mark, children }: RelayStatus): boolean =>
    mark !== 'green' || children.some(hasTrouble)
  return rows.filter(({ relay }) => hasTrouble(relay))
}

export function countMarks(rows: readonly RelayRow[]): MarkCounts {
  const counts = { red: 0, amber: 0, green: 0 }
  for (const { relay } of rows) counts[relay.mark] += 1
  return counts
}
