/**
 * The contract of a node's conference, for the doors and (later) the trunk. Implemented in node-conference.ts.
 */

import type { Island } from './acting-chair.ts'
import type { RoomCheckpoint } from './checkpoint.ts'
import type {
  ChatPage,
  Identity,
  Instant,
  Joined,
  JoinRequest,
  Notice,
  OperatorCommand,
  ParticipantCommand,
  Result,
  RoomSummary,
  RosterPage,
  RosterQuery,
  SelfState,
} from './commands.ts'
import type { AppendResult, EventReader } from './event-store.ts'
import type { RoomEvent, VersionVector } from './events.ts'
import type { IngestResult } from './ingest.ts'
import type { Role } from './roles.ts'
import type { RandomBytes } from './sessions.ts'

export type ParticipantInfo = {
  participant: string
  room: string
  role: Role
  name: string
  site: string
  self: SelfState
  connected: boolean
}

/** How writing fares: anything but `ok` means that control stands still while media flows. */
export type StoreState = 'ok' | 'full' | 'read-only' | 'failed'

export type Reply<T> = (result: Result<T>) => void

export type ConferenceOptions = {
  store: EventReader
  /** Cryptographic randomness for ids and secrets. */
  randomBytes: RandomBytes
  now: Instant
  /** Whether an authorised join opens a room that is not open (default true), or only the operator does. */
  joinCreatesRooms?: boolean
  /**
   * Whether this node closes rooms that are empty (default true). A node with an upstream does not: only the topmost
   * sees everybody.
   */
  closesEmptyRooms?: boolean
  /** Hears of bugs that were contained: a request that failed alone, a room that was closed alone. */
  onFault?: (error: unknown) => void
}

/**
 * Requests are queued and decided together by `flush`, which hands out one batch for the disk; `settle` says what
 * became of it: then come the replies in order of request, then the notices. While a batch is on its way further
 * requests gather for the next, and all that can be read here is as it is on disk. A reply must not throw.
 */
export interface Conference {
  readonly nodeId: string
  readonly storeState: StoreState
  join(request: JoinRequest, reply: Reply<Joined>): void
  /** `not-found` when the participant is not (or no longer) present here. */
  command(participant: string, command: ParticipantCommand, reply: Reply<undefined>): void
  /** `not-found` when the room is not open, except for `create-room`. */
  operate(room: string, command: OperatorCommand, reply: Reply<undefined>): void
  /** The socket is gone: the session waits 60 s for a resume, then the participant leaves. */
  disconnected(participant: string, connection: number, nowMs: number): void
  /**
   * Decides what is queued or due and appends due notices to `notices`. Returns the batch that must be appended to the
   * log and then settled (an empty one only tries the disk), or undefined when there is none, or one is on its way.
   */
  flush(now: Instant, notices: Notice[]): readonly RoomEvent[] | undefined
  /** What became of the batch of the last `flush`. Call `flush` again afterwards: requests may have gathered. */
  settle(result: AppendResult, now: Instant, notices: Notice[]): void
  /** What closed rooms leave behind, to be kept before the next batch is appended; once each. */
  takeCheckpoints(): RoomCheckpoint[]
  /** When `flush` is due (monotonic ms), or Infinity; 0 when something is queued and no batch is on its way. */
  readonly deadlineMs: number

  summary(room: string): RoomSummary | undefined
  /** The same text at every node that has the same events of it; undefined when the room is not open. */
  stateText(room: string): string | undefined
  /** Open rooms, by name. Not to be altered. */
  rooms(): RoomSummary[]
  /** A participant whose session is held by this node. */
  participant(participant: string): ParticipantInfo | undefined
  /** Whether a kick keeps the holder of these claims out of this open room at Unix `wallMs`. */
  isBarred(room: string, claims: Pick<Identity, 'subject' | 'tokenId'>, wallMs: number): boolean
  /** Empty when the room is not open. */
  roster(room: string, query: RosterQuery): RosterPage
  chatPage(room: string, before: number | undefined, limit: number): ChatPage

  /** Queues events of other nodes (ascending per origin) to be stored and folded; answered as a request is. */
  ingest(events: readonly RoomEvent[], reply: (result: IngestResult) => void): void
  /** Of what is on disk. */
  versionVector(): VersionVector
  /**
   * How this node stands in the tree, whenever that changes: the topmost node of an island (and what hangs below it),
   * or (undefined) one whose upstream is there. Rooms without a chair here get an acting one. Wake the host
   * afterwards.
   */
  setIsland(island: Island | undefined): void
  /** Sends home whoever is present here without waiting: for a graceful end of the node. */
  leaveAll(): void
}
