/**
 * Which numbers to ask for again, and when (RFC 4585 §6.2.1): a short wait for reordering, then
 * once per measured round trip with growing patience, until the number comes, its tries or its age
 * run out. Numbers are unwrapped, so there is no wrap here. It asks for time by its deadline and
 * sends nothing itself.
 */
import { NACK_GAP_MAX, NACK_SPAN_MAX, NACK_TRIES_MAX } from '../../../config/limits.ts'

/** A packet that is merely out of order comes within this. */
const REORDER_MS = 10
/** Before a round trip was measured. */
const RTT_MS_DEFAULT = 100
const RETRY_MS_MIN = 20
/** Patience in round trips before asking again, growing with each try. */
const RETRY_RTTS = 1.25
/** No receiver waits longer for a frame, except where the round trip itself is long. */
const AGE_MS_MAX = 1_000
const AGE_RTTS_MAX = 3
const RTT_SMOOTHING = 0.125
/** Requests that fall due one after another are gathered: one walk and one message for all. */
const GATHER_MS = 5

/** What one stream misses, in a fixed ring of NACK_SPAN_MAX numbers. */
export class NackGenerator {
  readonly #sequence = new Float64Array(NACK_SPAN_MAX).fill(-1)
  readonly #missedMs = new Float64Array(NACK_SPAN_MAX)
  readonly #sentMs = new Float64Array(NACK_SPAN_MAX)
  readonly #dueMs = new Float64Array(NACK_SPAN_MAX)
  readonly #tries = new Uint8Array(NACK_SPAN_MAX)
  #oldest = 0
  #newest = -1
  #pending = 0
  #deadlineMs = Number.POSITIVE_INFINITY
  #rttMs = 0

  /** Numbers requested, repetitions included. */
  requestedCount = 0
  /** Numbers that came after they had been requested. */
  recoveredCount = 0
  /** Numbers that were given up. */
  givenUpCount = 0

  /** Smoothed round trip in ms, 0 before the first measurement. */
  get rttMs(): number {
    return this.#rttMs
  }

  get pendingCount(): number {
    return this.#pending
  }

  /** A round trip measured elsewhere (RTCP, STUN). */
  setRttMs(rttMs: number): void {
    this.#rttMs = rttMs
  }

  /**
   * Notes that `first..last` (unwrapped) are missing; they must be newer than all before. False
   * when there are too many to repair: everything is given up and the caller should ask for a
   * keyframe.
   */
  onGap(first: number, last: number, nowMs: number): boolean {
    if (last - first >= NACK_GAP_MAX) {
      this.givenUpCount += last - first + 1
      this.clear()
      return false
    }
    if (this.#pending === 0) this.#oldest = first
    for (let sequence = first; sequence <= last; sequence++) {
      const slot = sequence % NACK_SPAN_MAX
      if (this.#sequence[slot] !== -1) this.#giveUp(slot)
      this.#sequence[slot] = sequence
      this.#missedMs[slot] = nowMs
      this.#dueMs[slot] = nowMs + REORDER_MS
      this.#tries[slot] = 0
      this.#pending += 1
    }
    this.#newest = last
    this.#forgetBefore(last - NACK_SPAN_MAX + 1)
    if (nowMs + REORDER_MS < this.#deadlineMs) this.#deadlineMs = nowMs + REORDER_MS
    return true
  }

  /** @hot A number that was missing is here. Asked for once, its delay is a round trip. */
  onReceived(sequence: number, nowMs: number): void {
    const slot = sequence % NACK_SPAN_MAX
    if (this.#sequence[slot] !== sequence) return
    if (this.#tries[slot]! > 0) this.recoveredCount += 1
    if (this.#tries[slot] === 1) this.#measure(nowMs - this.#sentMs[slot]!)
    this.#remove(slot)
  }

  /** When `collect` has something to do; Infinity when nothing is missing. */
  nextDeadlineMs(): number {
    return this.#deadlineMs
  }

  /**
   * Writes the low 16 bits of the numbers to request now into `out`, ascending, and returns how
   * many.
   */
  collect(nowMs: number, out: Uint16Array): number {
    if (nowMs < this.#deadlineMs) return 0
    let count = 0
    let deadlineMs = Number.POSITIVE_INFINITY
    for (let sequence = this.#oldest; this.#pending > 0 && sequence <= this.#newest; sequence++) {
      const slot = sequence % NACK_SPAN_MAX
      if (this.#sequence[slot] !== sequence) continue
      const isDue = this.#dueMs[slot]! <= nowMs
      if (isDue && this.#isHopeless(slot, nowMs)) {
        this.#giveUp(slot)
        continue
      }
      if (isDue && count < out.length) {
        out[count++] = sequence & 0xffff
        this.#markSent(slot, nowMs)
      }
      if (this.#dueMs[slot]! < deadlineMs) deadlineMs = this.#dueMs[slot]!
    }
    this.#deadlineMs = Math.max(deadlineMs, nowMs + GATHER_MS)
    this.#advanceOldest()
    this.requestedCount += count
    return count
  }

  /** Forgets what is missing; what was measured stays. */
  clear(): void {
    this.#sequence.fill(-1)
    this.#pending = 0
    this.#newest = -1
    this.#deadlineMs = Number.POSITIVE_INFINITY
  }

  #markSent(slot: number, nowMs: number): void {
    this.#tries[slot] = this.#tries[slot]! + 1
    this.#sentMs[slot] = nowMs
    const rttMs = this.#rttMs === 0 ? RTT_MS_DEFAULT : this.#rttMs
    const patience = RETRY_RTTS ** this.#tries[slot]!
    this.#dueMs[slot] = nowMs + Math.max(RETRY_MS_MIN, rttMs * patience)
  }

  #isHopeless(slot: number, nowMs: number): boolean {
    const ageMsMax = Math.max(AGE_MS_MAX, AGE_RTTS_MAX * this.#rttMs)
    return this.#tries[slot]! >= NACK_TRIES_MAX || nowMs - this.#missedMs[slot]! > ageMsMax
  }

  #measure(sampleMs: number): void {
    const before = this.#rttMs
    this.#rttMs = before === 0 ? sampleMs : before + (sampleMs - before) * RTT_SMOOTHING
  }

  #giveUp(slot: number): void {
    this.givenUpCount += 1
    this.#remove(slot)
  }

  #remove(slot: number): void {
    this.#sequence[slot] = -1
    this.#pending -= 1
    if (this.#pending === 0) this.#deadlineMs = Number.POSITIVE_INFINITY
  }

  /** Keeps the walk within the span. */
  #forgetBefore(first: number): void {
    const last = Math.min(first, this.#oldest + NACK_SPAN_MAX)
    for (let sequence = this.#oldest; sequence < last; sequence++) {
      const slot = sequence % NACK_SPAN_MAX
      if (this.#sequence[slot] === sequence) this.#giveUp(slot)
    }
    this.#oldest = Math.max(this.#oldest, first)
  }

  /** Later walks begin at the oldest that is still missing. */
  #advanceOldest(): void {
    while (
      this.#oldest < this.#newest &&
      this.#sequence[this.#oldest % NACK_SPAN_MAX] !== this.#oldest
    ) {
      this.#oldest += 1
    }
  }
}
