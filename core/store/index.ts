/** The door of the store: the event log on disk, and the host that drives a conference by the clock. */
import type {
  Conference,
  Joined,
  JoinRequest,
  Notice,
  OperatorCommand,
  ParticipantCommand,
  Result,
} from '../conference/index.ts'

/** Drives a Conference: flushes a few ms after the first request and at deadlines; requests become promises. */
export interface ConferenceHost {
  readonly conference: Conference
  join(request: JoinRequest): Promise<Result<Joined>>
  command(participant: string, command: ParticipantCommand): Promise<Result<undefined>>
  operate(room: string, command: OperatorCommand): Promise<Result<undefined>>
  disconnected(participant: string, connection: number): void
  /** Called after the facts are on disk and the replies are given, in order. */
  onNotice: (notice: Notice) => void
  /** Answers what is queued, then stops; later requests get `bad-state`. */
  close(): Promise<void>
}
