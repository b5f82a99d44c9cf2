/**
 * Time for a Line: one timer, armed for the earliest deadline of the line, its time series and its TCP streams. Not a place of
 * decisions: it turns the clock into `advance` calls.
 *
 * Node's timers fire on whole milliseconds of the monotonic clock. So this clock is that clock, the timer aims at the whole
 * millisecond nearest to the deadline, and what is due within half a millisecond goes out now: the error is half a millisecond
 * either way and a datagram never waits for a whole tick.
 */
import { type Cargo, Lateness, Line, type LineOptions, Series, type TcpStream } from '../index.ts'
import type { Bucket } from '../series.ts'
import type { LinkDirection } from '../timetable.ts'

const EARLY_MS = 0.5
/** Retransmission timeouts are looked at this often; they are 200 ms at least. */
const STREAM_TICK_MS = 10

/** Milliseconds of the monotonic clock that Node's own timers use; whole at their ticks. */
const ORIGIN_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now()

export type LineDriverOptions = Omit<LineOptions, 'startMs'> & {
  onBucket: (direction: LinkDirection, bucket: Bucket) => void
  /** Called about every 200 ms: for owners that expire things. */
  onTick: (nowMs: number) => void
}

/** One per line. Nothing happens before the first `wake`. `close` stops the timer and hands out the last buckets; idempotent. */
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
    return performance.now() + ORIGIN_MS
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

  #arm(nowMs: number): void {
    const deadlineMs = Math.min(
      this.line.nextDeadlineMs(),
      this.#streamTickMs,
      (this.#series[0] as Series<Cargo>).nextDeadlineMs(),
    )
    const tickMs = Math.max(Math.floor(nowMs) + 1, Math.round(deadlineMs))
    // A timer that fires earlier finds nothing to do and arms the right one: cheaper than one per packet.
    if (this.#armedForMs <= tickMs) return
    clearTimeout(this.#timer)
    this.#armedForMs = tickMs
    this.#timer = setTimeout(this.#fire, tickMs - Math.floor(nowMs))
  }

  readonly #fire = (): void => {
    this.#armedForMs = Number.POSITIVE_INFINITY
    this.wake(this.nowMs())
  }
}
