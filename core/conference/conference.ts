/**
 * The conference of one node: API declared first, implementation follows in the next commits.
 */
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
import type { RoomEvent, VersionVector } from './events.ts'

export type ParticipantInfo = {
  participant: string
  room: string
  identity: Identity
  self: SelfState
  connected: boolean
}

/**
 * Requests are queued and answered together by `flush`: one transaction on disk for all of them, then the replies in
 * order of request, then the notices. A reply is never called before `flush`.
 */
export interface Conference {
  join(request: JoinRequest, reply: (result: Result<Joined>) => void): void
  /** `not-found` when the participant is not (or no longer) present here. */
  command(
    participant: string,
    command: ParticipantCommand,
    reply: (result: Result<undefined>) => void,
  ): void
  operate(room: string, command: OperatorCommand, reply: (result: Result<undefined>) => void): void
  /** The socket is gone: the session waits 60 s for a resume, then the participant leaves. */
  disconnected(participant: string, connection: number, nowMs: number): void
  /** Writes and answers what is queued, runs what is due, appends notices to `notices`. */
  flush(now: Instant, notices: Notice[]): void
  /** When `flush` is due without any request (monotonic ms), or Infinity. 0 when requests are queued. */
  readonly deadlineMs: number

  summary(room: string): RoomSummary | undefined
  /** Open rooms with somebody in or created by the operator, by name. */
  rooms(): RoomSummary[]
  participant(participant: string): ParticipantInfo | undefined
  roster(room: string, query: RosterQuery): RosterPage
  chatPage(room: string, before: number | undefined, limit: number): ChatPage

  /** Events of other nodes, in ascending sequence per origin; applied and published by the next `flush`. */
  ingest(events: readonly RoomEvent[], now: Instant): void
  versionVector(): VersionVector
}
