/**
 * Writes RTP headers (RFC 3550 §5.1) and header extensions (RFC 8285) into a caller's buffer. Not a
 * packet builder: the payload is the caller's. The caller provides room; nothing here checks
 * `out.length`.
 */
import { writeUint16, writeUint24, writeUint32 } from './big-endian.ts'

export type RtpHeader = {
  payloadType: number
  marker: boolean
  sequenceNumber: number
  timestamp: number
  ssrc: number
}

/** @hot Writes 12 bytes without CSRC, extension or padding bit; returns the offset after them. */
export function writeRtpHeader(out: Uint8Array, offset: number, header: RtpHeader): number {
  out[offset] = 0x80
  out[offset + 1] = (header.marker ? 0x80 : 0) | (header.payloadType & 0x7f)
  writeUint16(out, offset + 2, header.sequenceNumber)
  writeUint32(out, offset + 4, header.timestamp)
  return writeUint32(out, offset + 8, header.ssrc)
}

/**
 * Writes one extension block after a 12-byte header and sets its X bit. Reusable: `begin`, any
 * `add...`, `finish`. One-byte form takes ids 1..14 and 1..16 bytes each; two-byte form ids 1..255
 * and 0..255 bytes. An element that does not fit the form is refused (false) and leaves no trace.
 */
export class ExtensionWriter {
  #out: Uint8Array = new Uint8Array(0)
  #headerOffset = 0
  #offset = 0
  #twoByte = false

  /** @hot `headerOffset` is where the RTP header starts; it must have no CSRCs. */
  begin(out: Uint8Array, headerOffset: number, twoByte = false): void {
    this.#out = out
    this.#headerOffset = headerOffset
    this.#offset = headerOffset + 16
    this.#twoByte = twoByte
  }

  /** @hot One byte, such as RFC 6464 levels. */
  addUint8(id: number, value: number): boolean {
    if (!this.#element(id, 1)) return false
    this.#out[this.#offset++] = value
    return true
  }

  /** @hot Two bytes, such as the transport-wide sequence. */
  addUint16(id: number, value: number): boolean {
    if (!this.#element(id, 2)) return false
    this.#offset = writeUint16(this.#out, this.#offset, value)
    return true
  }

  /** @hot Three bytes, such as abs-send-time. */
  addUint24(id: number, value: number): boolean {
    if (!this.#element(id, 3)) return false
    this.#offset = writeUint24(this.#out, this.#offset, value)
    return true
  }

  /** Any bytes, such as a MID; copied. */
  addBytes(id: number, bytes: Uint8Array): boolean {
    if (!this.#element(id, bytes.length)) return false
    this.#out.set(bytes, this.#offset)
    this.#offset += bytes.length
    return true
  }

  /** @hot Pads to 32 bits, writes the block's head; returns where the payload starts. */
  finish(): number {
    const out = this.#out
    const blockOffset = this.#headerOffset + 12
    while ((this.#offset - blockOffset) % 4 !== 0) out[this.#offset++] = 0
    out[this.#headerOffset] = out[this.#headerOffset]! | 0x10
    writeUint16(out, blockOffset, this.#twoByte ? 0x1000 : 0xbede)
    writeUint16(out, blockOffset + 2, (this.#offset - blockOffset - 4) / 4)
    return this.#offset
  }

  /** @hot Writes the element's head. */
  #element(id: number, length: number): boolean {
    if (this.#twoByte) {
      if (id < 1 || id > 255 || length > 255) return false
      this.#out[this.#offset++] = id
      this.#out[this.#offset++] = length
      return true
    }
    if (id < 1 || id > 14 || length < 1 || length > 16) return false
    this.#out[this.#offset++] = (id << 4) | (length - 1)
    return true
  }
}
