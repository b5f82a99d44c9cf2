/**
 * The way of a packet from its transport into the slots: who may send it, what it is, who gets it.
 * Order and repair are receive's, numbering is forward's.
 */
import { FORWARDED_BYTES_MAX, REPLAY_BYTES_MAX } from '../../../config/limits.ts'
import type { Forwarder } from '../forward/index.ts'
import { type IncomingStream, RECEIVED_MEDIA, RECEIVED_NOTHING } from '../receive/index.ts'
import {
  DROP_CODE,
  MediaPacket,
  parseRtp,
  RedStripper,
  RtpPacket,
  readTransportSequence,
} from '../rtp/index.ts'
import type { FanOut } from './fan-out.ts'
import { HandoffFrame, readHandoffPacket, writeHandoffPacket } from './handoff.ts'
import type { Publication } from './publication.ts'
import type { Registry } from './registry.ts'
import type { Transport } from './transport.ts'
import { readPictureSize } from './vp8-size.ts'

const RTP_MALFORMED = DROP_CODE['rtp-malformed']
const RED_MALFORMED = DROP_CODE['red-malformed']
const TRANSPORT_UNKNOWN = DROP_CODE['transport-unknown']
const NOT_PERMITTED = DROP_CODE['not-permitted']
const MUTED = DROP_CODE.muted
const TOO_LARGE = DROP_CODE['packet-too-large']

/** What ingress tells the engine beside packets. */
export interface IngressEvents {
  onFlowing(publication: Publication, nowMs: number): void
  onCodecChange(publication: Publication, nowMs: number): void
}

/** Owns the parsed packet in hand; one at a time, never re-entered. */
export class Ingress {
  readonly #registry: Registry
  readonly #fanOut: FanOut
  readonly #events: IngressEvents
  readonly #rtp = new RtpPacket()
  readonly #packet = new MediaPacket()
  readonly #replayed = new MediaPacket()
  readonly #frame = new HandoffFrame()
  readonly #stripper = new RedStripper(FORWARDED_BYTES_MAX)
  readonly #wide = new Uint8Array(FORWARDED_BYTES_MAX + 1)
  readonly #handoff = new Uint8Array(FORWARDED_BYTES_MAX + 64)

  constructor(registry: Registry, fanOut: FanOut, events: IngressEvents) {
    this.#registry = registry
    this.#fanOut = fanOut
    this.#events = events
  }

  /**
   * @hot `bytes.subarray(start, end)` is plain RTP from this transport; its header may be
   * overwritten.
   */
  receive(
    transport: Transport | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): void {
    const { counters } = this.#registry
    counters.packetsIn += 1
    counters.bytesIn += end - start
    if (transport === undefined || transport.table === undefined || !transport.isConnected) {
      counters.drop(TRANSPORT_UNKNOWN)
      return
    }
    transport.packetsIn += 1
    transport.bytesIn += end - start
    const rtp = this.#rtp
    if (!parseRtp(rtp, bytes, start, end)) {
      counters.drop(RTP_MALFORMED)
      return
    }
    const stream = transport.table.resolve(rtp, nowMs)
    if (stream === undefined) {
      counters.drop(transport.table.dropCode)
      return
    }
    this.#noteTransportSequence(transport, stream, nowMs)
    const packet = this.#packet
    const received = stream.receive(rtp, nowMs, packet)
    if (received < 0) counters.drop(-received)
    if (received <= RECEIVED_NOTHING) return
    const publication = transport.publicationOf(stream.publicationId)
    if (publication === undefined) return
    publication.streams[stream.spatialLayer] = stream
    if (received === RECEIVED_MEDIA) this.#admit(publication, stream, packet)
    else this.#closePadding(publication, stream.spatialLayer, packet)
  }

  /** @hot Ids are per section, so this waits until the section is known. */
  #noteTransportSequence(transport: Transport, stream: IncomingStream, nowMs: number): void {
    const id = stream.section.extensions.transportWide
    if (id === undefined || !stream.section.feedback.transportWide) return
    const sequence = readTransportSequence(this.#rtp, id)
    if (sequence >= 0) transport.onTransportSequence(sequence, this.#rtp.ssrc, nowMs)
  }

  /** @hot */
  #admit(publication: Publication, stream: IncomingStream, packet: MediaPacket): void {
    const { counters } = this.#registry
    if (!publication.isPermitted) {
      counters.drop(NOT_PERMITTED)
      return
    }
    if (publication.isMuted) {
      counters.drop(MUTED)
      return
    }
    const layer = publication.layers[stream.spatialLayer]
    if (layer === undefined) return
    layer.clock = stream.clock
    this.distribute(publication, stream.spatialLayer, packet)
  }

