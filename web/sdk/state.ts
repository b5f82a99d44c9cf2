/**
 * What the client knows about the conference: one immutable value, and the pure fold of server messages into it.
 * Deliberately without sockets, media or time of its own.
 */
import { CHAT_ENTRIES_MAX } from './limits.ts'
import type {
  ActingMember,
  ChatEntry,
  Counts,
  ErrorCode,
  JoinedMessage,
  Pin,
  Poll,
  Role,
  RoomDelta,
  SelfState,
  ServerMessage,
  SlotState,
  StageMember,
  Successor,
  UpstreamMessage,
} from './messages.ts'
import type { StreamQuality } from './quality.ts'

export type Phase = 'joining' | 'live' | 'reconnecting' | 'ended'

/** `interrupted`: packets stopped, recovery runs; `lost`: a fresh transport is being negotiated. */
export type MediaPhase = 'new' | 'connecting' | 'connected' | 'interrupted' | 'lost'

/** The link from the relay that one is on to the server above. */
export type UpstreamLink = Omit<UpstreamMessage, 'type' | 'forMs'> & {
  /** Since when it is in this state, ms since the epoch, by this machine's clock. */
  readonly sinceMs: number
}

export type EndCause = { code: ErrorCode | 'left'; message: string }

export type ConferenceState = {
  readonly phase: Phase
  /** When this phase began, ms since the epoch. */
  readonly phaseSinceMs: number
  /** While reconnecting: attempts so far, and when the next begins. */
  readonly attempt: number
  readonly nextAttemptAtMs: number
  readonly media: MediaPhase
  /** Grows when the media slots were replaced: read `Conference.slots` again. */
  readonly mediaEpoch: number
  /** Own identity, as the token says; `undefined` before the first `joined`. */
  readonly me: { participant: string; role: Role; name: string; site: string } | undefined
  readonly self: SelfState
  readonly room: string
  readonly revision: number
  readonly locked: boolean
  /** The room goes before all others on every link. */
  readonly emergency: boolean
  readonly pin: Pin | null
  readonly counts: Counts
  readonly stage: readonly StageMember[]
  readonly hands: readonly string[]
  /** Oldest first. */
  readonly polls: readonly Poll[]
  /** Who moderates the island that one is on; empty where it is none. */
  readonly acting: readonly ActingMember[]
  /** Who is to, in the chair's order. */
  readonly succession: readonly Successor[]
  /** Who speaks now, and who is heard now. */
  readonly active: string | null
  readonly heard: readonly string[]
  readonly slots: readonly SlotState[]
  /** Oldest first, at most `CHAT_ENTRIES_MAX`. */
  readonly chat: readonly ChatEntry[]
  /** Whether older entries than `chat[0]` may exist. */
  readonly chatHasMore: boolean
  readonly quality: readonly StreamQuality[]
  /** `undefined` where one is not on a relay. */
  readonly upstream: UpstreamLink | undefined
  readonly ended: EndCause | undefined
}

export const initialState = (nowMs: number): ConferenceState => ({
  phase: 'joining',
  phaseSinceMs: nowMs,
  attempt: 0,
  nextAttemptAtMs: 0,
  media: 'new',
  mediaEpoch: 0,
  me: undefined,
  self: { onStage: false, permitted: [], muted: {}, votes: [] },
  room: '',
  revision: -1,
  locked: false,
  emergency: false,
  pin: null,
  counts: { sites: 0, stage: 0, audience: 0, hands: 0 },
  stage: [],
  hands: [],
  polls: [],
  acting: [],
  succession: [],
  active: null,
  heard: [],
  slots: [],
  chat: [],
  chatHasMore: false,
  quality: [],
  upstream: undefined,
  ended: undefined,
})

/** Entries of both, by number, without duplicates; the newest are kept when there are too many. */
export const mergeChat = (
  known: readonly ChatEntry[],
  added: readonly ChatEntry[],
): ChatEntry[] => {
  const byNumber = new Map<number, ChatEntry>()
  for (const entry of known) byNumber.set(entry.number, entry)
  for (const entry of added) byNumber.set(entry.number, entry)
  const merged = [...byNumber.values()].sort((a, b) => a.number - b.number)
  return merged.slice(-CHAT_ENTRIES_MAX)
}

