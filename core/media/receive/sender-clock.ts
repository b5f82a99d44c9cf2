/**
 * What sender reports say of a source's clock (RFC 3550 §6.4.1): which wall time one RTP timestamp
 * stands for. Lets the forwarder align timestamps of simulcast layers, and reports answer with LSR
 * and DLSR. Drift between two reports is not modelled: the latest counts.
 */
import { compactNtpOf, ntpMsOf, type SenderReport } from '../rtcp/index.ts'
import { sequenceDelta32 } from '../rtp/index.ts'

const TWO_32 = 0x1_0000_0000

/** Wall time of one source, by its last sender report. */
export class SenderClock {
  readonly #clockRate: number
  #ntpMs = 0
  #rtpTimestamp = 0
  #compactNtp = 0
  #arrivalMs = -1

  /** `clockRate` in Hz. */
  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  /** False until a report came. */
  get isKnown(): boolean {
    return this.#arrivalMs >= 0
  }

  onSenderReport(report: SenderReport, nowMs: number): void {
    this.#ntpMs = ntpMsOf(report)
    this.#rtpTimestamp = report.rtpTimestamp
    this.#compactNtp = compactNtpOf(report)
    this.#arrivalMs = nowMs
  }

  reset(): void {
    this.#arrivalMs = -1
  }

  /**
   * The sender's wall time in ms since 1900 for an RTP timestamp within 2^31 ticks of the report;
   * NaN when unknown.
   */
  ntpMsAt(timestamp: number): number {
    if (!this.isKnown) return Number.NaN
    return this.#ntpMs + (sequenceDelta32(this.#rtpTimestamp, timestamp) / this.#clockRate) * 1_000
  }

  /** The 32-bit RTP timestamp for the sender's wall time; NaN when unknown. */
  timestampAt(ntpMs: number): number {
    if (!this.isKnown) return Number.NaN
    const ticks = Math.round(((ntpMs - this.#ntpMs) / 1_000) * this.#clockRate)
    const timestamp = (this.#rtpTimestamp + ticks) % TWO_32
    return timestamp < 0 ? timestamp + TWO_32 : timestamp
  }

  /** LSR: middle 32 bits of the last report's time, 0 when none. */
  get lastSenderReport(): number {
    return this.isKnown ? this.#compactNtp : 0
  }

  /** DLSR in 1/65536 s, 0 when none. */
  delaySinceLastSenderReport(nowMs: number): number {
    if (!this.isKnown) return 0
    const units = Math.round((nowMs - this.#arrivalMs) * 65.536)
    return Math.max(0, Math.min(0xffff_ffff, units))
  }
}
