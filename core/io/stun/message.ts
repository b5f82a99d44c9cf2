/**
 * One STUN message as it stands in a datagram (RFC 8489 §5, §14): offsets and a few decoded attributes, nothing
 * copied. Bounded in bytes and in attributes. Not an agent: what to answer is decided in binding.ts.
 *
 *   0               2               4               8                              20
 *   | 00 + type 14b | length        | magic cookie  | transaction id, 12 bytes     | attributes ...
 *   attribute: type 2 bytes, length 2 bytes, value, padded to 4
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  STUN_ATTRIBUTES_MAX,
  STUN_BYTES_MAX,
  STUN_UNKNOWN_REQUIRED_MAX,
  STUN_USERNAME_BYTES_MAX,
} from '../../../config/index.ts'

export const STUN_HEADER_BYTES = 20
export const STUN_MAGIC_COOKIE = 0x2112a442
export const FINGERPRINT_XOR = 0x5354554e

export const BINDING_REQUEST = 0x0001
export const BINDING_SUCCESS = 0x0101
export const BINDING_ERROR = 0x0111

export const ATTRIBUTE_USERNAME = 0x0006
export const ATTRIBUTE_MESSAGE_INTEGRITY = 0x0008
export const ATTRIBUTE_ERROR_CODE = 0x0009
export const ATTRIBUTE_UNKNOWN_ATTRIBUTES = 0x000a
export const ATTRIBUTE_XOR_MAPPED_ADDRESS = 0x0020
const ATTRIBUTE_PRIORITY = 0x0024
const ATTRIBUTE_USE_CANDIDATE = 0x0025
export const ATTRIBUTE_FINGERPRINT = 0x8028
const ATTRIBUTE_ICE_CONTROLLED = 0x8029
const ATTRIBUTE_ICE_CONTROLLING = 0x802a

/**
 * Comprehension-required attributes (below 0x8000) that we know, of RFC 8489 §18.3 and RFC 8445 §16.1. Some mean
 * nothing in a Binding request and are then ignored, which is not the same as unknown.
 */
const KNOWN_REQUIRED: ReadonlySet<number> = new Set([
  0x0001,
  ATTRIBUTE_USERNAME,
  ATTRIBUTE_MESSAGE_INTEGRITY,
  ATTRIBUTE_ERROR_CODE,
  ATTRIBUTE_UNKNOWN_ATTRIBUTES,
  0x0014,
  0x0015,
  0x001c,
  0x001d,
  0x001e,
  ATTRIBUTE_XOR_MAPPED_ADDRESS,
  ATTRIBUTE_PRIORITY,
  ATTRIBUTE_USE_CANDIDATE,
])

const INTEGRITY_ATTRIBUTE_BYTES = 24
const INTEGRITY_BYTES = 20

export type IceRole = 'none' | 'controlling' | 'controlled'

/** What was read of one message. Reused: valid until the next `parseStun` into it. */
export class StunMessage {
  bytes: Uint8Array = new Uint8Array(0)
  type = 0
  /** USERNAME as Latin-1, at most STUN_USERNAME_BYTES_MAX; empty when absent. */
  username = ''
  /** 0 when absent. */
  priority = 0
  useCandidate = false
  /** The role that the sender claims. */
  role: IceRole = 'none'
  /** Offset of the MESSAGE-INTEGRITY attribute, -1 when absent. */
  integrityStart = -1
  hasFingerprint = false
  /** Comprehension-required types unknown to us, at most STUN_UNKNOWN_REQUIRED_MAX of them. */
  readonly unknownRequired: number[] = []
}

/** True when `bytes` may be a STUN message by length, leading zero bits and magic cookie. */
function looksLikeStun(bytes: Uint8Array): boolean {
  if (bytes.length < STUN_HEADER_BYTES || bytes.length > STUN_BYTES_MAX) return false
  if (bytes[0]! > 3) return false
  const length = readUint16(bytes, 2)
  if ((length & 3) !== 0 || STUN_HEADER_BYTES + length !== bytes.length) return false
  return readUint32(bytes, 4) === STUN_MAGIC_COOKIE
}

/**
 * Reads a whole datagram into `out`; false when it is not a well-formed STUN message or its FINGERPRINT is wrong.
 * Integrity is not checked here (`verifyIntegrity`). Never throws; keeps a reference to `bytes`.
 */
