/**
 * What a conference is asked and what it answers and tells: plain data, named as on the wire
 * (docs/PROTOCOL.md §1) so that a session maps them by copying fields. Deliberately not validated
 * here beyond what the conference itself knows: lengths and types of fields are the doors'
 * business.
 */
import type { SourceUse } from '../media/control.ts'
import type { RoomCloseCause } from './events.ts'
import type { PollSummary } from './polls.ts'
import type { Role } from './roles.ts'

/** The codes of PROTOCOL §1.3 that a conference can answer with. */
export type ConferenceErrorCode =
  | 'bad-state'
  | 'forbidden'
  | 'not-found'
  | 'room-locked'
  | 'room-full'
  | 'kicked'
  | 'too-large'
  | 'session-gone'
  | 'overloaded'
  | 'store-unavailable'
  | 'internal'

export type ConferenceError = { ok: false; code: ConferenceErrorCode; message: string }

/** Two clocks: `nowMs` monotonic (deadlines), `wallMs` Unix time (stamps events; may step by an hour). */
export type Instant = { nowMs: number; wallMs: number }

/** What a verified token says about its holder. Strings are already bounded by the doors. */
export type Identity = {
  role: Role
  name: string
  site: string
  /** Token claims `sub` and `jti`; empty when absent. Both stay out of the room after a kick. */
  subject: string
  tokenId: string
  tokenExpiresMs: number
}

export type JoinRequest = {
  room: string
  identity: Identity
  /** Number of the socket, unique within a run; a stale socket's `disconnected` is then ignored. */
  connection: number
  resume?: { session: string; secret: string }
}

/** A site, or a participant of the room. */
export type SuccessorWish = { site: string } | { participant: string }

/** What a participant may ask; fields as on the wire. */
export type ParticipantCommand =
  | { type: 'publish'; use: SourceUse; live: boolean }
  | { type: 'mute'; participant?: string; use: SourceUse; muted: boolean }
  | { type: 'hand'; raised: boolean; participant?: string }
  | { type: 'chat'; text: string }
  | { type: 'stage'; participant: string; onStage: boolean }
  | { type: 'pin'; participant: string | null; use?: SourceUse }
  | { type: 'kick'; participant: string; reason?: string }
  | { type: 'lock'; locked: boolean }
  | { type: 'emergency'; on: boolean }
  | { type: 'poll-open'; question: string; options: string[] }
  | { type: 'poll-close'; poll: string }
  | { type: 'vote'; poll: string; option: number }
  | { type: 'succession'; order: SuccessorWish[] }
  | { type: 'close-room' }
  | { type: 'leave' }

/** What the REST door may ask, with the powers of a chair who is not in the room. */
export type OperatorCommand =
  | { type: 'create-room' }
  | Exclude<ParticipantCommand, { type: 'publish' | 'chat' | 'vote' | 'leave' }>

export type Mutes = Record<SourceUse, { self: boolean; chair: boolean }>

/** PROTOCOL `self`, and which sources are live: all that media permissions depend on. */
export type SelfState = {
  onStage: boolean
  permitted: SourceUse[]
  muted: Mutes
  live: SourceUse[]
  /** What this one has voted, by option, in polls that are at hand. */
  votes: { poll: string; option: number }[]
}

export type StageMember = {
  participant: string
  name: string
  site: string
  role: Role
  sources: { [use in SourceUse]?: { muted: boolean } }
}

export type Counts = { sites: number; stage: number; audience: number; hands: number }

export type Pin = { participant: string; use: SourceUse }

/** One who acts as chair on an island. */
export type ActingMember = { participant: string; name: string; site: string }

/** PROTOCOL RoomState. `hands` holds the first HANDS_SHOWN_MAX of the queue, `counts.hands` all. */
export type RoomSummary = {
  room: string
  revision: number
  locked: boolean
  emergency: boolean
  pin: Pin | null
  counts: Counts
  stage: StageMember[]
  hands: string[]
  /** Oldest first. */
  polls: PollSummary[]
  /** Who moderates on the island that this node is part of; empty where it is none. */
  acting: ActingMember[]
  /** Who is to, in order. */
  succession: SuccessorWish[]
}

/** PROTOCOL `room`: what changed since `revision - 1`. */
export type RoomDelta = {
  revision: number
  counts?: Counts
  stage?: { set: StageMember[]; remove: string[] }
  hands?: string[]
  locked?: boolean
  emergency?: boolean
  /** Polls that were opened or closed, and those that are no longer at hand. */
  polls?: { set: PollSummary[]; remove: string[] }
  /** Counts alone of other polls. */
  tallies?: { poll: string; counts: number[] }[]
  pin?: Pin | null
  acting?: ActingMember[]
  succession?: SuccessorWish[]
}

/**
 * `number` is the entry's hybrid time: a safe integer (not a uint32!) that grows in the room's order and does not
 * change when an island's entries arrive late. `time` is Unix ms.
 */
export type ChatEntry = {
  number: number
  participant: string
  name: string
  site: string
  text: string
  time: number
}

export type ChatPage = { entries: ChatEntry[]; more: boolean }

export type RosterMember = {
  participant: string
  name: string
  site: string
  role: Role
  onStage: boolean
}

export type RosterPage = { members: RosterMember[]; cursor: string | null; total: number }

export type RosterQuery = { cursor?: string; limit: number; search?: string }

/** PROTOCOL `joined` without the media part. */
export type Joined = {
  session: string
  secret: string
  resumed: boolean
  participant: string
  role: Role
  name: string
  site: string
  room: RoomSummary
  chat: ChatEntry[]
  self: SelfState
}

export type Result<T> = { ok: true; value: T } | ConferenceError

/**
 * What the conference tells unasked, after the facts are on disk. `room` goes to everyone in the room, `chat` too,
 * `self` to the participant (and to the media plane: permit, mute), `gone` ends a participant's connection and media.
 */
export type Notice =
  | { type: 'room'; room: string; delta: RoomDelta }
  | { type: 'chat'; room: string; entries: ChatEntry[] }
  | { type: 'self'; room: string; participant: string; self: SelfState }
  | { type: 'gone'; room: string; participant: string; cause: GoneCause; reason: string }
  | { type: 'room-closed'; room: string; cause: RoomCloseCause }

export type GoneCause = 'left' | 'kicked' | 'session-gone' | 'room-closed'