const applyStage = (
  stage: readonly StageMember[],
  change: NonNullable<RoomDelta['stage']>,
): StageMember[] => {
  const removed = new Set(change.remove ?? [])
  const set = new Map((change.set ?? []).map((member) => [member.participant, member]))
  const kept = stage
    .filter((member) => !removed.has(member.participant))
    .map((member) => {
      const changed = set.get(member.participant)
      set.delete(member.participant)
      return changed ?? member
    })
  return [...kept, ...set.values()]
}

const applyPolls = (known: readonly Poll[], delta: RoomDelta): readonly Poll[] => {
  const { polls: change, tallies = [] } = delta
  if (change === undefined && tallies.length === 0) return known
  const byId = new Map(known.map((poll) => [poll.poll, poll]))
  for (const poll of change?.set ?? []) byId.set(poll.poll, poll)
  for (const id of change?.remove ?? []) byId.delete(id)
  for (const { poll: id, counts } of tallies) {
    const poll = byId.get(id)
    if (poll !== undefined) byId.set(id, { ...poll, counts })
  }
  return [...byId.values()]
}

const applyRoom = (state: ConferenceState, delta: RoomDelta): ConferenceState => {
  if (delta.revision <= state.revision) return state
  return {
    ...state,
    revision: delta.revision,
    counts: delta.counts ?? state.counts,
    hands: delta.hands ?? state.hands,
    locked: delta.locked ?? state.locked,
    emergency: delta.emergency ?? state.emergency,
    pin: delta.pin === undefined ? state.pin : delta.pin,
    polls: applyPolls(state.polls, delta),
    acting: delta.acting ?? state.acting,
    succession: delta.succession ?? state.succession,
    stage: delta.stage === undefined ? state.stage : applyStage(state.stage, delta.stage),
  }
}

/** Slots are told by mid; those that a message does not name stay as they are. */
const applySlots = (known: readonly SlotState[], changed: readonly SlotState[]): SlotState[] => {
  const byMid = new Map(known.map((slot) => [slot.mid, slot]))
  for (const slot of changed) byMid.set(slot.mid, slot)
  return [...byMid.values()]
}

const applyJoined = (state: ConferenceState, joined: JoinedMessage): ConferenceState => ({
  ...state,
  phase: 'live',
  attempt: 0,
  nextAttemptAtMs: 0,
  me: {
    participant: joined.participant,
    role: joined.role,
    name: joined.name,
    site: joined.site,
  },
  room: joined.room.room,
  revision: joined.room.revision,
  locked: joined.room.locked,
  emergency: joined.room.emergency,
  pin: joined.room.pin,
  counts: joined.room.counts,
  stage: joined.room.stage,
  hands: joined.room.hands,
  polls: joined.room.polls,
  acting: joined.room.acting ?? [],
  succession: joined.room.succession ?? [],
  // It may be another server now; a relay says so in the next message.
  upstream: undefined,
  slots: joined.slots ?? (joined.resumed ? state.slots : []),
  chat: mergeChat(state.chat, joined.chat),
  chatHasMore: state.chat.length > 0 ? state.chatHasMore : joined.chat.length >= 50,
})

/** Whether one may do here what chairs do: as the chair, or in the chair's place on an island. */
export const moderates = ({ me, acting }: ConferenceState): boolean =>
  me !== undefined &&
  (me.role === 'chair' || acting.some(({ participant }) => participant === me.participant))

/** How a relay's link fares, with its age as a time of this machine. */
export const upstreamLink = (message: UpstreamMessage, nowMs: number): UpstreamLink => {
  const { type: _type, forMs, ...link } = message
  return { ...link, sinceMs: nowMs - forMs }
}

/** The state after `message`; the same object when nothing changed. */
export const applyMessage = (state: ConferenceState, message: ServerMessage): ConferenceState => {
  switch (message.type) {
    case 'joined':
      return applyJoined(state, message)
    case 'room':
      return applyRoom(state, message)
    case 'speakers':
      return { ...state, active: message.active, heard: message.heard }
    case 'slots':
      return { ...state, slots: applySlots(state.slots, message.slots) }
    case 'self':
      return {
        ...state,
        self: {
          onStage: message.onStage,
          permitted: message.permitted,
          muted: message.muted,
          votes: message.votes ?? [],
        },
      }
    case 'chat':
      return { ...state, chat: mergeChat(state.chat, message.entries) }
    case 'chat-page':
      return { ...state, chat: mergeChat(state.chat, message.entries), chatHasMore: message.more }
    default:
      return state
  }
}
