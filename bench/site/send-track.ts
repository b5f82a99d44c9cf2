/**
 * One outgoing stream of a publisher: its source, its SRTP streams, and what it can send over
 * again.
 */
import { SITE_RESENDS_KEPT } from '../../config/limits.ts'
import type { OpusSource, Vp8Source } from './media-source.ts'
import type { PacketStream } from './packet-stream.ts'

/** A packet as it was sent. */
export type SentPacket = { bytes: Uint8Array; index: number }

/** `stream` and `repairStream` are handles of the process' SRTP sender. */
export class SendTrack<Source extends OpusSource | Vp8Source> {
  readonly source: Source
  readonly stream: number
  /** RTX, where packets over again need a number of their own. */
  readonly repair: PacketStream | undefined
  readonly repairStream: number
  readonly #memory: (SentPacket | undefined)[] = []

  constructor(
    source: Source,
    stream: number,
    repair: { packets: PacketStream; stream: number } | undefined,
  ) {
    this.source = source
    this.stream = stream
    this.repair = repair?.packets
    this.repairStream = repair?.stream ?? -1
  }

  /** Keeps `bytes`, which must not change any more. */
  remember(bytes: Uint8Array, index: number): void {
    this.#memory[index % SITE_RESENDS_KEPT] = { bytes, index }
  }

  /** The packet of this 16-bit number; undefined when it was too long ago. */
  recall(sequenceNumber: number): SentPacket | undefined {
    const newest = this.source.stream.index
    const index = newest - ((newest - sequenceNumber) & 0xffff)
    const kept = this.#memory[((index % SITE_RESENDS_KEPT) + SITE_RESENDS_KEPT) % SITE_RESENDS_KEPT]
    return kept?.index === index ? kept : undefined
  }
}
