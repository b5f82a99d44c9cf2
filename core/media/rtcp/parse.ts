/**
 * RTCP compounds: SR, RR, SDES, BYE (RFC 3550 §6), NACK, PLI (RFC 4585 §6), FIR (RFC 5104 §4.3.1),
 * REMB (draft-alvestrand-rmcat-remb-03) and transport-wide feedback. Reduced-size compounds (RFC
 * 5506) are accepted; types that we do not know are skipped. Nothing is allocated per datagram, and
 * a datagram has a budget of handler calls, so that 1,500 bytes can never cause more than bounded
 * work. XR is not read.
 */
import {
  RTCP_FEEDBACK_STATUSES_MAX,
  RTCP_ITEMS_MAX,
  RTCP_REMB_BPS_MAX,
} from '../../../config/limits.ts'
import { DROP_CODE, readUint16, readUint24, readUint32 } from '../rtp/index.ts'
import {
  FEEDBACK_APPLICATION,
  FEEDBACK_FIR,
  FEEDBACK_NACK,
  FEEDBACK_PLI,
  FEEDBACK_TRANSPORT,
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
import { ReportBlock, SenderReport } from './report.ts'
import { TransportFeedback } from './transport-feedback.ts'

const MALFORMED = DROP_CODE['rtcp-malformed']
const OVER_LIMIT = DROP_CODE['rtcp-over-limit']

/**
 * Receives what a compound says. Objects are reused: read them before returning, and do not parse
 * from inside.
 */
export interface RtcpHandler {
  onSenderReport(report: SenderReport): void
  onReportBlock(reporterSsrc: number, block: ReportBlock): void
  /** The name is `bytes[start, end)` of what was given to `parse`. */
  onCname(ssrc: number, start: number, end: number): void
  onBye(ssrc: number): void
  /** Once per requested 16-bit number. */
  onNack(mediaSsrc: number, sequenceNumber: number): void
  onPli(mediaSsrc: number): void
  onFir(mediaSsrc: number, commandNumber: number): void
  /** 1..RTCP_REMB_BPS_MAX; a REMB of 0 is not handed on. */
  onRemb(bitrateBps: number): void
  onTransportFeedback(feedback: TransportFeedback): void
}

/** Reads compounds into one handler; one parser per direction and thread is enough. */
export class RtcpParser {
  readonly #handler: RtcpHandler
  readonly #senderReport = new SenderReport()
  readonly #block = new ReportBlock()
  readonly #feedback = new TransportFeedback()
  #bytes: Uint8Array = new Uint8Array(0)
  #itemsLeft = 0
  #statusesLeft = 0
  #code = 0

  constructor(handler: RtcpHandler) {
    this.#handler = handler
  }

  /**
   * Reads the plain compound `bytes[start, end)` into the handler. Returns 0, or the DropReason
   * code of what was not used: a compound with a lying length is refused whole; one over its budget
   * is used up to it.
   */
  parse(bytes: Uint8Array, start: number, end: number): number {
    if (!isFramed(bytes, start, end)) return MALFORMED
    this.#bytes = bytes
    this.#itemsLeft = RTCP_ITEMS_MAX
    this.#statusesLeft = RTCP_FEEDBACK_STATUSES_MAX
    this.#code = 0
    let offset = start
    while (offset < end) {
      const packetEnd = offset + 4 + readUint16(bytes, offset + 2) * 4
      const bodyEnd = packetEnd - paddingBytesOf(bytes, offset, packetEnd)
      this.#packet(offset, bodyEnd)
      offset = packetEnd
    }
    return this.#code
  }

  /** One packet of the compound, padding excluded. */
  #packet(start: number, end: number): void {
    const bytes = this.#bytes
    const count = bytes[start]! & 0x1f
    switch (bytes[start + 1]) {
      case RTCP_SENDER_REPORT:
        this.#readSenderReport(start, end)
        break
      case RTCP_RECEIVER_REPORT:
        this.#readBlocks(start, start + 8, end)
        break
      case RTCP_SOURCE_DESCRIPTION:
        this.#readDescription(start, end)
        break
      case RTCP_BYE:
        this.#readBye(start, end)
        break
      case RTCP_TRANSPORT_FEEDBACK:
        if (end - start < 12) this.#code = MALFORMED
        else if (count === FEEDBACK_NACK) this.#readNack(start, end)
        else if (count === FEEDBACK_TRANSPORT) this.#readTransportFeedback(start, end)
        break
      case RTCP_PAYLOAD_FEEDBACK:
        if (end - start < 12) this.#code = MALFORMED
        else this.#readPayloadFeedback(start, end)
        break
    }
  }

  /** True while the datagram may still cause a handler call. */
  #spend(): boolean {
    if (this.#itemsLeft === 0) {
      this.#code = OVER_LIMIT
      return false
    }
    this.#itemsLeft -= 1
    return true
  }

  #readSenderReport(start: number, end: number): void {
    const bytes = this.#bytes
    if (end - start < 28) {
      this.#code = MALFORMED
      return
    }
    if (!this.#spend()) return
    const report = this.#senderReport
    report.ssrc = readUint32(bytes, start + 4)
    report.ntpSeconds = readUint32(bytes, start + 8)
    report.ntpFraction = readUint32(bytes, start + 12)
    report.rtpTimestamp = readUint32(bytes, start + 16)
    report.packetCount = readUint32(bytes, start + 20)
    report.octetCount = readUint32(bytes, start + 24)
    this.#handler.onSenderReport(report)
    this.#readBlocks(start, start + 28, end)
  }

  /**
   * The count in the header says how many; what follows them is a profile's extension and skipped.
   */
  #readBlocks(start: number, blocksStart: number, end: number): void {
    const bytes = this.#bytes
    const count = bytes[start]! & 0x1f
    if (blocksStart + count * REPORT_BLOCK_BYTES > end) {
      this.#code = MALFORMED
      return
    }
    const reporterSsrc = readUint32(bytes, start + 4)
    const block = this.#block
    for (let index = 0; index < count; index++) {
      if (!this.#spend()) return
      const offset = blocksStart + index * REPORT_BLOCK_BYTES
      block.ssrc = readUint32(bytes, offset)
      block.fractionLost = bytes[offset + 4]!
      block.cumulativeLost = (readUint24(bytes, offset + 5) << 8) >> 8
      block.highestSequence = readUint32(bytes, offset + 8)
      block.jitterTicks = readUint32(bytes, offset + 12)
      block.lastSenderReport = readUint32(bytes, offset + 16)
      block.delaySinceLastSenderReport = readUint32(bytes, offset + 20)
      this.#handler.onReportBlock(reporterSsrc, block)
    }
  }

  /** SDES: chunks of SSRC and items, each chunk ended by a zero and padded to 32 bits. */
  #readDescription(start: number, end: number): void {
    const count = this.#bytes[start]! & 0x1f
    let offset = start + 4
    for (let index = 0; index < count; index++) {
      if (offset + 8 > end) {
        this.#code = MALFORMED
        return
      }
      offset = this.#readChunk(offset, end)
      if (offset < 0) return
    }
  }

  /** Returns the offset after the chunk, -1 when it lies or the budget is spent. */
  #readChunk(start: number, end: number): number {
    const bytes = this.#bytes
    const ssrc = readUint32(bytes, start)
    let offset = start + 4
    while (offset < end && bytes[offset] !== 0) {
      const itemEnd = offset + 2 < end ? offset + 2 + bytes[offset + 1]! : end + 1
      if (itemEnd > end) {
        this.#code = MALFORMED
        return -1
      }
      if (bytes[offset] === SDES_CNAME) {
        if (!this.#spend()) return -1
        this.#handler.onCname(ssrc, offset + 2, itemEnd)
      }
      offset = itemEnd
    }
    return offset + 4 - ((offset - start) & 3)
  }

  #readBye(start: number, end: number): void {
    const bytes = this.#bytes
    const count = bytes[start]! & 0x1f
    if (start + 4 + count * 4 > end) {
      this.#code = MALFORMED
      return
    }
    for (let index = 0; index < count; index++) {
      if (!this.#spend()) return
      this.#handler.onBye(readUint32(bytes, start + 4 + index * 4))
    }
  }

  /** Pairs of a number and a bitmask of the 16 after it. */
  #readNack(start: number, end: number): void {
    const bytes = this.#bytes
    const mediaSsrc = readUint32(bytes, start + 8)
    for (let offset = start + 12; offset + 4 <= end; offset += 4) {
      const first = readUint16(bytes, offset)
      if (!this.#spend()) return
      this.#handler.onNack(mediaSsrc, first)
      let following = readUint16(bytes, offset + 2)
      for (let distance = 1; following !== 0; distance++, following >>>= 1) {
        if ((following & 1) === 0) continue
        if (!this.#spend()) return
        this.#handler.onNack(mediaSsrc, (first + distance) & 0xffff)
      }
    }
  }

  #readTransportFeedback(start: number, end: number): void {
    const bytes = this.#bytes
    const feedback = this.#feedback
    if (!feedback.read(bytes, start + 12, end)) {
      this.#code = MALFORMED
      return
    }
    if (feedback.statusCount > this.#statusesLeft || !this.#spend()) {
      this.#code = OVER_LIMIT
      return
    }
    this.#statusesLeft -= feedback.statusCount
    feedback.senderSsrc = readUint32(bytes, start + 4)
    feedback.mediaSsrc = readUint32(bytes, start + 8)
    this.#handler.onTransportFeedback(feedback)
  }

  #readPayloadFeedback(start: number, end: number): void {
    const bytes = this.#bytes
    switch (bytes[start]! & 0x1f) {
      case FEEDBACK_PLI:
        if (this.#spend()) this.#handler.onPli(readUint32(bytes, start + 8))
        break
      case FEEDBACK_FIR:
        for (let offset = start + 12; offset + 8 <= end; offset += 8) {
          if (!this.#spend()) return
          this.#handler.onFir(readUint32(bytes, offset), bytes[offset + 4]!)
        }
        break
      case FEEDBACK_APPLICATION:
        this.#readRemb(start, end)
        break
    }
  }

  /** Application layer feedback other than REMB is skipped. */
  #readRemb(start: number, end: number): void {
    const bytes = this.#bytes
    if (end - start < 20 || readUint32(bytes, start + 12) !== REMB_IDENTIFIER) return
    if (start + 20 + bytes[start + 16]! * 4 > end) {
      this.#code = MALFORMED
      return
    }
    const exponent = bytes[start + 17]! >>> 2
    const mantissa = readUint24(bytes, start + 17) & 0x3ffff
    // A double holds 2^18 * 2^63; nobody means 0, and nothing is faster than the limit.
    const bitrateBps = Math.min(mantissa * 2 ** exponent, RTCP_REMB_BPS_MAX)
    if (bitrateBps === 0 || !this.#spend()) {
      this.#code = OVER_LIMIT
      return
    }
    this.#handler.onRemb(bitrateBps)
  }
}

/** Bytes of padding at the end of one packet, 0 without P bit. */
function paddingBytesOf(bytes: Uint8Array, start: number, end: number): number {
  return (bytes[start]! & 0x20) === 0 ? 0 : bytes[end - 1]!
}

/**
 * Walks the headers: all version 2, lengths that add up to the datagram, padding only in the last
 * packet.
 */
function isFramed(bytes: Uint8Array, start: number, end: number): boolean {
  if (start < 0 || end > bytes.length || end - start < 8) return false
  let offset = start
  while (offset < end) {
    if (offset + 4 > end || bytes[offset]! >>> 6 !== 2) return false
    const packetEnd = offset + 4 + readUint16(bytes, offset + 2) * 4
    if (packetEnd > end) return false
    if ((bytes[offset]! & 0x20) !== 0) {
      const paddingBytes = bytes[packetEnd - 1]!
      if (packetEnd !== end || paddingBytes === 0 || paddingBytes > packetEnd - offset - 4) {
        return false
      }
    }
    offset = packetEnd
  }
  return true
}
