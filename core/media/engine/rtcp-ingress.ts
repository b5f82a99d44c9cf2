/**
 * What a peer's RTCP means for the engine: reports about our streams, requests for packets and
 * keyframes, news of their clocks, and feedback for the estimator. Parsing is rtcp's.
 */
import {
  compactNtp,
  ntpMsOf,
  type ReportBlock,
  type RtcpHandler,
  RtcpParser,
  rttMsOf,
  type SenderReport,
  type TransportFeedback,
} from '../rtcp/index.ts'
import { DROP_CODE } from '../rtp/index.ts'
import type { Registry } from './registry.ts'
import type { Retransmitter } from './retransmitter.ts'
import type { Transport } from './transport.ts'
import type { Tuner } from './tuner.ts'

const TRANSPORT_UNKNOWN = DROP_CODE['transport-unknown']
/** 1900 to 1970. */
export const NTP_UNIX_MS = 2_208_988_800_000

/** One compound at a time, never re-entered. */
export class RtcpIngress implements RtcpHandler {
  readonly #registry: Registry
  readonly #tuner: Tuner
  readonly #retransmitter: Retransmitter
  readonly #parser = new RtcpParser(this)
  #transport: Transport | undefined
  #nowMs = 0

  constructor(parts: { registry: Registry; tuner: Tuner; retransmitter: Retransmitter }) {
    this.#registry = parts.registry
    this.#tuner = parts.tuner
    this.#retransmitter = parts.retransmitter
  }

  receive(
    transport: Transport | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): void {
    const { counters } = this.#registry
    counters.rtcpIn += 1
    if (transport === undefined || !transport.isConnected) {
      counters.drop(TRANSPORT_UNKNOWN)
      return
    }
    this.#transport = transport
    this.#nowMs = nowMs
    const code = this.#parser.parse(bytes, start, end)
    if (code !== 0) counters.drop(code)
    this.#transport = undefined
  }

  onSenderReport(report: SenderReport): void {
    const stream = this.#transport?.table?.ofSsrc(report.ssrc)
    if (stream === undefined || stream.ssrc !== report.ssrc) return
    stream.onSenderReport(report, this.#nowMs)
    const ownNtpMs = this.#registry.options.unixMsAtZero + this.#nowMs + NTP_UNIX_MS
    // All of one peer's streams share its clock; each report improves what is known of it.
    for (const publication of this.#transport!.publications) {
      publication.onSenderTime(ntpMsOf(report), ownNtpMs)
    }
  }

  onReportBlock(_reporterSsrc: number, block: ReportBlock): void {
    const transport = this.#transport!
    const slot = transport.slotOf(block.ssrc)
    if (slot === undefined || slot.stream.ssrc !== (block.ssrc | 0)) return
    const nowMs = this.#nowMs
    const rttMs = rttMsOf(block, compactNtp(this.#registry.options.unixMsAtZero + nowMs))
    if (rttMs >= 0 && rttMs < 10_000) transport.onRtt(rttMs)
    slot.lossRatio = block.fractionLost / 256
    slot.jitterTicks = block.jitterTicks
    slot.reportedMs = nowMs
    const isFlowing = nowMs - slot.forwarder.lastSentMs < 2_000
    if (isFlowing) transport.estimator.onReceiverReport(slot.lossRatio, transport.rttMs, nowMs)
  }

  onCname(): void {}

  onBye(ssrc: number): void {
    this.#transport?.table?.forget(ssrc)
  }

  onNack(mediaSsrc: number, sequenceNumber: number): void {
    this.#retransmitter.onNack(this.#transport!, mediaSsrc, sequenceNumber, this.#nowMs)
  }

  onPli(mediaSsrc: number): void {
    const slot = this.#transport!.slotOf(mediaSsrc)
    const layer = slot?.forwarder.current
    if (layer === undefined) return
    const publication = this.#registry.publications.get(layer.publicationId)
    if (publication === undefined) return
    this.#tuner.requestKeyframe(publication, layer.spatialLayer, this.#nowMs)
  }

  onFir(mediaSsrc: number): void {
    this.onPli(mediaSsrc)
  }

  onRemb(bitrateBps: number): void {
    this.#transport!.estimator.onRemb(bitrateBps, this.#nowMs)
  }

  onTransportFeedback(feedback: TransportFeedback): void {
    this.#transport!.estimator.onFeedback(feedback, this.#nowMs)
  }
}
