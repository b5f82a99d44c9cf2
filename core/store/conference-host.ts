/**
 * Drives a conference by the clock: hands its batches to the log, one at a time (what is asked
 * meanwhile is the next one), wakes at its deadlines, turns replies into promises and hands out
 * notices. Decides nothing.
 */
import { STORE_BATCH_MS } from '../../config/limits.ts'
import type {
  AppendResult,
  Conference,
  EventStore,
  Instant,
  Joined,
  JoinRequest,
  Notice,
  OperatorCommand,
  ParticipantCommand,
  Result,
  RoomEvent,
} from '../conference/index.ts'

const TIMER_MS_MAX = 2_147_483_647
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

type HostedLog = Pick<EventStore, 'append' | 'keep'>

export type ConferenceHostOptions = {
  conference: Conference
  /** Where its batches and checkpoints go. */
  log: HostedLog
  /** For tests; by default the system's clocks. */
  now?: () => Instant
  /** Told of each batch that was tried, and how long it took (ms). */
  onAppended?: (result: AppendResult, eventCount: number, durationMs: number) => void
}

/** The host of a conference; it is driven from now on. */
export function createConferenceHost(options: ConferenceHostOptions): ConferenceHost {
  return new Host(options)
}

const CLOSED = { ok: false, code: 'bad-state', message: 'the node is closing' } as const

class Host implements ConferenceHost {
  readonly conference: Conference
  onNotice: (notice: Notice) => void = () => {}
  readonly now: () => Instant
  readonly #log: HostedLog
  readonly #onAppended: NonNullable<ConferenceHostOptions['onAppended']>
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #flushedMs = Number.NEGATIVE_INFINITY
  /** Settled when no batch is on its way. */
  #flight: Promise<void> | undefined
  #isClosed = false

  constructor({ conference, log, now = systemNow, onAppended = () => {} }: ConferenceHostOptions) {
    this.conference = conference
    this.now = now
    this.#log = log
    this.#onAppended = onAppended
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
    // Nothing is sooner than this.
    const earliestMs = this.#flushedMs + STORE_BATCH_MS
    if (this.#isClosed || this.#timerAtMs <= earliestMs) return
    const atMs = Math.max(this.conference.deadlineMs, earliestMs)
    if (atMs >= this.#timerAtMs || atMs === Number.POSITIVE_INFINITY) return
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    const delayMs = Math.max(0, atMs - this.now().nowMs)
    this.#timer = setTimeout(() => this.#flush(), Math.min(delayMs, TIMER_MS_MAX))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    // What is on its way, what was queued behind it, and then the departures of all whom that let in.
    await this.#flight
    await this.#flush()
    this.conference.leaveAll()
    await this.#flush()
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

  /** Resolves when what was decided now is on disk or refused. */
  #flush(): Promise<void> | undefined {
    clearTimeout(this.#timer)
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const now = this.now()
    this.#flushedMs = now.nowMs
    const notices: Notice[] = []
    const batch = this.conference.flush(now, notices)
    if (batch !== undefined) this.#flight = this.#append(batch)
    this.#tell(notices)
    this.wake()
    return this.#flight
  }

  async #append(batch: readonly RoomEvent[]): Promise<void> {
    const startMs = this.now().nowMs
    const result = await this.#log.append(batch)
    const now = this.now()
    this.#flight = undefined
    this.#onAppended(result, batch.length, now.nowMs - startMs)
    const notices: Notice[] = []
    this.conference.settle(result, now, notices)
    for (const checkpoint of this.conference.takeCheckpoints()) this.#log.keep(checkpoint)
    this.#tell(notices)
    this.wake()
  }

  #tell(notices: readonly Notice[]): void {
    if (notices.length === 0) return
    setImmediate(() => {
      for (const notice of notices) this.onNotice(notice)
    })
  }
}

function systemNow(): Instant {
  return { nowMs: performance.now(), wallMs: Date.now() }
}
