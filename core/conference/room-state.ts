/**
 * The state of a room: what the fold of its events makes, and nothing else (no sessions, no clocks, no revisions).
 * Records are immutable and shared between snapshots; the containers are owned and mutated by the fold.
 */
import type { SourceUse } from '../media/control.ts'
import type { ChatEntry, GoneCause, Identity, Mutes, Pin } from './commands.ts'
import type { RoomCloseCause, Successor } from './events.ts'
import { type ActingChair, cloneActing, type Floor } from './floor.ts'
import { wallMsOfTime } from './hybrid-clock.ts'
import { clonePolls, type Polls } from './polls.ts'
import type { Role } from './roles.ts'

export const SOURCE_USES = ['microphone', 'camera', 'screen'] as const satisfies SourceUse[]

/** A present participant. `origin` is the node that let it in and holds its session. */
export type Participant = Readonly<{
  id: string
  origin: string
  role: Role
  name: string
  site: string
  subject: string
  tokenId: string
  tokenExpiresMs: number
  onStage: boolean
  live: readonly SourceUse[]
  muted: Readonly<Mutes>
}>

/** Keeps a kicked subject or token out until both the token has ended and the room was closed. */
export type Bar = Readonly<{ expiresMs: number; generation: number }>

export type RoomState = {
  readonly room: string
  open: boolean
  /** Why it was closed last, null before and while open. */
  closedBy: RoomCloseCause | null
  /** Counts openings, so that a bar knows whether the room has been closed since. */
  generation: number
  /** Whether anybody has been in since it was opened. */
  used: boolean
  /** What holds here: that of an island while there is one, else the home's. */
  locked: boolean
  emergency: boolean
  pin: Pin | null
  home: Floor
  /** By the node that appointed; the last one's floor holds. */
  acting: Map<string, ActingChair>
  succession: readonly Successor[]
  participants: Map<string, Participant>
  /** In order of coming on stage. */
  stage: Set<string>
  /** In order of raising. */
  hands: Set<string>
  /** Present participants by site. */
  sites: Map<string, number>
  barredSubjects: Map<string, Bar>
  barredTokens: Map<string, Bar>
  polls: Polls
  /** Newest last, at most CHAT_ENTRIES_PER_ROOM_MAX. */
  chat: ChatEntry[]
}

/** What one or more events changed, for deltas and notices. */
export type RoomChanges = {
  /** Ids whose stage entry may differ, present or not. */
  stage: Set<string>
  /** Ids whose SelfState may differ. */
  selves: Set<string>
  added: string[]
  gone: Map<string, { cause: GoneCause; reason: string }>
  chat: ChatEntry[]
  counts: boolean
  hands: boolean
  locked: boolean
  emergency: boolean
  pin: boolean
  acting: boolean
  succession: boolean
  /** Polls that were opened, closed, or are no longer at hand; and those with other counts. */
  polls: Set<string>
  tallies: Set<string>
  closed: RoomCloseCause | null
  /** The past was rewritten: indexes over participants start again. */
  refolded: boolean
}

const UNMUTED: Readonly<Mutes> = Object.freeze({
  microphone: { self: false, chair: false },
  camera: { self: false, chair: false },
  screen: { self: false, chair: false },
})

/** The mutes that everyone starts with. */
export function noMutes(): Readonly<Mutes> {
  return UNMUTED
}

/** A room before its first event. */
export function createRoomState(room: string): RoomState {
  return {
    room,
    open: false,
    closedBy: null,
    generation: 0,
    used: false,
    locked: false,
    emergency: false,
    pin: null,
    home: { locked: false, emergency: false, pin: null },
    acting: new Map(),
    succession: [],
    participants: new Map(),
    stage: new Set(),
    hands: new Set(),
    sites: new Map(),
    barredSubjects: new Map(),
    barredTokens: new Map(),
    polls: new Map(),
    chat: [],
  }
}

/** An independent copy; cost grows with participants, bars and chat, records are shared. */
export function cloneRoomState(state: RoomState): RoomState {
  return {
    ...state,
    home: { ...state.home },
    acting: cloneActing(state.acting),
    participants: new Map(state.participants),
    stage: new Set(state.stage),
    hands: new Set(state.hands),
    sites: new Map(state.sites),
    barredSubjects: new Map(state.barredSubjects),
    barredTokens: new Map(state.barredTokens),
    polls: clonePolls(state.polls),
    chat: state.chat.slice(),
  }
}

export function createRoomChanges(): RoomChanges {
  return {
    stage: new Set(),
    selves: new Set(),
    added: [],
    gone: new Map(),
    chat: [],
    counts: false,
    hands: false,
    locked: false,
    emergency: false,
    pin: false,
    acting: false,
    succession: false,
    polls: new Set(),
    tallies: new Set(),
    closed: null,
    refolded: false,
  }
}

/** Whether a source is silenced by either of its two flags. */
export function isMuted(muted: Readonly<Mutes>, use: SourceUse): boolean {
  return muted[use].self || muted[use].chair
}

/** Whether a kick keeps the holder of these claims out at Unix `wallMs`. */
export function isBarred(
  state: RoomState,
  identity: Pick<Identity, 'subject' | 'tokenId'>,
  wallMs: number,
): boolean {
  return (
    stands(state, state.barredSubjects.get(identity.subject), wallMs) ||
    stands(state, state.barredTokens.get(identity.tokenId), wallMs)
  )
}

/** The same at an event's time, which is what the fold must use. */
export function isBarredAt(
  state: RoomState,
  identity: Pick<Identity, 'subject' | 'tokenId'>,
  time: number,
): boolean {
  return isBarred(state, identity, wallMsOfTime(time))
}

/** Whether a bar still has force: in the opening it was made in for good, later until the token ends. */
export function stands(state: RoomState, bar: Bar | undefined, wallMs: number): boolean {
  return bar !== undefined && (bar.generation === state.generation || wallMs < bar.expiresMs)
}