export function parseStun(bytes: Uint8Array, out: StunMessage): boolean {
  if (!looksLikeStun(bytes)) return false
  reset(out, bytes)
  let offset = STUN_HEADER_BYTES
  for (let count = 0; offset < bytes.length; count++) {
    if (count === STUN_ATTRIBUTES_MAX || offset + 4 > bytes.length) return false
    const type = readUint16(bytes, offset)
    const valueStart = offset + 4
    const valueEnd = valueStart + readUint16(bytes, offset + 2)
    const next = valueStart + ((valueEnd - valueStart + 3) & ~3)
    if (next > bytes.length) return false
    if (type === ATTRIBUTE_FINGERPRINT) {
      // It must be the last attribute (RFC 8489 §14.7).
      if (next !== bytes.length || !fingerprintIsRight(bytes, offset, valueEnd)) return false
      out.hasFingerprint = true
    } else if (out.integrityStart < 0) {
      // What follows MESSAGE-INTEGRITY is not covered by it and must be ignored (RFC 8489 §14.5).
      if (!readAttribute(out, type, valueStart, valueEnd)) return false
    }
    offset = next
  }
  return true
}

/** True when the message carries a MESSAGE-INTEGRITY made with `key`. Constant time in the tag. */
export function verifyIntegrity(message: StunMessage, key: KeyObject): boolean {
  const { bytes, integrityStart } = message
  if (integrityStart < 0) return false
  const expected = integrityTag(bytes, integrityStart, key)
  const tagStart = integrityStart + 4
  return timingSafeEqual(expected, bytes.subarray(tagStart, tagStart + INTEGRITY_BYTES))
}

/** HMAC-SHA1 over `bytes[0, integrityStart)` with the length field as RFC 8489 §14.5 wants it; 20 bytes. */
export function integrityTag(bytes: Uint8Array, integrityStart: number, key: KeyObject): Buffer {
  const length = integrityStart - STUN_HEADER_BYTES + INTEGRITY_ATTRIBUTE_BYTES
  const head = Uint8Array.of(bytes[0]!, bytes[1]!, length >>> 8, length & 0xff)
  const hmac = createHmac('sha1', key)
  hmac.update(head)
  hmac.update(bytes.subarray(4, integrityStart))
  return hmac.digest()
}

function reset(out: StunMessage, bytes: Uint8Array): void {
  out.bytes = bytes
  out.type = readUint16(bytes, 0)
  out.username = ''
  out.priority = 0
  out.useCandidate = false
  out.role = 'none'
  out.integrityStart = -1
  out.hasFingerprint = false
  out.unknownRequired.length = 0
}

/** False when the value cannot be what its type says. The first of several wins (RFC 8489 §14). */
function readAttribute(out: StunMessage, type: number, start: number, end: number): boolean {
  const length = end - start
  switch (type) {
    case ATTRIBUTE_USERNAME:
      if (length > STUN_USERNAME_BYTES_MAX) return false
      if (out.username === '') out.username = latin1(out.bytes, start, end)
      return true
    case ATTRIBUTE_MESSAGE_INTEGRITY:
      if (length !== INTEGRITY_BYTES) return false
      out.integrityStart = start - 4
      return true
    case ATTRIBUTE_PRIORITY:
      if (length !== 4) return false
      out.priority = readUint32(out.bytes, start)
      return true
    case ATTRIBUTE_USE_CANDIDATE:
      out.useCandidate = true
      return length === 0
    case ATTRIBUTE_ICE_CONTROLLING:
    case ATTRIBUTE_ICE_CONTROLLED:
      if (out.role === 'none')
        out.role = type === ATTRIBUTE_ICE_CONTROLLED ? 'controlled' : 'controlling'
      return length === 8
    default:
      if (type < 0x8000 && !KNOWN_REQUIRED.has(type)) rememberUnknown(out, type)
      return true
  }
}

function rememberUnknown(out: StunMessage, type: number): void {
  if (out.unknownRequired.length < STUN_UNKNOWN_REQUIRED_MAX) out.unknownRequired.push(type)
}

function fingerprintIsRight(bytes: Uint8Array, start: number, valueEnd: number): boolean {
  if (valueEnd - start !== 8) return false
  const expected = (crc32(bytes.subarray(0, start)) ^ FINGERPRINT_XOR) >>> 0
  return expected === readUint32(bytes, start + 4)
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}

function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return ((readUint16(bytes, offset) << 16) | readUint16(bytes, offset + 2)) >>> 0
}
