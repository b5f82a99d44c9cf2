/**
 * The fixed facts of one outgoing SSRC: how its headers look at this receiver, and what was sent on
 * it. Not a socket and not SRTP (PacketSink has both).
 */
import type { CodecName, OutgoingSection } from '../control.ts'

/** Told of each packet that carries a transport-wide sequence; a bandwidth estimator. */
export interface SentLog {
  onPacketSent(twccSequence: number, sizeBytes: number, nowMs: number): void
}

/** What all outgoing streams of one transport share. */
export class OutgoingLink {
  /** Next transport-wide sequence, 16 bits. */
  transportSequence = 0
  readonly sent: SentLog

  constructor(sent: SentLog) {
    this.sent = sent
  }
}

/** RFC 8285 profile identifiers. */
const ONE_BYTE_PROFILE = 0xbede
const TWO_BYTE_PROFILE = 0x1000

/** One outgoing SSRC: that of a slot, or its RTX. */
export class OutgoingStream {
  readonly ssrc: number
  readonly link: OutgoingLink
  /** Handle at the sink; -1 while the transport is not connected. */
  handle = -1
  /** Of the source whose packets go out now. */
  payloadType = 0
  /** Of the source that is awaited; takes the place of `payloadType` when the slot switches. */
  nextPayloadType = 0
  /** Of RED, where the receiver negotiated it; -1 otherwise. */
  redPayloadType = -1
  /** 12, or more with extensions; a multiple of 4. */
  readonly headerBytes: number
  /** Header extension as it is written, profile and length first; undefined without. */
  readonly extension: Uint8Array | undefined
  /** Where within the header the values stand; 0 = not negotiated. */
  readonly transportSequenceAt: number
  readonly absSendTimeAt: number
  /** For sender reports (RFC 3550 §6.4.1), modulo 2^32 as signed integers. */
  packetCount = 0
  octetCount = 0
  /** What of it the transport has already added up. */
  measuredPackets = 0
  measuredOctets = 0
  /** RTX only: its own index. */
  nextIndex = 0
  /**
   * Transport-wide sequence by low bits of the index, kept only where a retransmission must repeat
   * identical bytes (no RTX).
   */
  sentTransportSequences: Uint16Array | undefined

  constructor(ssrc: number, link: OutgoingLink, plan: ExtensionPlan) {
    this.ssrc = ssrc | 0
    this.link = link
    this.extension = plan.extension
    this.headerBytes = 12 + (plan.extension?.length ?? 0)
    this.transportSequenceAt = plan.transportSequenceAt
    this.absSendTimeAt = plan.absSendTimeAt
  }
}

/** How the header extension of a section's packets is laid out. */
export type ExtensionPlan = {
  extension: Uint8Array | undefined
  transportSequenceAt: number
  absSendTimeAt: number
}

/**
 * Lays out what the section negotiated. Absolute send time is written only where transport-wide
 * sequences are not, and never where a retransmission has to repeat identical bytes.
 */
export function planExtension(section: OutgoingSection): ExtensionPlan {
  const { transportWide, absSendTime } = section.extensions
  const isTransportWide = transportWide !== undefined && section.feedback.transportWide
  const repeats = section.feedback.nack && section.rtxSsrc === 0
  const isAbsolute = absSendTime !== undefined && !isTransportWide && !repeats
  if (isTransportWide) return planElement(transportWide, 2)
  if (isAbsolute) return planElement(absSendTime, 3)
  return { extension: undefined, transportSequenceAt: 0, absSendTimeAt: 0 }
}

function planElement(id: number, valueBytes: number): ExtensionPlan {
  const isOneByte = id <= 14
  const elementHead = isOneByte ? 1 : 2
  const words = Math.ceil((elementHead + valueBytes) / 4)
  const extension = new Uint8Array(4 + words * 4)
  const profile = isOneByte ? ONE_BYTE_PROFILE : TWO_BYTE_PROFILE
  extension[0] = profile >> 8
  extension[1] = profile & 0xff
  extension[3] = words
  if (isOneByte) {
    extension[4] = (id << 4) | (valueBytes - 1)
  } else {
    extension[4] = id
    extension[5] = valueBytes
  }
  const at = 12 + 4 + elementHead
  return {
    extension,
    transportSequenceAt: valueBytes === 2 ? at : 0,
    absSendTimeAt: valueBytes === 3 ? at : 0,
  }
}

/**
 * The receiver's payload type for a codec, preferring equal parameters (H.264 profiles); -1 when
 * none fits.
 */
export function payloadTypeFor(
  section: OutgoingSection,
  codec: CodecName,
  fmtp: string | undefined,
): number {
  return codecFor(section, codec, fmtp)?.payloadType ?? -1
}

/** As `payloadTypeFor`, for the RTX payload type bound to it. */
export function rtxPayloadTypeFor(
  section: OutgoingSection,
  codec: CodecName,
  fmtp: string | undefined,
): number {
  return codecFor(section, codec, fmtp)?.rtxPayloadType ?? -1
}

function codecFor(section: OutgoingSection, codec: CodecName, fmtp: string | undefined) {
  const same = section.codecs.filter((spec) => spec.codec === codec)
  const wanted = packetizationMode(fmtp)
  const exact = same.find((spec) => spec.fmtp === fmtp)
  if (exact !== undefined || codec !== 'h264') return exact ?? same[0]
  const profile = profileLevelId(fmtp)
  const fits = same.filter((spec) => packetizationMode(spec.fmtp) === wanted)
  return fits.find((spec) => profileLevelId(spec.fmtp) === profile) ?? fits[0]
}

function packetizationMode(fmtp: string | undefined): string {
  return /packetization-mode=(\d)/.exec(fmtp ?? '')?.[1] ?? '0'
}

/** profile_idc and constraint flags; the level is the encoder's to keep. */
function profileLevelId(fmtp: string | undefined): string {
  const found = /profile-level-id=([0-9a-f]{4})/i.exec(fmtp ?? '')
  return (found?.[1] ?? '42e0').toLowerCase()
}
