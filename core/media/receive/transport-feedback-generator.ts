/**
 * Transport-wide feedback for one transport: which numbered packets arrived, and when, every 50 ms
 * while traffic flows. Chromium starts its upper layers by it, so arrival times are the caller's
 * real ones in 250 us ticks and what was lost is reported as lost. The bytes are `rtcp`'s; the
 * estimate is the other side's.
 */
import {
  FEEDBACK_GAP_MAX,
  FEEDBACK_REWIND_MAX,
  FEEDBACK_WINDOW,
  RTCP_FEEDBACK_WRITTEN_MAX,
} from '../../../config/limits.ts'
import { type FeedbackSource, type RtcpWriter, TICKS_PER_MS } from '../rtcp/index.ts'
import { SequenceUnwrapper } from '../rtp/index.ts'

const INTERVAL_MS = 50
/** The first packet after silence waits for company. */
const GATHER_MS = 10
/** So many numbers in a row from far behind mean that the sender counts anew. */
const STRAYS_MAX = 8
const WINDOW_MASK = FEEDBACK_WINDOW - 1
/** A delta is a signed 16-bit number of ticks. */
const DELTA_TICKS_MAX = 0x7fff

/** One per transport: `onPacket` for each numbered packet, `collect` at each deadline. */
export class TransportFeedbackGenerator {
  readonly #arrivalTicks = new Float64Array(FEEDBACK_WINDOW).fill(-1)
  readonly #unwrapper = new SequenceUnwrapper()
  readonly #source: FeedbackSource
  /** The next number to report. */
  #next = 0
  #strays = 0
  #sentMs = Number.NEGATIVE_INFINITY
  #deadlineMs = Number.POSITIVE_INFINITY

  /** `senderSsrc` is ours; `mediaSsrc` any of theirs. */
  constructor(senderSsrc: number, mediaSsrc: number) {
    this.#source = {
      senderSsrc,
      mediaSsrc,
      baseSequence: 0,
      feedbackCount: 0,
      fallbackTicks: 0,
      arrivalTicks: new Float64Array(RTCP_FEEDBACK_WRITTEN_MAX),
      statusCount: 0,
    }
  }

  /** A media source of the peer, once one is known. */
  setMediaSsrc(mediaSsrc: number): void {
    this.#source.mediaSsrc = mediaSsrc
  }

  /** @hot A packet with this number 0..65535 arrived at `nowMs` (fractions count). */
  onPacket(number: number, nowMs: number): void {
    if (this.#isFromAnotherRun(number)) this.#unwrapper.reset()
    const highest = this.#unwrapper.highest
    const sequence = this.#unwrapper.peek(number)
    if (highest < 0 || sequence - highest > FEEDBACK_GAP_MAX) this.#startAt(sequence)
    else if (sequence > highest) this.#clear(highest + 1, sequence - 1)
    else if (!this.#takeLate(sequence)) return
    this.#unwrapper.unwrap(number)
    this.#arrivalTicks[sequence & WINDOW_MASK] = Math.round(nowMs * TICKS_PER_MS)
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) {
      this.#deadlineMs = Math.max(nowMs + GATHER_MS, this.#sentMs + INTERVAL_MS)
    }
  }

  /** When feedback is due; Infinity while nothing new arrived. */
  nextDeadlineMs(): number {
    return this.#deadlineMs
  }

  /**
   * Writes what is due into the compound, as several messages if it must be. False when nothing was
   * written.
   */
  collect(nowMs: number, writer: RtcpWriter): boolean {
    if (nowMs < this.#deadlineMs) return false
    let written = false
    while (this.#next <= this.#unwrapper.highest) {
      this.#fill()
      if (!writer.transportFeedback(this.#source)) break
      written = true
      this.#source.feedbackCount = (this.#source.feedbackCount + 1) & 0xff
      this.#next += this.#source.statusCount
    }
    this.#sentMs = nowMs
    const isDone = this.#next > this.#unwrapper.highest
    this.#deadlineMs = isDone ? Number.POSITIVE_INFINITY : nowMs + GATHER_MS
    return written
  }

  /** @hot True when the sender has begun to count somewhere behind all that we know. */
  #isFromAnotherRun(number: number): boolean {
    const isStray = this.#unwrapper.peek(number) < this.#unwrapper.highest - FEEDBACK_GAP_MAX
    this.#strays = isStray ? this.#strays + 1 : 0
    if (this.#strays < STRAYS_MAX) return false
    this.#strays = 0
    return true
  }

  /** Nothing before this number is known. */
  #startAt(sequence: number): void {
    this.#arrivalTicks.fill(-1)
    // A jump backwards in the unwrapped line would never be reported: the run begins where it lands.
    this.#next = sequence
  }

  #clear(first: number, last: number): void {
    for (let sequence = first; sequence <= last; sequence++) {
      this.#arrivalTicks[sequence & WINDOW_MASK] = -1
    }
  }

  /** False for a duplicate or one too old; else reporting goes back to it. */
  #takeLate(sequence: number): boolean {
    if (sequence < this.#next - FEEDBACK_REWIND_MAX) return false
    if (this.#unwrapper.highest - sequence >= FEEDBACK_WINDOW) return false
    if (this.#arrivalTicks[sequence & WINDOW_MASK] !== -1) return false
    if (sequence < this.#next) this.#next = sequence
    return true
  }

  /**
   * One message from `next`: to the highest, to the size limit, or to a pause that no delta can
   * express.
   */
  #fill(): void {
    const source = this.#source
    const count = Math.min(this.#unwrapper.highest - this.#next + 1, source.arrivalTicks.length)
    source.baseSequence = this.#next & 0xffff
    source.statusCount = count
    let previousTicks = -1
    for (let index = 0; index < count; index++) {
      const ticks = this.#arrivalTicks[(this.#next + index) & WINDOW_MASK]!
      if (ticks >= 0) {
        if (previousTicks >= 0 && Math.abs(ticks - previousTicks) > DELTA_TICKS_MAX) {
          source.statusCount = index
          return
        }
        previousTicks = ticks
        source.fallbackTicks = ticks
      }
      source.arrivalTicks[index] = ticks
    }
  }
}
