/**
 * Encodes one transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
 * Which packets are reported, and when, is decided by the generator in `receive`; here are only the
 * bytes.
 */
import { RTCP_FEEDBACK_WRITTEN_MAX } from '../../../config/limits.ts'
import { writeUint16, writeUint24, writeUint32 } from '../rtp/index.ts'
import { FEEDBACK_TRANSPORT, RTCP_TRANSPORT_FEEDBACK } from './packet-type.ts'
import { TICKS_PER_REFERENCE } from './transport-feedback.ts'

/** What is to be reported. Reusable; arrivals stay the caller's. */
export type FeedbackSource = {
  senderSsrc: number
  mediaSsrc: number
  /** 16 bits. */
  baseSequence: number
  /** Stands in for the reference time when all are lost. */
  fallbackTicks: number
  /** 8 bits, one more in each feedback. */
  feedbackCount: number
  /** Arrival in 250 us ticks of each reported packet in order, -1 when lost. */
  arrivalTicks: Float64Array
  /** 1..RTCP_FEEDBACK_WRITTEN_MAX statuses, from the beginning of `arrivalTicks`. */
  statusCount: number
}

const RUN_MAX = 0x1fff
const HEADER_BYTES = 20
const DELTA_MIN = -0x8000
const DELTA_MAX = 0x7fff

const LOST = 0
const SMALL = 1
const LARGE = 2

/** Owns the scratch in which statuses become symbols and deltas before their size is known. */
export class FeedbackEncoder {
  readonly #symbols = new Uint8Array(RTCP_FEEDBACK_WRITTEN_MAX)
  readonly #deltas = new Int16Array(RTCP_FEEDBACK_WRITTEN_MAX)
  #count = 0
  #deltaBytes = 0

  /**
   * Returns the offset after the packet; -1, with nothing written, when it passes `limit`, has no
   * status or more than RTCP_FEEDBACK_WRITTEN_MAX, or a delta beyond 8.19 s.
   */
  write(out: Uint8Array, start: number, limit: number, source: FeedbackSource): number {
    const referenceTime = this.#symbolize(source)
    if (referenceTime < 0) return -1
    const chunkBytes = this.#countChunks() * 2
    const sizeBytes = (HEADER_BYTES + chunkBytes + this.#deltaBytes + 3) & ~3
    if (start + sizeBytes > limit) return -1
    out[start] = 0x80 | FEEDBACK_TRANSPORT
    out[start + 1] = RTCP_TRANSPORT_FEEDBACK
    writeUint16(out, start + 2, sizeBytes / 4 - 1)
    writeUint32(out, start + 4, source.senderSsrc)
    writeUint32(out, start + 8, source.mediaSsrc)
    writeUint16(out, start + 12, source.baseSequence)
    writeUint16(out, start + 14, source.statusCount)
    writeUint24(out, start + 16, referenceTime % 0x100_0000)
    out[start + 19] = source.feedbackCount
    let offset = start + HEADER_BYTES
    for (let index = 0; index < this.#count; ) {
      const chunk = this.#chunkAt(index)
      offset = writeUint16(out, offset, chunk)
      index += coveredBy(chunk)
    }
    offset = this.#writeDeltas(out, offset)
    while (offset < start + sizeBytes) out[offset++] = 0
    return offset
  }

  /**
   * Fills the scratch; returns the reference time in 64 ms, -1 when the source cannot be encoded.
   */
  #symbolize(source: FeedbackSource): number {
    this.#count = source.statusCount
    this.#deltaBytes = 0
    if (this.#count < 1 || this.#count > RTCP_FEEDBACK_WRITTEN_MAX) return -1
    let referenceTime = -1
    let previousTicks = 0
    for (let index = 0; index < this.#count; index++) {
      const ticks = source.arrivalTicks[index]!
      this.#symbols[index] = LOST
      if (ticks < 0) continue
      if (referenceTime < 0) {
        referenceTime = Math.floor(ticks / TICKS_PER_REFERENCE)
        previousTicks = referenceTime * TICKS_PER_REFERENCE
      }
      const delta = ticks - previousTicks
      if (delta < DELTA_MIN || delta > DELTA_MAX) return -1
      const symbol = delta >= 0 && delta <= 0xff ? SMALL : LARGE
      this.#symbols[index] = symbol
      this.#deltas[index] = delta
      this.#deltaBytes += symbol
      previousTicks = ticks
    }
    if (referenceTime >= 0) return referenceTime
    return Math.floor(source.fallbackTicks / TICKS_PER_REFERENCE)
  }

  #countChunks(): number {
    let count = 0
    for (let index = 0; index < this.#count; index += coveredBy(this.#chunkAt(index))) count += 1
    return count
  }

  /**
   * The chunk that tells most from `index` on: a long run, 14 one-bit symbols, a short run, 7 two-
   * bit symbols.
   */
  #chunkAt(index: number): number {
    const symbols = this.#symbols
    const symbol = symbols[index]!
    let run = 1
    const runMax = Math.min(RUN_MAX, this.#count - index)
    while (run < runMax && symbols[index + run] === symbol) run += 1
    if (run >= 14 || run === this.#count - index) return (symbol << 13) | run
    let oneBit = 0x8000
    let isOneBit = true
    for (let bit = 0; bit < 14 && index + bit < this.#count; bit++) {
      if (symbols[index + bit] === LARGE) isOneBit = false
      oneBit |= (symbols[index + bit]! & 1) << (13 - bit)
    }
    if (isOneBit) return oneBit
    if (run >= 7) return (symbol << 13) | run
    let twoBit = 0xc000
    for (let bit = 0; bit < 7 && index + bit < this.#count; bit++) {
      twoBit |= symbols[index + bit]! << (12 - 2 * bit)
    }
    return twoBit
  }

  #writeDeltas(out: Uint8Array, start: number): number {
    let offset = start
    for (let index = 0; index < this.#count; index++) {
      const symbol = this.#symbols[index]
      if (symbol === SMALL) out[offset++] = this.#deltas[index]!
      else if (symbol === LARGE) offset = writeUint16(out, offset, this.#deltas[index]!)
    }
    return offset
  }
}

function coveredBy(chunk: number): number {
  if (chunk < 0x8000) return chunk & RUN_MAX
  return chunk < 0xc000 ? 14 : 7
}
