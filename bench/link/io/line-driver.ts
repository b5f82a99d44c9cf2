/**
 * Time for a Line: one timer, armed for the earliest deadline of the line, its time series and its
 * TCP streams. Not a place of decisions: it turns the clock into `advance` calls.
 *
 * Node sleeps for whole milliseconds only. So the timer takes the whole number nearest to what is
 * left, and what is due within half a millisecond goes out now: the error is half a millisecond
 * either way, and nothing ever spins.
 */
import { type Cargo, Lateness, Line, type LineOptions, Series, type TcpStream } from '../index.ts'
import type { Bucket } from '../series.ts'
import type { LinkDirection } from '../timetable.ts'

/** Also how much later than a deadline an armed timer may be to serve it. */
const EARLY_MS = 0.5
/** Retransmission timeouts are looked at this often; they are 200 ms at least. */
const STREAM_TICK_MS = 10

export type LineDriverOptions = Omit<LineOptions, 'startMs'> & {
  onBucket: (direction: LinkDirection, bucket: Bucket) => void
  /** Called about every 200 ms: for owners that expire things. */
  onTick: (nowMs: number) => void
}

/** Sockets that nobody is woken for are looked at this often; the kernel tells when each datagram came. */
const POLL_MS = 1

/**
 * One per line. Nothing happens before the first `wake`. `close` stops the timer and hands out the
 * last buckets; idempotent.
 */
export class LineDriver {
  readonly line: Line
  readonly startMs: number
  readonly lateness = { down: new Lateness(), up: new Lateness() }
  readonly streams = new Set<TcpStream>()
  readonly #series: Series<Cargo>[]
  readonly #onTick: (nowMs: number) => void
  #timer: NodeJS.Timeout | undefined
  #armedForMs = Number.POSITIVE_INFINITY
  #streamTickMs = Number.POSITIVE_INFINITY
  #closed = false
  #polls: (() => void)[] = []

  constructor(options: LineDriverOptions) {
    this.startMs = this.nowMs()
    this.#onTick = options.onTick
    this.line = new Line({ ...options, startMs: this.startMs })
    this.#series = (['down', 'up'] as const).map(
      (direction) =>
        new Series(this.line[direction], this.startMs, (bucket) =>
          options.onBucket(direction, bucket),
        ),
    )
  }

  nowMs(): number {
    return performance.now()
  }

  /** Lets happen what is due, and arms the timer. Call after every `send` on the line. */
  wake(nowMs: number): void {
    if (this.#closed) return
    if (nowMs >= (this.#series[0] as Series<Cargo>).nextDeadlineMs()) {
      for (const series of this.#series) series.advance(nowMs)
      this.#onTick(nowMs)
    }
    this.line.advance(nowMs + EARLY_MS)
    this.#tickStreams(nowMs)
    this.#arm(nowMs)
  }

  /** Calls `poll` once a millisecond from now on, and sees to what is due each time. */
  pollWith(poll: () => void): void {
    this.#polls.push(poll)
    if (this.#polls.length === 1) this.#poll()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    for (const series of this.#series) series.end(this.nowMs())
  }

  #tickStreams(nowMs: number): void {
    if (this.streams.size === 0) {
      this.#streamTickMs = Number.POSITIVE_INFINITY
      return
    }
    if (this.#streamTickMs > nowMs && Number.isFinite(this.#streamTickMs)) return
    this.#streamTickMs = nowMs + STREAM_TICK_MS
    for (const stream of this.streams) stream.tick(nowMs)
    this.line.advance(nowMs + EARLY_MS)
  }

  readonly #poll = (): void => {
    if (this.#closed) return
    for (const poll of this.#polls) poll()
    this.wake(this.nowMs())
    this.#timer = setTimeout(this.#poll, POLL_MS)
  }

  #arm(nowMs: number): void {
    if (this.#polls.length > 0) return
    const deadlineMs = Math.min(
      this.line.nextDeadlineMs(),
      this.#streamTickMs,
      (this.#series[0] as Series<Cargo>).nextDeadlineMs(),
    )
    // A timer that fires earlier finds nothing to do and arms the right one: cheaper than one per packet.
    if (this.#armedForMs <= deadlineMs + EARLY_MS) return
    clearTimeout(this.#timer)
    const waitMs = Math.max(1, Math.round(deadlineMs - nowMs))
    this.#armedForMs = nowMs + waitMs
    this.#timer = setTimeout(this.#fire, waitMs)
  }

  readonly #fire = (): void => {
    this.#armedForMs = Number.POSITIVE_INFINITY
    this.wake(this.nowMs())
  }
}
