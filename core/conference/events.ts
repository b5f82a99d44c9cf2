/**
 * The facts of a conference and their one total order (design §3). Deliberately not what they mean: that is fold.ts.
 *
 * Order of two events: by `time`, then `origin` (code units), then `sequence`. It is the same on every node, whatever
 * the order of arrival. Within one origin, `time` and `sequence` grow together.
 */
import type { SourceUse } from '../media/control.ts'
import type { Role } from './roles.ts'

/** Why a participant is no longer present; `node-restarted` is written by the node that lost its sessions. */
export type LeaveCause = 'left' | 'connection-lost' | 'node-restarted' | 'room-closed'

/** `fault`: a bug of ours broke the room on its node. */
export type RoomCloseCause = 'chair' | 'operator' | 'empty' | 'fault'

/** Payload by event type. Participant ids are unique over all nodes, so an event never needs its origin to be read. */
export type EventPayloads = {
  'room-created': { by: 'operator' | 'join' }
  'room-closed': { cause: RoomCloseCause }
  joined: {
    participant: string
    role: Role
    name: string
    site: string
    /** Of the token; empty when it had none. Looked up when a kicked one returns. */
    subject: string
    tokenId: string
    /** Unix ms at which the token ends. */
    tokenExpiresMs: number
    onStage: boolean
  }
  left: { participant: string; cause: LeaveCause }
  published: { participant: string; use: SourceUse; live: boolean }
  muted: { participant: string; use: SourceUse; muted: boolean; by: 'self' | 'chair' }
  'hand-raised': { participant: string }
  'hand-lowered': { participant: string }
  staged: { participant: string; onStage: boolean }
  /**
   * `island`: by the acting chair that this node appointed, so it ends with the island. The same at `locked`,
   * `emergency`.
   */
  pinned: ({ participant: string; use: SourceUse } | { participant: null }) & { island?: string }
  kicked: {
    participant: string
    subject: string
    tokenId: string
    tokenExpiresMs: number
    reason: string
  }
  locked: { locked: boolean; island?: string }
  /** An emergency goes before every other room on every link (design §4). */
  emergency: { on: boolean; island?: string }
  /** In order. */
  succession: { order: Successor[] }
  /**
   * By the topmost node of an island; `nodes` are those of the island (its own id among them), whose people are
   * moderated.
   */
  'acting-chair': { participant: string | null; nodes: string[]; cause: ActingChairCause }
  /** Its id is made from its place (polls.ts). `by` is empty for the operator. */
  'poll-opened': { question: string; options: string[]; by: string }
  'poll-closed': { poll: string }
  /** `option` is an index. The last vote of a voter counts, until the poll is closed. */
  vote: { participant: string; poll: string; option: number }
  chat: { participant: string; name: string; site: string; text: string }
  /** Stands where a damaged event was quarantined, so that the origin has no gap; folds to nothing. */
  lost: Record<string, never>
}

/** Whom the chair wants to moderate where a part of the tree is cut off: anybody of a site, or one person. */
export type Successor =
  | { site: string }
  /** `subject` of the token, so that one who comes again is still meant; empty when it had none. */
  | { participant: string; subject: string }

/** Why there is another acting chair, or none: the cut, the one before is gone, a chair is here, the heal. */
export type ActingChairCause = 'island' | 'gone' | 'chair' | 'heal'

type EventType = keyof EventPayloads

/** A fact without its place in the order. */
export type Fact = { [T in EventType]: { type: T; payload: EventPayloads[T] } }[EventType]

/** A fact in its place. `sequence` counts from 1 without gaps per origin; `time` is a hybrid time (clock.ts). */
export type RoomEvent = Fact & { origin: string; sequence: number; time: number; room: string }

/** Where an event stands in the total order. */
export type EventPosition = Pick<RoomEvent, 'time' | 'origin' | 'sequence'>

/** Negative when `a` comes before `b`, 0 only for the same event. */
export function compareEvents(a: EventPosition, b: EventPosition): number {
  if (a.time !== b.time) return a.time - b.time
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1
  return a.sequence - b.sequence
}

/** "The last I have of each origin": origin to highest sequence. */
export type VersionVector = Record<string, number>
