/**
 * Writes RTCP packets one after another into a caller's buffer, so that what stands there is a
 * compound. Every method returns false, and writes nothing, when its packet would pass the limit.
 * It does not force the order of RFC 3550 §6.1: the caller begins with a report unless reduced size
 * (RFC 5506) was negotiated.
 */
import { readUint16, writeUint16, writeUint24, writeUint32 } from '../rtp/index.ts'
import {
  FEEDBACK_APPLICATION,
  FEEDBACK_FIR,
  FEEDBACK_NACK,
  FEEDBACK_PLI,
  REMB_IDENTIFIER,
  REPORT_BLOCK_BYTES,
  RTCP_BYE,
  RTCP_PAYLOAD_FEEDBACK,
  RTCP_RECEIVER_REPORT,
  RTCP_SENDER_REPORT,
  RTCP_SOURCE_DESCRIPTION,
  RTCP_TRANSPORT_FEEDBACK,
  SDES_CNAME,
} from './packet-type.ts'
import type { ReportBlock, SenderReport } from './report.ts'
import { FeedbackEncoder, type FeedbackSource } from './write-transport-feedback.ts'

const REPORT_BLOCKS_PER_PACKET = 31

/** Who speaks about which source. */
export type FeedbackAddress = { senderSsrc: number; mediaSsrc: number }

/** Reusable: `reset`, any packets, then send `out` up to `end`. */
export class RtcpWriter {
  readonly #encoder = new FeedbackEncoder()
  #out: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #limit = 0
  /** Where the report that takes blocks stands, -1 when none does. */
  #reportStart = -1

  /** Begins an empty compound at `start`, that will not pass `limit`. */
  reset(out: Uint8Array, start: number, limit: number): void {
    this.#out = out
    this.#start = start
    this.#end = start
    this.#limit = Math.min(limit, out.length)
    this.#reportStart = -1
  }

  /** One past the last byte written. */
  get end(): number {
    return this.#end
  }

  get isEmpty(): boolean {
    return this.#end === this.#start
  }

  /** SR without blocks (add them with `reportBlock`). */
  senderReport(report: SenderReport): boolean {
    const start = this.#begin(RTCP_SENDER_REPORT, 0, 28)
    if (start < 0) return false
    const out = this.#out
    writeUint32(out, start + 4, report.ssrc)
    writeUint32(out, start + 8, report.ntpSeconds)
    writeUint32(out, start + 12, report.ntpFraction)
    writeUint32(out, start + 16, report.rtpTimestamp)
    writeUint32(out, start + 20, report.packetCount)
    writeUint32(out, start + 24, report.octetCount)
    this.#reportStart = start
    return true
  }

