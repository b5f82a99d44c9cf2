/**
 * Answers to NACK (RFC 4585 §6.2.1) out of the layers' caches: as RTX (RFC 4588) where negotiated,
 * else the identical bytes under the same index; and padding on RTX where the estimator probes.
 * Asks no publisher: that is receive's.
 */
import {
  PADDING_BYTES_MAX,
  PacketWriter,
  payloadTypeFor,
  rtxPayloadTypeFor,
} from '../forward/index.ts'
import { DROP_CODE } from '../rtp/index.ts'
import type { Registry } from './registry.ts'
import { ResentLog } from './resent-log.ts'
import type { Slot } from './slot.ts'
import type { Transport } from './transport.ts'

const NACK_UNKNOWN = DROP_CODE['nack-unknown']
const NACK_THROTTLED = DROP_CODE['nack-throttled']
/** A packet is not sent again within the time that the first answer needs, at least this. */
const RESEND_PAUSE_MS_MIN = 20

/** Outgoing numbers of one packet; reused. */
type Numbers = { outIndex: number; outTimestamp: number }

/** Bounded per transport by RESEND_BURST_PACKETS and RESEND_PACKETS_PER_S. */
export class Retransmitter {
  readonly #registry: Registry
  readonly #writer = new PacketWriter()
  readonly #numbers: Numbers = { outIndex: 0, outTimestamp: 0 }

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** One number of one of our media streams is missing over there. */
  onNack(transport: Transport, mediaSsrc: number, sequence: number, nowMs: number): void {
    const slot = transport.slotOf(mediaSsrc)
    const code = slot === undefined ? NACK_UNKNOWN : this.#answer(transport, slot, sequence, nowMs)
    if (code !== 0) this.#registry.counters.drop(code)
  }

  #answer(transport: Transport, slot: Slot, sequence: number, nowMs: number): number {
    const { forwarder } = slot
    const behind = (forwarder.lastIndex - sequence) & 0xffff
    const index = forwarder.lastIndex - behind
    if (!forwarder.isStarted || behind > 0x7fff || index < 0) return NACK_UNKNOWN
    if (index <= forwarder.replayedIndex) return NACK_UNKNOWN
    const { segments } = forwarder
    if (!segments.findOut(index)) return NACK_UNKNOWN
    const cache = segments.layer?.cache
    if (cache === undefined || !cache.find(segments.sequence, segments.epoch)) return NACK_UNKNOWN
    slot.resent ??= new ResentLog()
    const pauseMs = Math.max(RESEND_PAUSE_MS_MIN, transport.rttMs)
    if (!slot.resent.mayResend(sequence, nowMs, pauseMs)) return NACK_THROTTLED
    if (!transport.takeResend(nowMs)) return NACK_THROTTLED
    return this.#resend(slot, index, nowMs)
  }

  /** The segment and the cache have been found and still point at it. */
  #resend(slot: Slot, index: number, nowMs: number): number {
    const { section, rtx, stream } = slot
    const { layer, timestampDelta, isSwitch } = slot.forwarder.segments
    const cache = layer!.cache!
    const writer = this.#writer
    if (!writer.load(cache.bytes, cache.start, cache.end)) return NACK_UNKNOWN
    const isByRtx = rtx !== undefined
    // Without RTX the bytes must be those of the first time; with redundancy they were others.
    if (!isByRtx && stream.redPayloadType >= 0) return NACK_UNKNOWN
    const payloadType = isByRtx
      ? rtxPayloadTypeFor(section, layer!.codec, layer!.fmtp)
      : payloadTypeFor(section, layer!.codec, layer!.fmtp)
    if (payloadType < 0) return NACK_UNKNOWN
    if (isByRtx) writer.wrapRtx(index)
    this.#patchVp8(slot)
    const isMarked = (cache.bytes[cache.start + 1]! & 0x80) !== 0
    const marker = isMarked || (isSwitch && section.kind === 'audio') ? 0x80 : 0
    const timestamp = read32(cache.bytes, cache.start + 4)
    this.#numbers.outTimestamp = (timestamp + timestampDelta) | 0
    this.#numbers.outIndex = isByRtx ? rtx.nextIndex : index
    const out = rtx ?? stream
    const start = writer.header(out, marker | payloadType, this.#numbers)
    if (isByRtx) {
      rtx.nextIndex += 1
      if (rtx.extension !== undefined) writer.stamp(rtx, start, nowMs)
    } else if (stream.extension !== undefined && !writer.stampAgain(stream, start)) {
      return NACK_UNKNOWN
    }
    this.#send(out, start)
    this.#registry.counters.retransmitted += 1
    return 0
  }

  #patchVp8(slot: Slot): void {
    const { pictureDelta, tl0Delta, layer } = slot.forwarder.segments
    const { bytes, start, pictureIdOffset, tl0PicIdxOffset } = layer!.cache!
    if (pictureIdOffset >= 0) {
      const at = start + pictureIdOffset
      const pictureId = ((bytes[at]! & 0x7f) << 8) | bytes[at + 1]!
      this.#writer.patchPictureId(pictureIdOffset, (pictureId + pictureDelta) & 0x7fff)
    }
    if (tl0PicIdxOffset >= 0) {
      const tl0PicIdx = bytes[start + tl0PicIdxOffset]!
      this.#writer.patchTl0PicIdx(tl0PicIdxOffset, (tl0PicIdx + tl0Delta) & 0xff)
    }
  }

  /**
   * Sends up to `sizeBytes` of padding on the RTX of a slot that is running; returns what it sent.
   */
  probe(transport: Transport, sizeBytes: number, nowMs: number): number {
    const slot = transport.videoSlots.find(({ rtx, forwarder }) => rtx && forwarder.isStarted)
    const rtx = slot?.rtx
    if (slot === undefined || rtx === undefined) return 0
    const source = slot.forwarder.current
    const payloadType = rtxPayloadTypeFor(slot.section, source?.codec ?? 'vp8', source?.fmtp)
    if (payloadType < 0) return 0
    let sent = 0
    while (sent < sizeBytes) {
      const writer = this.#writer
      writer.loadPadding(PADDING_BYTES_MAX)
      this.#numbers.outTimestamp = slot.forwarder.lastTimestamp
      this.#numbers.outIndex = rtx.nextIndex
      rtx.nextIndex += 1
      const start = writer.header(rtx, payloadType, this.#numbers)
      writer.markPadding(start)
      if (rtx.extension !== undefined) writer.stamp(rtx, start, nowMs)
      this.#send(rtx, start)
      this.#registry.counters.paddingOut += 1
      sent += writer.end - start
    }
    return sent
  }

  #send(stream: Slot['stream'], start: number): void {
    const { counters, options } = this.#registry
    const { bytes, end } = this.#writer
    options.sink.sendRtp(stream.handle, bytes, start, end, this.#numbers.outIndex)
    stream.packetCount = (stream.packetCount + 1) | 0
    stream.octetCount = (stream.octetCount + end - start - stream.headerBytes) | 0
    counters.packetsOut += 1
    counters.bytesOut += end - start
  }
}

function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
