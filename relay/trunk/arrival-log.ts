/**
 * Which datagrams of the far end came and when: a fixed ring, told in feedback again and again so
 * that a lost feedback costs nothing. See relay/wire/feedback.ts for the bytes.
 */
import { TRUNK_ARRIVAL_LOG } from '../../config/limits.ts'
import {
  FEEDBACK_ENTRY_BYTES_MAX,
  FEEDBACK_TICKS_PER_MS,
  writeCame,
  writeFeedbackHead,
  writeMissing,
} from '../wire/index.ts'

/** Feedback is sent this often where many datagrams come, and where few do. */
const INTERVAL_MS_MIN = 50
const INTERVAL_MS_MAX = 100
/** So many datagrams in one interval ask for the next feedback soon. */
const MANY = 8
/** Each datagram is told of in so many feedbacks. */
const REPEATS = 3
const HEAD_BYTES_MAX = 14

/** One per direction, at the end that receives. */
export class ArrivalLog {
  readonly #ticks = new Float64Array(TRUNK_ARRIVAL_LOG).fill(-1)
  #highest = -1
  #first = -1
  #highestMs = 0
  /** Datagrams since the last feedback, and whether one of them asks for an answer. */
  #fresh = 0
  #isAsked = false
  #sentMs = Number.NEGATIVE_INFINITY
  /** Highest index told in each of the last feedbacks. */
  readonly #told = new Float64Array(REPEATS).fill(-1)
  #turn = 0
  receivedCount = 0
  #countedHighest = -1
  #countedReceived = 0

  /** Highest index so far; -1 before the first. */
  get highest(): number {
    return this.#highest
  }

  /** @hot One authenticated datagram; `isAsking` = it carries more than feedback. */
  add(index: number, nowMs: number, isAsking: boolean): void {
    if (this.#highest < 0) this.#first = index
    if (index > this.#highest) {
      const from = Math.max(this.#highest + 1, index - TRUNK_ARRIVAL_LOG + 1)
      if (this.#highest >= 0)
        for (let i = from; i < index; i++) this.#ticks[i % TRUNK_ARRIVAL_LOG] = -1
      this.#highest = index
      this.#highestMs = nowMs
    } else if (index <= this.#highest - TRUNK_ARRIVAL_LOG) return
    this.#ticks[index % TRUNK_ARRIVAL_LOG] = Math.round(nowMs * FEEDBACK_TICKS_PER_MS)
    this.receivedCount += 1
    this.#fresh += 1
    if (isAsking) this.#isAsked = true
  }

  /** When feedback should go out by itself; Infinity while nothing asks for it. */
  deadlineMs(): number {
    if (!this.#isAsked) return Number.POSITIVE_INFINITY
    return this.#sentMs + (this.#fresh >= MANY ? INTERVAL_MS_MIN : INTERVAL_MS_MAX)
  }

  /** Whether to tell it along with something that goes anyway. */
  isWorthTelling(nowMs: number): boolean {
    return this.#isAsked && nowMs - this.#sentMs >= INTERVAL_MS_MIN
  }

  /**
   * Writes the body of a feedback within `bytesMax` (at least 32); returns its end. Only when
   * something came.
   */
  write(out: Uint8Array, offset: number, bytesMax: number, nowMs: number): number {
    const newestIndex = this.#highest
    const newestTicks = this.#ticks[newestIndex % TRUNK_ARRIVAL_LOG]!
    const heldTicks = Math.max(0, Math.round((nowMs - this.#highestMs) * FEEDBACK_TICKS_PER_MS))
    let at = writeFeedbackHead(out, offset, { newestIndex, heldTicks, newestTicks })
    const end = offset + Math.max(HEAD_BYTES_MAX, bytesMax) - 2 * FEEDBACK_ENTRY_BYTES_MAX
    const oldest = this.#oldestToTell()
    let missing = 0
    let lastTicks = newestTicks
    for (let index = newestIndex - 1; index >= oldest && at < end; index--) {
      const ticks = this.#ticks[index % TRUNK_ARRIVAL_LOG]!
      if (ticks < 0) {
        missing += 1
        continue
      }
      if (missing > 0) at = writeMissing(out, at, missing)
      missing = 0
      at = writeCame(out, at, lastTicks - ticks)
      lastTicks = ticks
    }
    if (missing > 0) at = writeMissing(out, at, missing)
    this.#told[this.#turn] = newestIndex
    this.#turn = (this.#turn + 1) % REPEATS
    this.#fresh = 0
    this.#isAsked = false
    this.#sentMs = nowMs
    return at
  }

  /** Share of datagrams that did not come since this was last asked, as far as can be told now. */
  takeLossRatio(): number {
    const expected = this.#highest - Math.max(this.#countedHighest, this.#first - 1)
    const received = this.receivedCount - this.#countedReceived
    this.#countedHighest = this.#highest
    this.#countedReceived = this.receivedCount
    return expected <= 0 ? 0 : Math.max(0, 1 - received / expected)
  }

  /** After what the oldest of the last feedbacks told. */
  #oldestToTell(): number {
    let oldest = this.#told[0]!
    for (let i = 1; i < REPEATS; i++) oldest = Math.min(oldest, this.#told[i]!)
    return Math.max(oldest + 1, this.#first, this.#highest - TRUNK_ARRIVAL_LOG + 1)
  }
}
