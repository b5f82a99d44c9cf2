/**
 * Drives a conference by the clock: gathers requests for a few ms (longer when the disk is slow)
 * into one transaction, wakes at its deadlines, turns replies into promises and hands out notices.
 * Decides nothing.
 */
import { STORE_BATCH_MS, STORE_BATCH_MS_MAX } from '../../config/limits.ts'
import type {
  Conference,
  Instant,
  Joined,
  JoinRequest,
  Notice,
  OperatorCommand,
  ParticipantCommand,
  Result,
} from '../conference/index.ts'

const TIMER_MS_MAX = 2_147_483_647
/** A slow disk (or many rooms) gets this many times its own time as a pause, in which requests gather. */
const PAUSE_PER_FLUSH = 2

export interface ConferenceHost {
  readonly conference: Conference
  /**
   * Set by the doors. Called after the facts are on disk, in order, and after the promises of the same batch have been
   * settled and their continuations have run, so `joined` leaves before the first `room`.
   */
  onNotice: (notice: Notice) => void
  join(request: JoinRequest): Promise<Result<Joined>>
  command(participant: string, command: ParticipantCommand): Promise<Result<undefined>>
  operate(room: string, command: OperatorCommand): Promise<Result<undefined>>
  disconnected(participant: string, connection: number): void
  /** Two clocks: monotonic for deadlines, Unix time for stamps. */
  now(): Instant
  /** Looks at the deadline again, after something else than this host gave the conference work (`ingest`). */
  wake(): void
  /** Lets everybody who is present here leave, answers what is queued, then stops. Idempotent. */
  close(): Promise<void>
}

/** `now` is for tests; by default the system's clocks. */
export function createConferenceHost(
  conference: Conference,
  now: () => Instant = systemNow,
): ConferenceHost {
  return new Host(conference, now)
}

const CLOSED = { ok: false, code: 'bad-state', message: 'the node is closing' } as const

class Host implements ConferenceHost {
  readonly conference: Conference
  onNotice: (notice: Notice) => void = () => {}
  readonly now: () => Instant
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  /** How long requests are gathered now: the main thread never waits for the disk more than a third of its time. */
  #batchMs = STORE_BATCH_MS
  #isClosed = false

  constructor(conference: Conference, now: () => Instant) {
    this.conference = conference
    this.now = now
    this.wake()
  }

  join(request: JoinRequest): Promise<Result<Joined>> {
    return this.#ask((reply) => this.conference.join(request, reply))
  }

  command(participant: string, command: ParticipantCommand): Promise<Result<undefined>> {
    return this.#ask((reply) => this.conference.command(participant, command, reply))
  }

  operate(room: string, command: OperatorCommand): Promise<Result<undefined>> {
    return this.#ask((reply) => this.conference.operate(room, command, reply))
  }

  disconnected(participant: string, connection: number): void {
    this.conference.disconnected(participant, connection, this.now().nowMs)
    this.wake()
  }

  wake(): void {
    if (this.#isClosed) return
    const { nowMs } = this.now()
    const atMs = Math.max(this.conference.deadlineMs, nowMs + this.#batchMs)
    if (atMs >= this.#timerAtMs || atMs === Number.POSITIVE_INFINITY) return
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    this.#timer = setTimeout(() => this.#flush(), Math.min(atMs - nowMs, TIMER_MS_MAX))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.conference.leaveAll()
    this.#flush()
    this.#isClosed = true
    clearTimeout(this.#timer)
    await new Promise((resolve) => setImmediate(resolve))
  }

  #ask<T>(request: (reply: (result: Result<T>) => void) => void): Promise<Result<T>> {
    if (this.#isClosed) return Promise.resolve(CLOSED)
    const { promise, resolve } = Promise.withResolvers<Result<T>>()
    request(resolve)
    this.wake()
    return promise
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const notices: Notice[] = []
    const now = this.now()
    this.conference.flush(now, notices)
    const flushMs = this.now().nowMs - now.nowMs
    this.#batchMs = Math.min(
      STORE_BATCH_MS_MAX,
      Math.max(STORE_BATCH_MS, flushMs * PAUSE_PER_FLUSH),
    )
    if (notices.length > 0) setImmediate(() => this.#tell(notices))
    this.wake()
  }

  #tell(notices: readonly Notice[]): void {
    for (const notice of notices) this.onNotice(notice)
  }
}

function systemNow(): Instant {
  return { nowMs: performance.now(), wallMs: Date.now() }
}
