/**
 * One participant's connection as the engine has it: its slots, its publications, its streams and
 * its estimate. The socket, ICE, DTLS and SRTP are core/io's.
 */
import { RESEND_BURST_PACKETS, RESEND_PACKETS_PER_S } from '../../../config/limits.ts'
import { type AllocationSlot, createEstimator, type Estimator } from '../bandwidth/index.ts'
import type {
  IncomingSection,
  OutgoingSection,
  SourceUse,
  StreamQuality,
  TransportSpec,
} from '../control.ts'
import { OutgoingLink } from '../forward/index.ts'
import { StreamTable, TransportFeedbackGenerator } from '../receive/index.ts'
import type { PacketSink } from '../sink.ts'
import { type Publication, publicationOf } from './publication.ts'
import { RembGuide } from './remb-guide.ts'
import { Slot } from './slot.ts'

const RTT_WEIGHT = 0.25

export type TransportOptions = {
  spec: TransportSpec
  index: number
  nowMs: number
  randomUint32: () => number
}

/** Owned by the registry; opens its streams when connected. */
export class Transport {
  readonly transportId: number
  readonly roomId: number
  /** Place in the engine, and the name that the sink knows. */
  readonly index: number
  readonly slots: Slot[]
  readonly videoSlots: Slot[]
  /** Of `videoSlots`, in the same order. */
  readonly allocations: AllocationSlot[]
  readonly publications: Publication[]
  readonly table: StreamTable | undefined
  readonly estimator: Estimator
  readonly link: OutgoingLink
  /** Sender of our reports about what we receive. */
  readonly ownSsrc: number
  readonly cname: Uint8Array
  permitted: readonly SourceUse[]
  isConnected = false
  /** Smoothed; 0 = unknown. */
  rttMs = 0
  packetsIn = 0
  bytesIn = 0
  /** Made with the first packet that carries a transport-wide number. */
  feedback: TransportFeedbackGenerator | undefined
  /** Made where REMB is the only way to tell the sender. */
  readonly remb: RembGuide | undefined
  reportedMs = Number.NEGATIVE_INFINITY
  qualityMs: number
  /** The last quality that left, and when. */
  qualityTold: readonly StreamQuality[] = []
  qualityToldMs = Number.NEGATIVE_INFINITY
  /** The last allocation: when, at which state of the room, and what it spent, audio included. */
  spentMs = Number.NEGATIVE_INFINITY
  spentRevision = -1
  spentBps = 0
  /** What the last allocation would have spent on a free line, audio included. */
  wantedBps = 0
  /** Being probed: see the engine's list. */
  isProbing = false
  sentBps = 0
  packetsOut = 0
  bytesOut = 0
  #sentSinceMs: number
  #resendTokens = RESEND_BURST_PACKETS
  #resendMs: number

  constructor({ spec, index, nowMs, randomUint32 }: TransportOptions) {
    this.transportId = spec.transportId
    this.roomId = spec.roomId
    this.index = index
    this.permitted = spec.permitted
    this.estimator = createEstimator(nowMs)
    this.link = new OutgoingLink(this.estimator)
    this.link.transportSequence = randomUint32() & 0xffff
    const outgoing = spec.sections.filter(isOutgoing)
    const incoming = spec.sections.filter(isIncoming)
    this.slots = outgoing.map((section) => new Slot({ section, link: this.link, randomUint32 }))
    this.videoSlots = this.slots.filter((slot) => slot.allocation !== undefined)
    this.allocations = this.videoSlots.map((slot) => slot.allocation!)
    this.publications = incoming.map((section) => publicationOf(section, spec))
    this.table = incoming.length === 0 ? undefined : new StreamTable(incoming)
    const isByRemb = incoming.some(
      ({ kind, feedback }) => kind === 'video' && feedback.remb && !feedback.transportWide,
    )
    this.remb = isByRemb ? new RembGuide() : undefined
    this.ownSsrc = randomUint32()
    this.cname = asciiOf(`${randomUint32().toString(36)}${randomUint32().toString(36)}`)
    this.#sentSinceMs = nowMs
    this.#resendMs = nowMs
    this.qualityMs = nowMs
    this.permit(spec.permitted)
  }

