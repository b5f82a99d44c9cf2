/**
 * RTCP that the engine sends on its own: to publishers NACK, PLI, transport-wide feedback, receiver
 * reports and REMB; to receivers sender reports (RFC 3550 §6.4) on our clock. When each is due is
 * told by receive's deadlines.
 */
import { ReportBlock, RtcpWriter, SenderReport, setNtpTime } from '../rtcp/index.ts'
import type { Publication } from './publication.ts'
import type { Registry } from './registry.ts'
import { NTP_UNIX_MS } from './rtcp-ingress.ts'
import type { Slot } from './slot.ts'
import type { Transport } from './transport.ts'

const COMPOUND_BYTES_MAX = 1_200
const RECEIVER_REPORT_MS = 1_000
const SENDER_REPORT_MS = 1_000
/** The first report after a switch comes soon, so that lips meet voices. */
const FIRST_REPORT_MS = 100

/** Owns the one scratch compound in which all of it is written. */
export class Feedback {
  readonly #registry: Registry
  readonly #writer = new RtcpWriter()
  readonly #bytes = new Uint8Array(COMPOUND_BYTES_MAX)
  readonly #block = new ReportBlock()
  readonly #report = new SenderReport()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Whatever is due to one publisher. Called at every tick. */
  toPublisher(transport: Transport, nowMs: number): void {
    const { table, feedback } = transport
    if (table === undefined) return
    if (feedback !== undefined && nowMs >= feedback.nextDeadlineMs()) {
      this.#begin(transport)
      if (feedback.collect(nowMs, this.#writer)) this.#send(transport)
    }
    for (const stream of table.streams) {
      if (nowMs < stream.nextDeadlineMs()) continue
      this.#begin(transport)
      const emptyEnd = this.#writer.end
      const asked = stream.keyframes.sentCount
      stream.collect(nowMs, this.#writer, transport.ownSsrc)
      this.#registry.counters.keyframesRequested += stream.keyframes.sentCount - asked
      if (this.#writer.end > emptyEnd) this.#send(transport)
    }
    if (nowMs - transport.reportedMs >= RECEIVER_REPORT_MS) this.#receiverReport(transport, nowMs)
  }

  #receiverReport(transport: Transport, nowMs: number): void {
    const { table, remb } = transport
    transport.reportedMs = nowMs
    if (table === undefined || table.streams.length === 0) return
    this.#begin(transport)
    let receivedBps = 0
    let lossRatio = 0
    const rembSsrcs: number[] = []
    for (const stream of table.streams) {
      if (stream.fillReportBlock(this.#block, nowMs)) this.#writer.reportBlock(this.#block)
      if (stream.fillRtxReportBlock(this.#block)) this.#writer.reportBlock(this.#block)
      if (stream.section.kind !== 'video') continue
      receivedBps += stream.rate.bitrateBps(nowMs)
      lossRatio = Math.max(lossRatio, stream.lossRatio)
      rembSsrcs.push(stream.ssrc)
    }
    this.#writer.cname(transport.ownSsrc, transport.cname)
    if (remb !== undefined && rembSsrcs.length > 0) {
      const bitrateBps = remb.update(lossRatio, receivedBps)
      this.#writer.remb(transport.ownSsrc, bitrateBps, rembSsrcs)
    }
    this.#send(transport)
  }

  /** Sender reports of all slots that have sent since the last one and are due. */
  toReceiver(transport: Transport, nowMs: number): void {
    const writer = this.#writer
    writer.reset(this.#bytes, 0, COMPOUND_BYTES_MAX)
    let first: Slot | undefined
    for (const slot of transport.slots) {
      if (!isReportDue(slot, nowMs) || !this.#fillReport(slot, nowMs)) continue
      if (!writer.senderReport(this.#report)) break
      first ??= slot
      slot.lastSenderReportMs = nowMs
      slot.reportedPacketCount = slot.stream.packetCount
      slot.reportedLayer = slot.forwarder.current?.publicationId ?? 0
    }
    if (first === undefined) return
    writer.cname(first.stream.ssrc >>> 0, transport.cname)
    this.#send(transport)
  }

  /** False when the slot shows nothing now. */
  #fillReport(slot: Slot, nowMs: number): boolean {
    const { forwarder, stream, section } = slot
    const layer = forwarder.current
    if (layer === undefined) return false
    const report = this.#report
    const unixMs = this.#registry.options.unixMsAtZero + nowMs
    setNtpTime(report, unixMs)
    report.ssrc = stream.ssrc >>> 0
    report.packetCount = stream.packetCount >>> 0
    report.octetCount = stream.octetCount >>> 0
    const publication = this.#registry.publications.get(layer.publicationId)
    const offsetMs = offsetOf(publication)
    if (layer.clock.isKnown && !Number.isNaN(offsetMs)) {
      const sourceTimestamp = layer.clock.timestampAt(unixMs + NTP_UNIX_MS - offsetMs)
      report.rtpTimestamp = (sourceTimestamp + forwarder.clockDelta) >>> 0
    } else {
      const elapsedTicks = ((nowMs - forwarder.lastSentMs) * section.codecs[0]!.clockRate) / 1_000
      report.rtpTimestamp = (forwarder.lastTimestamp + Math.round(elapsedTicks)) >>> 0
    }
    return true
  }

  /** Compounds begin with a report (RFC 3550 §6.1). */
  #begin(transport: Transport): void {
    this.#writer.reset(this.#bytes, 0, COMPOUND_BYTES_MAX)
    this.#writer.receiverReport(transport.ownSsrc)
  }

  #send(transport: Transport): void {
    this.#registry.counters.rtcpOut += 1
    this.#registry.options.sink.sendRtcp(transport.index, this.#bytes, 0, this.#writer.end)
  }
}

function isReportDue(slot: Slot, nowMs: number): boolean {
  const { stream, forwarder } = slot
  if (stream.packetCount === slot.reportedPacketCount) return false
  const isNew = slot.reportedLayer !== (forwarder.current?.publicationId ?? 0)
  return nowMs - slot.lastSenderReportMs >= (isNew ? FIRST_REPORT_MS : SENDER_REPORT_MS)
}

/** Ours minus theirs; imported clocks come already in ours. */
function offsetOf(publication: Publication | undefined): number {
  if (publication === undefined) return Number.NaN
  return publication.isImported ? 0 : publication.clockOffsetMs
}
