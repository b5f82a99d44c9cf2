/**
 * Whatever bytes an authenticated but hostile peer puts into RTP and RTCP: sealed under its true
 * keys, so that they are read.
 */
import type { Site } from '../../../bench/site/site.ts'

/** Seals and sends plain RTP as it is: only the first 12 bytes must be a header. */
export class RawMedia {
  readonly #site: Site
  readonly #streams = new Map<number, { stream: number; index: number }>()

  constructor(site: Site) {
    this.#site = site
  }

  /** Writes the next number of its SSRC into the packet. False when SRTP itself refuses to carry such a thing. */
  sendRtp(packet: Buffer): boolean {
    const { sender } = this.#site.context
    const ssrc = packet.readUInt32BE(8)
    let entry = this.#streams.get(ssrc)
    if (entry === undefined) {
      entry = { stream: sender.openStream(this.#site.sealing, ssrc), index: 0 }
      this.#streams.set(ssrc, entry)
    }
    entry.index += 1
    packet.writeUInt16BE(entry.index & 0xffff, 2)
    const code = sender.seal(entry.stream, packet, 0, packet.length, entry.index)
    sender.flush()
    return code >= 0
  }

  sendRtcp(compound: Buffer): void {
    this.#site.sendRtcp(compound, compound.length)
  }
}

export type RtpFields = {
  ssrc: number
  payloadType: number
  /** 0x80 plus padding (0x20), extension (0x10), CSRC count. */
  first?: number
  /** All behind the 12-byte header. */
  rest: Buffer
}

export function rtpPacket({ ssrc, payloadType, first = 0x80, rest }: RtpFields): Buffer {
  const header = Buffer.alloc(12)
  header[0] = first
  header[1] = payloadType
  header.writeUInt32BE(ssrc, 8)
  return Buffer.concat([header, rest])
}

/** A header extension block: `profile`, the number of words that it claims, and what stands there. */
export function extensionBlock(profile: number, words: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(profile, 0)
  head.writeUInt16BE(words, 2)
  return Buffer.concat([head, body])
}

/** One RTCP packet: version 2, `count`, type, true length in words (the body is padded with zeros). */
export function rtcpPacket(count: number, type: number, body: Buffer): Buffer {
  const padded = Buffer.alloc(Math.ceil(body.length / 4) * 4)
  body.copy(padded)
  const head = Buffer.from([0x80 | count, type, 0, 0])
  head.writeUInt16BE(padded.length / 4, 2)
  return Buffer.concat([head, padded])
}

/** Feedback (RFC 4585 §6.1): sender, media source, what follows. */
export function feedback(format: number, type: number, mediaSsrc: number, body: Buffer): Buffer {
  const addresses = Buffer.alloc(8)
  addresses.writeUInt32BE(1, 0)
  addresses.writeUInt32BE(mediaSsrc, 4)
  return rtcpPacket(format, type, Buffer.concat([addresses, body]))
}
