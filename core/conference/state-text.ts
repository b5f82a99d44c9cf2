/**
 * The state of a room as one text that is the same wherever the same events were folded: for comparing nodes. Not a
 * format: nobody reads it back.
 */
import type { RoomState } from './room-state.ts'

/** JSON with maps by key; the order of sets and lists is part of the state. Costs as much as the room is large. */
export function stateText(state: RoomState): string {
  return JSON.stringify(plain(state))
}

function plain(value: unknown): unknown {
  if (value instanceof Map) {
    const entries = [...value].map(([key, entry]) => [String(key), plain(entry)] as const)
    return entries.sort(([a], [b]) => (a < b ? -1 : 1))
  }
  if (value instanceof Set) return [...value].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, entry]) => [key, plain(entry)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
