/**
 * The parts of sender and receiver reports as reused objects (RFC 3550 §6.4), and NTP time (RFC
 * 5905 §6) in the forms that RTCP uses. No clock: wall time comes in as Unix milliseconds.
 */

/** Seconds from 1900 to 1970. */
const NTP_UNIX_OFFSET_S = 2_208_988_800
const TWO_32 = 0x1_0000_0000

/** Sender information of one SR. */
export class SenderReport {
  ssrc = 0
  ntpSeconds = 0
  /** In 2^-32 s. */
  ntpFraction = 0
  rtpTimestamp = 0
  packetCount = 0
  octetCount = 0
}

/** One report block of an SR or RR. */
export class ReportBlock {
  /** The source reported on. */
  ssrc = 0
  /** 0..255, in 1/256. */
  fractionLost = 0
  /** Signed 24 bits: duplicates can make it negative. */
  cumulativeLost = 0
  /** Cycles in the upper 16 bits. */
  highestSequence = 0
  jitterTicks = 0
  /** Middle 32 bits of the NTP time of the last SR, 0 when none. */
  lastSenderReport = 0
  /** In 1/65536 s, 0 when none. */
  delaySinceLastSenderReport = 0
}

/** Sets the NTP fields of `report` from Unix milliseconds, fractions included. */
export function setNtpTime(report: SenderReport, unixMs: number): void {
  const unixSeconds = Math.floor(unixMs / 1_000)
  report.ntpSeconds = (unixSeconds + NTP_UNIX_OFFSET_S) % TWO_32
  report.ntpFraction = Math.floor(((unixMs - unixSeconds * 1_000) / 1_000) * TWO_32)
}

/** NTP time of a report as milliseconds since 1900, as a double (exact to a microsecond). */
export function ntpMsOf(report: SenderReport): number {
  return report.ntpSeconds * 1_000 + (report.ntpFraction / TWO_32) * 1_000
}

/** The middle 32 bits of a report's NTP time: what LSR repeats. */
export function compactNtpOf(report: SenderReport): number {
  return (((report.ntpSeconds & 0xffff) << 16) | (report.ntpFraction >>> 16)) >>> 0
}

/** The middle 32 bits of NTP time for Unix milliseconds. */
export function compactNtp(unixMs: number): number {
  return Math.floor(((unixMs / 1_000 + NTP_UNIX_OFFSET_S) % 0x10000) * 0x10000) >>> 0
}

/**
 * Round trip in ms by RFC 3550 §6.4.1 for a block about a stream that we send; -1 when the block
 * does not tell. A peer whose DLSR is larger than the time passed yields 0.
 */
export function rttMsOf(block: ReportBlock, compactNtpNow: number): number {
  if (block.lastSenderReport === 0) return -1
  const units = (compactNtpNow - block.lastSenderReport - block.delaySinceLastSenderReport) | 0
  return units <= 0 ? 0 : (units / 0x10000) * 1_000
}
