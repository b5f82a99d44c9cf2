/**
 * The loop that the product is judged by: one packet of one source layer to all who are subscribed
 * to it. Decides nothing (Forwarder does) and seals nothing (PacketSink does). Its cost is per
 * packet x subscriber.
 */
import { type Forwarder, PacketWriter, type SourceLayer } from '../forward/index.ts'
import { DROP_CODE, type MediaPacket } from '../rtp/index.ts'
import type { PacketSink } from '../sink.ts'
import type { EngineCounters } from './counters.ts'

const TOO_LARGE = DROP_CODE['packet-too-large']

/** Owns the scratch packets of one engine. */
export class FanOut {
  readonly #sink: PacketSink
  readonly #counters: EngineCounters
  readonly #plain = new PacketWriter()
  readonly #red = new PacketWriter()
  readonly #one: Forwarder[] = []

  constructor(sink: PacketSink, counters: EngineCounters) {
    this.#sink = sink
    this.#counters = counters
  }

  /**
   * @hot Sends the packet to every subscriber whose forwarder takes it. `red` is the same packet
   * with its redundancy, for those who negotiated that.
   */
  send(layer: SourceLayer, packet: MediaPacket, red: MediaPacket | undefined): void {
    this.#send(layer.subscribers, layer, packet, red)
  }

  /** The same to one of them alone. */
  sendTo(forwarder: Forwarder, layer: SourceLayer, packet: MediaPacket): void {
    this.#one[0] = forwarder
    this.#send(this.#one, layer, packet, undefined)
  }

  /** @hot */
  #send(
    subscribers: readonly Forwarder[],
    layer: SourceLayer,
    packet: MediaPacket,
    red: MediaPacket | undefined,
  ): void {
    const counters = this.#counters
    if (subscribers.length === 0) return
    if (!this.#plain.load(packet.bytes, packet.start, packet.end)) {
      counters.drop(TOO_LARGE)
      return
    }
    const hasRed = red !== undefined && this.#red.load(red.bytes, red.start, red.end)
    const { drops } = counters
    let sent = 0
    let sentBytes = 0
    // Backwards: a forwarder may leave this layer while it is asked.
    for (let i = subscribers.length - 1; i >= 0; i--) {
      const forwarder = subscribers[i]!
      const code = forwarder.accept(packet, layer)
      if (code !== 0) {
        drops[code] = drops[code]! + 1
        continue
      }
      const { stream } = forwarder
      const takesRed = hasRed && stream.redPayloadType >= 0
      const writer = takesRed ? this.#red : this.#plain
      const payloadType = takesRed ? stream.redPayloadType : stream.payloadType
      const start = writer.header(stream, (forwarder.outMarker ? 0x80 : 0) | payloadType, forwarder)
      if (packet.pictureIdOffset >= 0) {
        writer.patchPictureId(packet.pictureIdOffset, forwarder.outPictureId)
      }
      if (packet.tl0PicIdxOffset >= 0) {
        writer.patchTl0PicIdx(packet.tl0PicIdxOffset, forwarder.outTl0PicIdx)
      }
      const sizeBytes = writer.end - start
      if (stream.extension !== undefined) writer.stamp(stream, start, packet.arrivalMs)
      this.#sink.sendRtp(stream.handle, writer.bytes, start, writer.end, forwarder.outIndex)
      stream.packetCount = (stream.packetCount + 1) | 0
      stream.octetCount = (stream.octetCount + sizeBytes - stream.headerBytes) | 0
      sent += 1
      sentBytes += sizeBytes
    }
    counters.packetsOut += sent
    counters.bytesOut += sentBytes
  }
}