  permit(uses: readonly SourceUse[]): void {
    this.permitted = uses
    for (const publication of this.publications) {
      publication.isPermitted = uses.includes(publication.use)
    }
  }

  /** @hot */
  publicationOf(publicationId: number): Publication | undefined {
    const { publications } = this
    for (let i = 0; i < publications.length; i++) {
      if (publications[i]!.publicationId === publicationId) return publications[i]
    }
    return undefined
  }

  /** The slot that sends under this SSRC, or under it as RTX. */
  slotOf(ssrc: number): Slot | undefined {
    const wanted = ssrc | 0
    return this.slots.find(({ stream, rtx }) => stream.ssrc === wanted || rtx?.ssrc === wanted)
  }

  slotOfMid(mid: string): Slot | undefined {
    return this.slots.find(({ section }) => section.mid === mid)
  }

  openStreams(sink: PacketSink): void {
    for (const { stream, rtx } of this.slots) {
      stream.handle = sink.openStream(this.index, stream.ssrc >>> 0)
      if (rtx !== undefined) rtx.handle = sink.openStream(this.index, rtx.ssrc >>> 0)
    }
  }

  closeStreams(sink: PacketSink): void {
    for (const { stream, rtx } of this.slots) {
      sink.closeStream(stream.handle)
      stream.handle = -1
      if (rtx === undefined) continue
      sink.closeStream(rtx.handle)
      rtx.handle = -1
    }
  }

  /** @hot A packet of theirs carries this transport-wide number. */
  onTransportSequence(sequence: number, mediaSsrc: number, nowMs: number): void {
    this.feedback ??= new TransportFeedbackGenerator(this.ownSsrc, mediaSsrc)
    this.feedback.onPacket(sequence, nowMs)
  }

  onRtt(rttMs: number): void {
    this.rttMs = this.rttMs === 0 ? rttMs : this.rttMs + (rttMs - this.rttMs) * RTT_WEIGHT
    if (this.table === undefined) return
    for (const stream of this.table.streams) stream.setRttMs(this.rttMs)
  }

  /** Takes one answer to NACK from the allowance; false when it is used up. */
  takeResend(nowMs: number): boolean {
    const earned = ((nowMs - this.#resendMs) / 1_000) * RESEND_PACKETS_PER_S
    this.#resendTokens = Math.min(RESEND_BURST_PACKETS, this.#resendTokens + earned)
    this.#resendMs = nowMs
    if (this.#resendTokens < 1) return false
    this.#resendTokens -= 1
    return true
  }

  /** Adds up what the streams sent since the last call, and keeps its rate. */
  measureSent(nowMs: number): void {
    let bytes = 0
    for (const { stream, rtx } of this.slots) {
      bytes += this.#take(stream)
      if (rtx !== undefined) bytes += this.#take(rtx)
    }
    const elapsedMs = nowMs - this.#sentSinceMs
    this.#sentSinceMs = nowMs
    if (elapsedMs <= 0) return
    const bps = (bytes * 8_000) / elapsedMs
    this.sentBps += (bps - this.sentBps) * Math.min(1, elapsedMs / 1_000)
  }

  #take(stream: Slot['stream']): number {
    const packets = (stream.packetCount - stream.measuredPackets) | 0
    const octets = (stream.octetCount - stream.measuredOctets) | 0
    stream.measuredPackets = stream.packetCount
    stream.measuredOctets = stream.octetCount
    const bytes = octets + packets * stream.headerBytes
    this.packetsOut += packets
    this.bytesOut += bytes
    return bytes
  }
}

function isOutgoing(section: TransportSpec['sections'][number]): section is OutgoingSection {
  return section.direction === 'out'
}

function isIncoming(section: TransportSpec['sections'][number]): section is IncomingSection {
  return section.direction === 'in'
}

function asciiOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
