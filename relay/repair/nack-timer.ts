/**
 * Which datagrams of a trunk are missing, when to ask for them, and up to where everything is settled. One
 * sequence for all streams, 48-bit and never wrapping, so that one walk does for the whole trunk. Per
 * stream and 16-bit is core/media/receive/nack-generator.ts.
 */
import { TRUNK_NACK_GAP_MAX, TRUNK_NACK_SPAN, TRUNK_NACK_TRIES_MAX } from '../../config/limits.ts'

const MASK = TRUNK_NACK_SPAN - 1
/** A datagram that is merely out of order comes within this, or a quarter of a round trip on long paths. */
const REORDER_MS_MIN = 10
const REORDER_RTTS = 0.25
const REORDER_MS_MAX = 40
/** Patience before asking again, in round trips; grows with each try. */
const RETRY_RTTS = 1.25
const RETRY_MS_MIN = 20
/** Requests that fall due one after another make one message. */
const GATHER_MS = 5

/** Ranges of indexes, both ends included; as many as the arrays are long. */
export type IndexRanges = { first: Float64Array; last: Float64Array }

export type NackTimerOptions = {
  rttMs: number
  /** A datagram is given up so long after it was missed. */
  holdMs: number
  /** False: nothing is asked for (redundancy does it); settling goes on. */
  isAsking: boolean
}

/** Bounded by TRUNK_NACK_SPAN (65 KB); a walk touches only what lies between the oldest missing and the newest. */
export class NackTimer {
  /** The index that is missing in a slot, -1 = none. */
  readonly #missing = new Float64Array(TRUNK_NACK_SPAN).fill(-1)
  readonly #missedMs = new Float64Array(TRUNK_NACK_SPAN)
  readonly #dueMs = new Float64Array(TRUNK_NACK_SPAN)
  readonly #tries = new Uint8Array(TRUNK_NACK_SPAN)
  #rttMs = 100
  #holdMs = 0
  #isAsking = false
  #highest = -1
  /** Nothing older is missing. */
  #oldest = 0
  #pending = 0
  #deadlineMs = Number.POSITIVE_INFINITY

  /** Datagrams asked for, repetitions included; those that came late or again; those given up. */
  askedCount = 0
  returnedCount = 0
  givenUpCount = 0

  /** All datagrams up to this one have come, were brought back, or were given up; -1 before the first. */
  get settledIndex(): number {
    return this.#pending === 0 ? this.#highest : this.#oldest - 1
  }

  get pendingCount(): number {
    return this.#pending
  }

  configure({ rttMs, holdMs, isAsking }: NackTimerOptions): void {
    this.#rttMs = rttMs
    this.#holdMs = holdMs
    if (isAsking && !this.#isAsking && this.#pending > 0) this.#deadlineMs = 0
    this.#isAsking = isAsking
  }

  /** @hot A datagram came, by itself, by parity, or because all its frames were sent again. */
  onDatagram(index: number, nowMs: number): void {
    if (index > this.#highest) {
      if (this.#highest >= 0 && index > this.#highest + 1)
        this.#miss(this.#highest + 1, index - 1, nowMs)
      this.#highest = index
      if (this.#pending === 0) this.#oldest = index + 1
      return
    }
    const slot = index & MASK
    if (this.#missing[slot] !== index) return
    this.returnedCount += 1
    this.#settle(slot)
    this.#advanceOldest()
  }

  /** When `collect` has something to do; Infinity when nothing is missing. */
  nextDeadlineMs(): number {
    return this.#deadlineMs
  }

  /**
   * Gives up what is too old, writes what is to be asked for now as ascending ranges into `out`, and returns
   * how many; what did not fit is due again at once.
   */
  collect(nowMs: number, out: IndexRanges): number {
    if (nowMs < this.#deadlineMs) return 0
    let count = 0
    let deadlineMs = Number.POSITIVE_INFINITY
    for (let index = this.#oldest; this.#pending > 0 && index < this.#highest; index++) {
      const slot = index & MASK
      if (this.#missing[slot] !== index) continue
      const endMs = this.#missedMs[slot]! + this.#holdMs
      if (nowMs >= endMs) {
        this.givenUpCount += 1
        this.#settle(slot)
        continue
      }
      if (this.#mayAsk(slot) && nowMs >= this.#dueMs[slot]!) {
        const isNext = count > 0 && out.last[count - 1] === index - 1
        if (isNext || count < out.first.length) {
          if (!isNext) out.first[count++] = index
          out.last[count - 1] = index
          this.#markAsked(slot, nowMs)
        }
      }
      const nextMs = this.#mayAsk(slot) ? Math.min(this.#dueMs[slot]!, endMs) : endMs
      if (nextMs < deadlineMs) deadlineMs = nextMs
    }
    this.#advanceOldest()
    this.#deadlineMs =
      this.#pending === 0 ? Number.POSITIVE_INFINITY : Math.max(deadlineMs, nowMs + GATHER_MS)
    return count
  }

  /** The far end has started again, or the trunk is new. */
  reset(): void {
    this.#missing.fill(-1)
    this.#highest = -1
    this.#oldest = 0
    this.#pending = 0
    this.#deadlineMs = Number.POSITIVE_INFINITY
  }

  #miss(first: number, last: number, nowMs: number): void {
    if (last - first >= TRUNK_NACK_GAP_MAX) {
      this.givenUpCount += this.#pending + (last - first + 1)
      this.#missing.fill(-1)
      this.#pending = 0
      this.#deadlineMs = Number.POSITIVE_INFINITY
      return
    }
    this.#forgetBefore(last - TRUNK_NACK_SPAN + 1)
    if (this.#pending === 0) this.#oldest = first
    const reorderMs = Math.min(REORDER_MS_MAX, Math.max(REORDER_MS_MIN, this.#rttMs * REORDER_RTTS))
    for (let index = first; index <= last; index++) {
      const slot = index & MASK
      this.#missing[slot] = index
      this.#missedMs[slot] = nowMs
      this.#dueMs[slot] = nowMs + reorderMs
      this.#tries[slot] = 0
      this.#pending += 1
    }
    const dueMs = nowMs + (this.#isAsking ? Math.min(reorderMs, this.#holdMs) : this.#holdMs)
    if (dueMs < this.#deadlineMs) this.#deadlineMs = dueMs
  }

  #mayAsk(slot: number): boolean {
    return this.#isAsking && this.#tries[slot]! < TRUNK_NACK_TRIES_MAX
  }

  #markAsked(slot: number, nowMs: number): void {
    this.askedCount += 1
    this.#tries[slot] = this.#tries[slot]! + 1
    const patience = RETRY_RTTS ** this.#tries[slot]!
    this.#dueMs[slot] = nowMs + Math.max(RETRY_MS_MIN, this.#rttMs * patience)
  }

  #settle(slot: number): void {
    this.#missing[slot] = -1
    this.#pending -= 1
    if (this.#pending === 0) this.#deadlineMs = Number.POSITIVE_INFINITY
  }

  /** Keeps all that is missing within the span. */
  #forgetBefore(first: number): void {
    if (this.#pending === 0) return
    for (let index = this.#oldest; index < first && index <= this.#highest; index++) {
      const slot = index & MASK
      if (this.#missing[slot] !== index) continue
      this.givenUpCount += 1
      this.#settle(slot)
    }
    this.#oldest = Math.max(this.#oldest, first)
  }

  #advanceOldest(): void {
    if (this.#pending === 0) this.#oldest = this.#highest + 1
    while (this.#oldest < this.#highest && this.#missing[this.#oldest & MASK] !== this.#oldest)
      this.#oldest += 1
  }
}