  /** RR without blocks. */
  receiverReport(senderSsrc: number): boolean {
    const start = this.#begin(RTCP_RECEIVER_REPORT, 0, 8)
    if (start < 0) return false
    writeUint32(this.#out, start + 4, senderSsrc)
    this.#reportStart = start
    return true
  }

  /**
   * Appends to the report just written; false too when it holds 31 or something else follows it.
   */
  reportBlock(block: ReportBlock): boolean {
    const report = this.#reportStart
    const out = this.#out
    const offset = this.#end
    if (report < 0 || offset + REPORT_BLOCK_BYTES > this.#limit) return false
    const count = out[report]! & 0x1f
    if (count === REPORT_BLOCKS_PER_PACKET) return false
    out[report] = 0x80 | (count + 1)
    writeUint16(out, report + 2, readUint16(out, report + 2) + REPORT_BLOCK_BYTES / 4)
    writeUint32(out, offset, block.ssrc)
    out[offset + 4] = block.fractionLost
    writeUint24(out, offset + 5, block.cumulativeLost)
    writeUint32(out, offset + 8, block.highestSequence)
    writeUint32(out, offset + 12, block.jitterTicks)
    writeUint32(out, offset + 16, block.lastSenderReport)
    this.#end = writeUint32(out, offset + 20, block.delaySinceLastSenderReport)
    return true
  }

  /** SDES with one CNAME of 1..255 bytes. */
  cname(ssrc: number, name: Uint8Array): boolean {
    if (name.length < 1 || name.length > 255) return false
    // SSRC, item head, name, at least one zero, up to 32 bits.
    const chunkBytes = (4 + 2 + name.length + 1 + 3) & ~3
    const start = this.#begin(RTCP_SOURCE_DESCRIPTION, 1, 4 + chunkBytes)
    if (start < 0) return false
    const out = this.#out
    writeUint32(out, start + 4, ssrc)
    out[start + 8] = SDES_CNAME
    out[start + 9] = name.length
    out.set(name, start + 10)
    out.fill(0, start + 10 + name.length, start + 4 + chunkBytes)
    return true
  }

  /** Generic NACK for the first `count` of `sequenceNumbers`, ascending modulo 2^16. */
  nack(address: FeedbackAddress, sequenceNumbers: Uint16Array, count: number): boolean {
    if (count === 0) return false
    const pairs = countNackPairs(sequenceNumbers, count)
    const start = this.#begin(RTCP_TRANSPORT_FEEDBACK, FEEDBACK_NACK, 12 + pairs * 4)
    if (start < 0) return false
    this.#address(start, address.senderSsrc, address.mediaSsrc)
    let offset = start + 12
    let index = 0
    while (index < count) {
      const first = sequenceNumbers[index++]!
      let mask = 0
      while (index < count && isInPair(first, sequenceNumbers[index]!)) {
        mask |= 1 << (((sequenceNumbers[index++]! - first) & 0xffff) - 1)
      }
      writeUint16(this.#out, offset, first)
      offset = writeUint16(this.#out, offset + 2, mask)
    }
    return true
  }

  pli(senderSsrc: number, mediaSsrc: number): boolean {
    const start = this.#begin(RTCP_PAYLOAD_FEEDBACK, FEEDBACK_PLI, 12)
    if (start < 0) return false
    this.#address(start, senderSsrc, mediaSsrc)
    return true
  }

  /** `commandNumber` grows by one (modulo 256) with each new request, not with repetitions. */
  fir(senderSsrc: number, mediaSsrc: number, commandNumber: number): boolean {
    const start = this.#begin(RTCP_PAYLOAD_FEEDBACK, FEEDBACK_FIR, 20)
    if (start < 0) return false
    // RFC 5104 §4.3.1.2: the media source of the header is unused.
    this.#address(start, senderSsrc, 0)
    writeUint32(this.#out, start + 12, mediaSsrc)
    writeUint32(this.#out, start + 16, (commandNumber & 0xff) << 24)
    return true
  }

  /** REMB over at most 255 SSRCs; bitrate is rounded down to 18 significant bits. */
  remb(senderSsrc: number, bitrateBps: number, ssrcs: readonly number[]): boolean {
    if (ssrcs.length > 255) return false
    const sizeBytes = 20 + ssrcs.length * 4
    const start = this.#begin(RTCP_PAYLOAD_FEEDBACK, FEEDBACK_APPLICATION, sizeBytes)
    if (start < 0) return false
    let exponent = 0
    let mantissa = Math.max(0, Math.floor(bitrateBps))
    while (mantissa > 0x3ffff && exponent < 63) {
      mantissa = Math.floor(mantissa / 2)
      exponent += 1
    }
    this.#address(start, senderSsrc, 0)
    writeUint32(this.#out, start + 12, REMB_IDENTIFIER)
    this.#out[start + 16] = ssrcs.length
    writeUint24(this.#out, start + 17, (exponent << 18) | Math.min(mantissa, 0x3ffff))
    for (let index = 0; index < ssrcs.length; index++) {
      writeUint32(this.#out, start + 20 + index * 4, ssrcs[index]!)
    }
    return true
  }

  /**
   * Transport-wide feedback; false too when a delta does not fit (the source must be cut there).
   */
  transportFeedback(source: FeedbackSource): boolean {
    const end = this.#encoder.write(this.#out, this.#end, this.#limit, source)
    if (end < 0) return false
    this.#reportStart = -1
    this.#end = end
    return true
  }

  /** BYE of one source, without a reason. */
  bye(ssrc: number): boolean {
    const start = this.#begin(RTCP_BYE, 1, 8)
    if (start < 0) return false
    writeUint32(this.#out, start + 4, ssrc)
    return true
  }

  /** Takes room for a packet and writes its head; -1 without room. */
  #begin(type: number, count: number, sizeBytes: number): number {
    const start = this.#end
    if (start + sizeBytes > this.#limit) return -1
    this.#out[start] = 0x80 | count
    this.#out[start + 1] = type
    writeUint16(this.#out, start + 2, sizeBytes / 4 - 1)
    this.#end = start + sizeBytes
    this.#reportStart = -1
    return start
  }

  #address(start: number, senderSsrc: number, mediaSsrc: number): void {
    writeUint32(this.#out, start + 4, senderSsrc)
    writeUint32(this.#out, start + 8, mediaSsrc)
  }
}

/** True when `number` is one of the 16 after `first`. */
function isInPair(first: number, number: number): boolean {
  const distance = (number - first) & 0xffff
  return distance >= 1 && distance <= 16
}

function countNackPairs(sequenceNumbers: Uint16Array, count: number): number {
  let pairs = 0
  let first = 0
  for (let index = 0; index < count; index++) {
    const number = sequenceNumbers[index]!
    if (pairs > 0 && isInPair(first, number)) continue
    first = number
    pairs += 1
  }
  return pairs
}
