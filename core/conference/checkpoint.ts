/**
 * What a closed room leaves behind, as text: whoever opens it again reads this and what came later,
 * not the whole of its past. Only a saving: without it, or with one of another version, the log is
 * read from its beginning. Deliberately of closed rooms only, since these hold nobody.
 */
import type { EventPosition } from './events.ts'
import { createRoomState, type RoomState } from './room-state.ts'

/** `last` is the last event that is in it; `text` is for `stateOfCheckpoint` alone. */
export type RoomCheckpoint = { room: string; last: EventPosition; text: string }

/** To be raised whenever the fold comes to another state from the same events. */
const FOLD_VERSION = 1

/** The checkpoint of a closed room; cost grows with its chat and bars. */
export function checkpointOf(state: RoomState, last: EventPosition): RoomCheckpoint {
  const { room, closedBy, generation, used, locked, chat } = state
  const barredSubjects = [...state.barredSubjects]
  const barredTokens = [...state.barredTokens]
  const kept = { closedBy, generation, used, locked, chat, barredSubjects, barredTokens }
  const { time, origin, sequence } = last
  return {
    room,
    last: { time, origin, sequence },
    text: JSON.stringify({ version: FOLD_VERSION, ...kept }),
  }
}

/** The state, owned by the caller; undefined when another version of the fold wrote it. */
export function stateOfCheckpoint({ room, text }: RoomCheckpoint): RoomState | undefined {
  const kept = JSON.parse(text)
  if (kept.version !== FOLD_VERSION) return undefined
  const { closedBy, generation, used, locked, chat } = kept
  return {
    ...createRoomState(room),
    ...{ closedBy, generation, used, locked, chat },
    home: { locked, emergency: false, pin: null },
    barredSubjects: new Map(kept.barredSubjects),
    barredTokens: new Map(kept.barredTokens),
  }
}
