/**
 * What one direction did over time, in buckets of 200 ms. Rows go out as they are complete; the
 * series itself keeps none. After SERIES_ROWS_PER_WIDTH rows a bucket becomes twice as wide, so the
 * number of rows grows with the logarithm of time only.
 */
import { SERIES_ROWS_PER_WIDTH } from '../../config/limits.ts'
import type { Link } from './link.ts'

const WIDTH_MS = 200

/** One row. Counts and rates are of this bucket; times are ms since the start. */
export type Bucket = {
  atMs: number
  widthMs: number
  packetsIn: number
  packetsOut: number
  /** Payload offered and delivered, bits per second. */
  offeredBps: number
  deliveredBps: number
  /** Longest wait in the queue of a packet accepted in this bucket. */
  queueMs: number
  lost: number
  queueFull: number
  tooLarge: number
  down: number
  emulatorFull: number
}

type Totals = Omit<Bucket, 'atMs' | 'widthMs' | 'offeredBps' | 'deliveredBps' | 'queueMs'> & {
  bytesIn: number
  bytesOut: number
}

/** One per direction. `nowMs` of all calls is the clock of the line. */
export class Series<T> {
  readonly #link: Link<T>
  readonly #startMs: number
  readonly #onBucket: (bucket: Bucket) => void
  #widthMs = WIDTH_MS
  #rows = 0
  #fromMs: number
  #last: Totals

  constructor(link: Link<T>, startMs: number, onBucket: (bucket: Bucket) => void) {
    this.#link = link
    this.#startMs = startMs
    this.#fromMs = startMs
    this.#onBucket = onBucket
    this.#last = totalsOf(link)
  }

  /** When the current bucket ends. */
  nextDeadlineMs(): number {
    return this.#fromMs + this.#widthMs
  }

  /** Hands out buckets that have ended by now; those in which nothing happened are left out. */
  advance(nowMs: number): void {
    if (nowMs < this.nextDeadlineMs()) return
    this.#emit(this.#widthMs)
    // A late caller skips the buckets that it slept through: nothing was moved in them.
    this.#fromMs += Math.floor((nowMs - this.#fromMs) / this.#widthMs) * this.#widthMs
    if (this.#rows < SERIES_ROWS_PER_WIDTH) return
    this.#rows = 0
    this.#widthMs *= 2
  }

  /** Hands out the unfinished bucket as well. */
  end(nowMs: number): void {
    this.advance(nowMs)
    if (nowMs > this.#fromMs) this.#emit(nowMs - this.#fromMs)
    this.#fromMs = nowMs
  }

  #emit(widthMs: number): void {
    const now = totalsOf(this.#link)
    const { bytesIn, bytesOut, ...counts } = difference(now, this.#last)
    this.#last = now
    if (counts.packetsIn === 0 && counts.packetsOut === 0 && counts.down === 0) return
    this.#rows += 1
    this.#onBucket({
      atMs: Math.round(this.#fromMs - this.#startMs),
      widthMs: Math.round(widthMs),
      offeredBps: Math.round((bytesIn * 8000) / widthMs),
      deliveredBps: Math.round((bytesOut * 8000) / widthMs),
      queueMs: Math.round(this.#link.takeQueuePeakMs() * 10) / 10,
      ...counts,
    })
  }
}

function totalsOf<T>({ counters }: Link<T>): Totals {
  const { packetsIn, packetsOut, bytesIn, bytesOut, dropped } = counters
  return {
    packetsIn,
    packetsOut,
    bytesIn,
    bytesOut,
    lost: dropped.lost,
    queueFull: dropped['queue-full'],
    tooLarge: dropped['too-large'],
    down: dropped.down,
    emulatorFull: dropped['emulator-full'],
  }
}

function difference(now: Totals, before: Totals): Totals {
  return {
    packetsIn: now.packetsIn - before.packetsIn,
    packetsOut: now.packetsOut - before.packetsOut,
    bytesIn: now.bytesIn - before.bytesIn,
    bytesOut: now.bytesOut - before.bytesOut,
    lost: now.lost - before.lost,
    queueFull: now.queueFull - before.queueFull,
    tooLarge: now.tooLarge - before.tooLarge,
    down: now.down - before.down,
    emulatorFull: now.emulatorFull - before.emulatorFull,
  }
}
