/**
 * Handshake messages out of fragments that come in any order, twice, or overlapping (RFC 6347 §4.2.2, §4.2.3), given
 * out strictly by message_seq. Bounded in messages, fragments and announced bytes. Not the order of message types.
 *
 *   0      1        4             6                 9                 12
 *   | type | length | message_seq | fragment_offset | fragment_length | fragment
 */
import {
  HANDSHAKE_BYTES_MAX,
  HANDSHAKE_FRAGMENTS_MAX,
  HANDSHAKE_MESSAGES_AHEAD_MAX,
} from '../../../config/limits.ts'

export const HANDSHAKE_HEADER_BYTES = 12

export const CLIENT_HELLO = 1
export const SERVER_HELLO = 2
export const HELLO_VERIFY_REQUEST = 3
export const CERTIFICATE = 11
export const SERVER_KEY_EXCHANGE = 12
export const CERTIFICATE_REQUEST = 13
export const SERVER_HELLO_DONE = 14
export const CERTIFICATE_VERIFY = 15
export const CLIENT_KEY_EXCHANGE = 16
export const FINISHED = 20

/** One whole message. */
export type HandshakeMessage = {
  messageType: number
  messageSeq: number
  body: Buffer
  /** Header as if never fragmented, and body: what transcripts are made of. `body` is a view of it. */
  bytes: Buffer
}

/** What became of a fragment. 'old' is part of a message already given out: the peer repeats itself. */
export type FragmentFate = 'taken' | 'old' | 'malformed' | 'too-large' | 'flood'

type Partial = {
  messageType: number
  bytes: Buffer
  /** One bit for each byte of the body. */
  covered: Uint8Array
  missingBytes: number
}

/** A whole message in a buffer of its own. */
export const buildMessage = (
  messageType: number,
  messageSeq: number,
  body: Uint8Array,
): HandshakeMessage => {
  const bytes = Buffer.alloc(HANDSHAKE_HEADER_BYTES + body.length)
  bytes[0] = messageType
  bytes.writeUIntBE(body.length, 1, 3)
  bytes.writeUInt16BE(messageSeq, 4)
  bytes.writeUIntBE(body.length, 9, 3)
  bytes.set(body, HANDSHAKE_HEADER_BYTES)
  return { messageType, messageSeq, body: bytes.subarray(HANDSHAKE_HEADER_BYTES), bytes }
}

/** One direction of one handshake. */
export class HandshakeReassembler {
  #partials = new Map<number, Partial>()
  #nextSeq = 0
  #fragmentCount = 0
  #announcedBytes = 0

  /** message_seq of the next message that `take` will give. */
  get nextSeq(): number {
    return this.#nextSeq
  }

  /** Memory that incomplete and waiting messages hold, at most HANDSHAKE_BYTES_MAX. */
  get waitingBytes(): number {
    return this.#announcedBytes
  }

  /** Takes in all fragments of one record body; the worst fate of them is returned, and ends the reading. */
  accept(recordBody: Buffer): FragmentFate {
    let at = 0
    let fate: FragmentFate = 'taken'
    while (at < recordBody.length) {
      if (recordBody.length - at < HANDSHAKE_HEADER_BYTES) return 'malformed'
      const end = at + HANDSHAKE_HEADER_BYTES + recordBody.readUIntBE(at + 9, 3)
      if (end > recordBody.length) return 'malformed'
      const one = this.#acceptOne(recordBody.subarray(at, end))
      if (one !== 'taken' && one !== 'old') return one
      if (one === 'old') fate = 'old'
      at = end
    }
    return fate
  }

  /** The next message in order, once it is complete. */
  take(): HandshakeMessage | undefined {
    const partial = this.#partials.get(this.#nextSeq)
    if (partial === undefined || partial.missingBytes > 0) return undefined
    const messageSeq = this.#nextSeq
    this.#partials.delete(messageSeq)
    this.#announcedBytes -= partial.bytes.length
    this.#nextSeq += 1
    const body = partial.bytes.subarray(HANDSHAKE_HEADER_BYTES)
    return { messageType: partial.messageType, messageSeq, body, bytes: partial.bytes }
  }

  /** Counts a message that came by another way (Finished, which is encrypted) as given out. */
  skip(): void {
    this.#nextSeq += 1
  }

  #acceptOne(fragment: Buffer): FragmentFate {
    this.#fragmentCount += 1
    if (this.#fragmentCount > HANDSHAKE_FRAGMENTS_MAX) return 'flood'
    const lengthBytes = fragment.readUIntBE(1, 3)
    const messageSeq = fragment.readUInt16BE(4)
    const offset = fragment.readUIntBE(6, 3)
    const fragmentBytes = fragment.length - HANDSHAKE_HEADER_BYTES
    if (offset + fragmentBytes > lengthBytes) return 'malformed'
    if (fragmentBytes === 0 && lengthBytes > 0) return 'malformed'
    if (messageSeq < this.#nextSeq) return 'old'
    if (messageSeq >= this.#nextSeq + HANDSHAKE_MESSAGES_AHEAD_MAX) return 'too-large'
    const partial = this.#partials.get(messageSeq) ?? this.#begin(messageSeq, fragment)
    if (partial === undefined) return 'too-large'
    const bodyBytes = partial.bytes.length - HANDSHAKE_HEADER_BYTES
    if (bodyBytes !== lengthBytes || partial.messageType !== fragment[0]) return 'malformed'
    cover(partial, offset, fragment.subarray(HANDSHAKE_HEADER_BYTES))
    return 'taken'
  }

  #begin(messageSeq: number, fragment: Buffer): Partial | undefined {
    const lengthBytes = fragment.readUIntBE(1, 3)
    const bytesTotal = HANDSHAKE_HEADER_BYTES + lengthBytes
    if (this.#announcedBytes + bytesTotal > HANDSHAKE_BYTES_MAX) return undefined
    this.#announcedBytes += bytesTotal
    const messageType = fragment[0]!
    const bytes = Buffer.alloc(bytesTotal)
    bytes[0] = messageType
    bytes.writeUIntBE(lengthBytes, 1, 3)
    bytes.writeUInt16BE(messageSeq, 4)
    bytes.writeUIntBE(lengthBytes, 9, 3)
    const covered = new Uint8Array((lengthBytes + 7) >> 3)
    const partial = { messageType, bytes, covered, missingBytes: lengthBytes }
    this.#partials.set(messageSeq, partial)
    return partial
  }
}

/** Writes the bytes that are still missing; those that came first stay, so a late overlap changes nothing. */
const cover = (partial: Partial, offset: number, data: Buffer): void => {
  for (let i = 0; i < data.length; i++) {
    const position = offset + i
    const bit = 1 << (position & 7)
    if ((partial.covered[position >> 3]! & bit) !== 0) continue
    partial.covered[position >> 3]! |= bit
    partial.bytes[HANDSHAKE_HEADER_BYTES + position] = data[i]!
    partial.missingBytes -= 1
  }
}
