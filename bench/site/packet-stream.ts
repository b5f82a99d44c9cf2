/**
 * One outgoing SSRC of a synthetic publisher: numbering, header and extensions (RFC 3550 §5.1, RFC
 * 8285), and its packets over again as RTX (RFC 4588). Fills a buffer of its own; sealing and
 * sending are the owner's.
 */
import { ExtensionWriter, writeRtpHeader, writeUint16 } from '../../core/media/rtp/index.ts'

/** Ids that the answer negotiated; 0 = none. */
export type SourceExtensions = {
  mid: number
  rid: number
  level: number
  transportWide?: number
  repairedRid?: number
}

export type Addressing = {
  ssrc: number
  payloadType: number
  mid: string
  extensions: SourceExtensions
}

/** A built packet lies in `bytes[0, end)` until the next call; `index` is its 48-bit SRTP index. */
export type BuiltPacket = (bytes: Uint8Array, end: number, index: number) => void

/**
 * Where the transport-wide number stands in a packet of ours: the first element of the one-byte
 * block.
 */
export const TRANSPORT_WIDE_AT = 17
const PACKET_BYTES = 1_400

/** One SSRC. */
export class PacketStream {
  readonly bytes = new Uint8Array(PACKET_BYTES)
  readonly view = new DataView(this.bytes.buffer)
  packets = 0
  octets = 0
  index = 0
  readonly #addressing: Addressing
  readonly #mid: Uint8Array
  readonly #rid: Uint8Array
  readonly #ridId: number
  readonly #extensions = new ExtensionWriter()

  /** `rid` '' = none. `isRepair`: the RID goes out as the repaired one. */
  constructor(addressing: Addressing, rid: string, isRepair = false) {
    const { extensions } = addressing
    this.#addressing = addressing
    this.#mid = Buffer.from(addressing.mid)
    this.#rid = Buffer.from(rid)
    this.#ridId = rid === '' ? 0 : isRepair ? (extensions.repairedRid ?? 0) : extensions.rid
  }

  get ssrc(): number {
    return this.#addressing.ssrc
  }

  /**
   * True when packets carry a transport-wide number, to be filled in at TRANSPORT_WIDE_AT before
   * sealing.
   */
  get isNumbered(): boolean {
    return (this.#addressing.extensions.transportWide ?? 0) > 0
  }

  /**
   * Writes header and extensions; returns where the payload starts. `level` is the byte of RFC
   * 6464, where negotiated.
   */
  begin(timestamp: number, marker: boolean, level: number): number {
    const { ssrc, payloadType, extensions } = this.#addressing
    this.index += 1
    const header = { payloadType, marker, sequenceNumber: this.index & 0xffff, timestamp, ssrc }
    writeRtpHeader(this.bytes, 0, header)
    const writer = this.#extensions
    writer.begin(this.bytes, 0)
    if (this.isNumbered) writer.addUint16(extensions.transportWide ?? 0, 0)
    if (extensions.mid > 0) writer.addBytes(extensions.mid, this.#mid)
    if (this.#ridId > 0) writer.addBytes(this.#ridId, this.#rid)
    if (extensions.level > 0) writer.addUint8(extensions.level, level)
    return writer.finish()
  }

  count(payloadBytes: number): void {
    this.packets += 1
    this.octets += payloadBytes
  }

  /** Builds the RTX packet for the plain packet `original`; returns its end. */
  repeat(original: Uint8Array): number {
    const view = new DataView(original.buffer, original.byteOffset, original.length)
    const blockAt = 12 + 4
    const payloadAt = blockAt + view.getUint16(14) * 4
    const marker = (original[1]! & 0x80) !== 0
    const start = this.begin(view.getUint32(4), marker, 0)
    writeUint16(this.bytes, start, view.getUint16(2))
    this.bytes.set(original.subarray(payloadAt), start + 2)
    return start + 2 + original.length - payloadAt
  }

  /** Builds a packet of padding alone, 1..255 bytes; returns its end. */
  padding(timestamp: number, sizeBytes: number): number {
    const start = this.begin(timestamp, false, 0)
    this.bytes.fill(0, start, start + sizeBytes)
    this.bytes[start + sizeBytes - 1] = sizeBytes
    this.bytes[0] = this.bytes[0]! | 0x20
    return start + sizeBytes
  }
}
