/**
 * DTLS records on the wire (RFC 6347 §4.1), cut out of a datagram and written into one. Not their meaning: what a
 * record may do in which state is the session's business, and nothing here decrypts.
 *
 *   0       1       3       5             11      13
 *   | type  | version | epoch | sequence    | length | body
 */
import { RECORDS_PER_DATAGRAM_MAX } from '../../../config/limits.ts'

export const CONTENT_CHANGE_CIPHER_SPEC = 20
export const CONTENT_ALERT = 21
export const CONTENT_HANDSHAKE = 22
export const CONTENT_APPLICATION_DATA = 23

const VERSION_DTLS_1_0 = 0xfeff
export const VERSION_DTLS_1_2 = 0xfefd

export const RECORD_HEADER_BYTES = 13
/** RFC 6347 §4.1: 2^14 and what a cipher may add; ours adds 24. */
const RECORD_BODY_BYTES_MAX = 16_384 + 24

/** One record; `body` is a view of the datagram. */
export type DtlsRecord = {
  contentType: number
  version: number
  epoch: number
  /** 0..2^48-1. */
  sequence: number
  body: Buffer
}

/** Why the rest of a datagram was given up. */
export type RecordFault = 'malformed' | 'content-type' | 'version' | 'too-large'

/**
 * Appends the records of a datagram to `out` (at most RECORDS_PER_DATAGRAM_MAX) and names the first fault, at which
 * reading ends: after a lying length nothing that follows can be trusted to be a record.
 */
export const splitRecords = (datagram: Buffer, out: DtlsRecord[]): RecordFault | undefined => {
  let at = 0
  while (at < datagram.length) {
    if (out.length === RECORDS_PER_DATAGRAM_MAX) return 'too-large'
    if (datagram.length - at < RECORD_HEADER_BYTES) return 'malformed'
    const contentType = datagram[at]!
    if (contentType < CONTENT_CHANGE_CIPHER_SPEC || contentType > CONTENT_APPLICATION_DATA) {
      return 'content-type'
    }
    const version = datagram.readUInt16BE(at + 1)
    if (version !== VERSION_DTLS_1_2 && version !== VERSION_DTLS_1_0) return 'version'
    const lengthBytes = datagram.readUInt16BE(at + 11)
    if (lengthBytes > RECORD_BODY_BYTES_MAX) return 'too-large'
    const end = at + RECORD_HEADER_BYTES + lengthBytes
    if (lengthBytes === 0 || end > datagram.length) return 'malformed'
    out.push({
      contentType,
      version,
      epoch: datagram.readUInt16BE(at + 3),
      sequence: datagram.readUIntBE(at + 5, 6),
      body: datagram.subarray(at + RECORD_HEADER_BYTES, end),
    })
    at = end
  }
  return at === 0 ? 'malformed' : undefined
}

export type RecordHead = { contentType: number; epoch: number; sequence: number }

/** A DTLS 1.2 record in a buffer of its own. */
export const buildRecord = (head: RecordHead, body: Uint8Array): Buffer => {
  const record = Buffer.allocUnsafeSlow(RECORD_HEADER_BYTES + body.length)
  record[0] = head.contentType
  record.writeUInt16BE(VERSION_DTLS_1_2, 1)
  record.writeUInt16BE(head.epoch, 3)
  record.writeUIntBE(head.sequence, 5, 6)
  record.writeUInt16BE(body.length, 11)
  record.set(body, RECORD_HEADER_BYTES)
  return record
}
