/**
 * In which order, and when, frames of one stream layer leave a trunk's receiving end. Two ways:
 *
 * - by order (`isPaced` false): at once while nothing is missing; after a gap when it is filled, when all datagrams
 *   before have settled, or when the hold time is over;
 * - paced: each frame at its timestamp plus a constant delay, so that what a repair needs is delay always and
 *   never a hole: clients' jitter buffers see an even stream.
 *
 * It does not know what repair brings frames back, and drops nothing.
 */
import {
  RELEASE_AUDIO_BYTES_MAX,
  RELEASE_HOLD_MS_MAX,
  RELEASE_VIDEO_BYTES_MAX,
} from '../../config/limits.ts'
import { HeldFrames } from './held-frames.ts'
import { PlayoutClock } from './playout-clock.ts'

export type ReleaseOutlet = {
  /** @hot Bytes are reused after the call. `isLate`: a successor has gone before it. */
  released(bytes: Uint8Array, start: number, end: number, isLate: boolean): void
}

export type ReleaseOptions = {
  outlet: ReleaseOutlet
  kind: 'audio' | 'video'
  /** Hz of the RTP timestamps. */
  clockRate: number
}

/** What came; reused by the caller. */
export type ReleaseFrame = {
  /** Unwrapped, without gaps as the far end sent them; no duplicates. */
  sequence: number
  /** RTP timestamp. */
  tsTicks: number
  /** Of the datagram that carried it first (not of the one that brought it again). */
  index: number
}

/** Bounded by RELEASE_FRAMES_MAX and the bytes of its kind: beyond them the oldest go out early. */
export class ReleaseBuffer {
  readonly #outlet: ReleaseOutlet
  readonly #held: HeldFrames
  readonly #clock: PlayoutClock
  readonly #entry = { sequence: 0, index: 0, timeMs: 0 }
  #holdMs = 0
  #isPaced = false
  /** The sequence that continues what has gone out; -1 before the first. */
  #next = -1

  /** Frames that went out behind a successor; sequences that were not waited for any longer. */
  lateCount = 0
  skippedCount = 0

  constructor({ outlet, kind, clockRate }: ReleaseOptions) {
    this.#outlet = outlet
    this.#held = new HeldFrames(
      kind === 'audio' ? RELEASE_AUDIO_BYTES_MAX : RELEASE_VIDEO_BYTES_MAX,
    )
    this.#clock = new PlayoutClock(clockRate)
  }

  get heldCount(): number {
    return this.#held.count
  }

  /** `holdMs` 0 = hand out as they come; limited to RELEASE_HOLD_MS_MAX. Paced delays move there smoothly. */
  configure(holdMs: number, isPaced: boolean): void {
    this.#holdMs = Math.max(0, Math.min(RELEASE_HOLD_MS_MAX, holdMs))
    this.#isPaced = isPaced && this.#holdMs > 0
  }

  /** @hot Takes a frame; may hand out it and others. */
  push(frame: ReleaseFrame, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    const { sequence } = frame
    const releaseMs = this.#clock.releaseMs(frame.tsTicks, this.#isPaced ? this.#holdMs : 0, nowMs)
    if (this.#next < 0) this.#next = sequence
    if (sequence < this.#next) {
      this.lateCount += 1
      this.#outlet.released(bytes, start, end, true)
      return
    }
    const isDue = this.#isPaced ? releaseMs <= nowMs : sequence === this.#next || this.#holdMs === 0
    if (isDue && (this.#held.count === 0 || sequence < this.#held.lowest)) {
      this.#pass(sequence)
      this.#outlet.released(bytes, start, end, false)
      if (!this.#isPaced) this.#drainConsecutive()
      return
    }
    if (this.#held.has(sequence)) return
    while (!this.#held.fits(sequence, end - start)) {
      if (sequence < this.#held.lowest) {
        this.#pass(sequence)
        this.#outlet.released(bytes, start, end, false)
        return
      }
      this.#releaseLowest()
    }
    this.#entry.sequence = sequence
    this.#entry.index = frame.index
    this.#entry.timeMs = this.#isPaced ? releaseMs : nowMs + this.#holdMs
    this.#held.put(this.#entry, bytes, start, end)
  }

  /** @hot Hands out what may go now; `settledIndex` is the NackTimer's. Call after datagrams and at the deadline. */
  release(nowMs: number, settledIndex: number): void {
    const held = this.#held
    while (held.count > 0) {
      const isTime = nowMs >= held.timeMsOf(held.lowest)
      const isSettled = !this.#isPaced && held.indexOf(held.lowest) - 1 <= settledIndex
      if (!isTime && !isSettled && (this.#isPaced || held.lowest !== this.#next)) return
      this.#releaseLowest()
    }
  }

  /** When `release` has something to do whatever comes; Infinity when nothing is held. */
  nextDeadlineMs(): number {
    return this.#held.count === 0
      ? Number.POSITIVE_INFINITY
      : this.#held.timeMsOf(this.#held.lowest)
  }

  /** Hands out all that is held. */
  drain(): void {
    while (this.#held.count > 0) this.#releaseLowest()
  }

  /** The source has started again: what is held goes out, and the next frame is a first one. */
  reset(): void {
    this.drain()
    this.#next = -1
    this.#clock.reset()
  }

  #drainConsecutive(): void {
    while (this.#held.count > 0 && this.#held.lowest === this.#next) this.#releaseLowest()
  }

  #releaseLowest(): void {
    const held = this.#held
    const sequence = held.lowest
    const start = held.startOf(sequence)
    const end = start + held.sizeBytesOf(sequence)
    held.dropLowest()
    this.#pass(sequence)
    this.#outlet.released(held.slab, start, end, false)
  }

  #pass(sequence: number): void {
    this.skippedCount += sequence - this.#next
    this.#next = sequence + 1
  }
}
