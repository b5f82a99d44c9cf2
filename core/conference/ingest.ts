/**
 * Which events of another node are news: "the last I have of each origin" and the difference (design §3). Duplicates
 * are ignored, a gap is refused, and so is what lies too far ahead of our clock; both are asked for again later.
 */
import type { RoomEvent, VersionVector } from './events.ts'

export type IngestResult = {
  acceptedCount: number
  /** Why the rest was not taken: `gap` asks for earlier events first, `clock-ahead` waits for its time. */
  refused: 'gap' | 'clock-ahead' | 'store-unavailable' | null
}

type Known = {
  vector: VersionVector
  /** Damaged places, which the same event repairs. */
  lost: readonly { origin: string; sequence: number }[]
  observe: (time: number) => boolean
}

/** The events to store and fold; an origin stops at its first refused event, the others go on. */
export function sortOutIngest(
  events: readonly RoomEvent[],
  known: Known,
): { accepted: RoomEvent[]; result: IngestResult } {
  const next = new Map<string, number>()
  const stopped = new Set<string>()
  const lost = new Set(known.lost.map(({ origin, sequence }) => `${sequence} ${origin}`))
  const accepted: RoomEvent[] = []
  let refused: IngestResult['refused'] = null
  for (const event of events) {
    const { origin, sequence } = event
    const expected = next.get(origin) ?? (known.vector[origin] ?? 0) + 1
    if (sequence < expected) {
      if (event.type !== 'lost' && lost.delete(`${sequence} ${origin}`)) accepted.push(event)
      continue
    }
    if (stopped.has(origin)) continue
    if (sequence > expected || !known.observe(event.time)) {
      refused = sequence > expected ? 'gap' : 'clock-ahead'
      stopped.add(origin)
      continue
    }
    next.set(origin, sequence + 1)
    accepted.push(event)
  }
  return { accepted, result: { acceptedCount: accepted.length, refused } }
}

/** What a node with vector `theirs` lacks of ours: per origin the last sequence that it has. */
export function missingOf(ours: VersionVector, theirs: VersionVector): VersionVector {
  const missing: VersionVector = {}
  for (const [origin, sequence] of Object.entries(ours)) {
    const has = theirs[origin] ?? 0
    if (has < sequence) missing[origin] = has
  }
  return missing
}