  /** @hot From here on it is the same for own and for imported publications. */
  distribute(publication: Publication, spatialLayer: number, packet: MediaPacket): void {
    const layer = publication.layers[spatialLayer]!
    const nowMs = packet.arrivalMs
    const { counters } = this.#registry
    if (packet.end - packet.start > FORWARDED_BYTES_MAX) {
      counters.drop(TOO_LARGE)
      return
    }
    layer.lastPacketMs = nowMs
    layer.lastTimestamp = packet.timestamp
    publication.lastPacketMs = nowMs
    if (!publication.isFlowing) this.#events.onFlowing(publication, nowMs)
    if (!publication.isImported) {
      layer.rate.add(packet.end - packet.start, packet.temporalLayer)
    }
    if (publication.outlet !== undefined) this.#export(publication, spatialLayer, packet, false)
    let plain: MediaPacket = packet
    if (packet.codec === 'red') {
      const stripped = this.#stripper.strip(packet)
      if (stripped === undefined) {
        counters.drop(RED_MALFORMED)
        return
      }
      plain = stripped
    }
    if (plain.codec !== publication.codec) {
      publication.changeCodec(plain.codec)
      this.#events.onCodecChange(publication, nowMs)
    }
    if (plain.codec === 'vp8') {
      if (plain.keyframe) readPictureSize(plain, layer)
      layer.widenPictureId(plain, this.#wide)
    }
    layer.cache?.store(plain)
    this.#fanOut.send(layer, plain, plain === packet ? undefined : packet)
  }

  /**
   * Hands one forwarder what it needs of a layer that others have already; false when a keyframe must be asked for
   * all the same.
   */
  replay(publication: Publication, forwarder: Forwarder, nowMs: number): boolean {
    const { target } = forwarder
    const { cache } = publication
    if (cache === undefined || target === undefined) return false
    const packet = this.#replayed
    const ask = { layer: target.spatialLayer, bytesMax: REPLAY_BYTES_MAX, nowMs }
    const replay = cache.replay(ask, (bytes, start, end) => {
      readHandoffPacket(packet, bytes, start, end)
      packet.arrivalMs = nowMs
      if (packet.codec === 'vp8') target.widenPictureId(packet, this.#wide)
      if (this.#frame.read(bytes, start, end) && this.#frame.isPadding) {
        forwarder.closePadding(packet, target)
      } else this.#fanOut.sendTo(forwarder, target, packet)
    })
    if (replay !== 'none') forwarder.replayedIndex = forwarder.lastIndex
    return replay === 'live'
  }

  #closePadding(publication: Publication, spatialLayer: number, packet: MediaPacket): void {
    if (publication.isMuted || !publication.isPermitted) return
    const layer = publication.layers[spatialLayer]
    if (layer === undefined) return
    if (publication.outlet !== undefined) this.#export(publication, spatialLayer, packet, true)
    this.closePadding(publication, spatialLayer, packet)
  }

  /** @hot A number of the source was used for padding. */
  closePadding(publication: Publication, spatialLayer: number, packet: MediaPacket): void {
    const { subscribers } = publication.layers[spatialLayer]!
    const { drops } = this.#registry.counters
    for (let i = subscribers.length - 1; i >= 0; i--) {
      const code = subscribers[i]!.closePadding(packet, publication.layers[spatialLayer]!)
      drops[code] = drops[code]! + 1
    }
  }

  /** @hot */
  #export(
    publication: Publication,
    spatialLayer: number,
    packet: MediaPacket,
    isPadding: boolean,
  ): void {
    if ((publication.exportMask & (1 << spatialLayer)) === 0) return
    const { publicationId } = publication
    const end = writeHandoffPacket(this.#handoff, packet, {
      publicationId,
      spatialLayer,
      isPadding,
    })
    publication.outlet!.handoff(this.#handoff, 0, end)
  }
}
