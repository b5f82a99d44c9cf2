/**
 * Writes the two answers that an ICE-lite agent gives: Binding success with XOR-MAPPED-ADDRESS, and Binding error
 * (RFC 8489 §14.2, §14.8, §14.13), each with MESSAGE-INTEGRITY and FINGERPRINT. Also the request, for tests
 * and probes.
 * No SOFTWARE attribute: it would tell strangers the version and make answers longer.
 */
import type { KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { STUN_BYTES_MAX } from '../../../config/index.ts'
import {
  ATTRIBUTE_ERROR_CODE,
  ATTRIBUTE_FINGERPRINT,
  ATTRIBUTE_MESSAGE_INTEGRITY,
  ATTRIBUTE_UNKNOWN_ATTRIBUTES,
  ATTRIBUTE_USERNAME,
  ATTRIBUTE_XOR_MAPPED_ADDRESS,
  BINDING_ERROR,
  BINDING_REQUEST,
  BINDING_SUCCESS,
  FINGERPRINT_XOR,
  integrityTag,
  STUN_HEADER_BYTES,
  STUN_MAGIC_COOKIE,
  type StunMessage,
} from './message.ts'

const MAGIC_COOKIE_BYTES = [0x21, 0x12, 0xa4, 0x42] as const

/** An address as bytes in network order: 4 for IPv4, 16 for IPv6. */
export type MappedAddress = { octets: Uint8Array; port: number }

export type ErrorAnswer = { code: 400 | 420 | 487; reason: string; unknown: readonly number[] }

/** What a connectivity check says (RFC 8445 §7.1). */
export type BindingRequest = {
  transactionId: Uint8Array
  username: string
  priority: number
  useCandidate: boolean
  controlling: boolean
  tieBreaker: bigint
}

/** The success answer to `request`, signed with `key`; a fresh buffer of 64 (IPv4) or 76 bytes (IPv6). */
export function writeBindingSuccess(
  request: StunMessage,
  mapped: MappedAddress,
  key: KeyObject,
): Buffer {
  const writer = new StunWriter(BINDING_SUCCESS, request.bytes.subarray(8, STUN_HEADER_BYTES))
  const { octets, port } = mapped
  const value = Buffer.alloc(4 + octets.length)
  value[1] = octets.length === 4 ? 1 : 2
  value.writeUInt16BE(port ^ (STUN_MAGIC_COOKIE >>> 16), 2)
  for (let i = 0; i < octets.length; i++) {
    // The mask is the cookie, then the transaction id: bytes 4..20 of the header (RFC 8489 §14.2).
    value[4 + i] = octets[i]! ^ request.bytes[4 + i]!
  }
  writer.attribute(ATTRIBUTE_XOR_MAPPED_ADDRESS, value)
  return writer.finish(key)
}

/** The error answer to `request`, signed with `key`; a fresh buffer. */
export function writeBindingError(
  request: StunMessage,
  answer: ErrorAnswer,
  key: KeyObject,
): Buffer {
  const writer = new StunWriter(BINDING_ERROR, request.bytes.subarray(8, STUN_HEADER_BYTES))
  const head = Buffer.from([0, 0, Math.floor(answer.code / 100), answer.code % 100])
  writer.attribute(ATTRIBUTE_ERROR_CODE, Buffer.concat([head, Buffer.from(answer.reason)]))
  if (answer.unknown.length > 0) {
    const list = Buffer.alloc(answer.unknown.length * 2)
    answer.unknown.forEach((type, index) => {
      list.writeUInt16BE(type, index * 2)
    })
    writer.attribute(ATTRIBUTE_UNKNOWN_ATTRIBUTES, list)
  }
  return writer.finish(key)
}

/** A connectivity check as a browser sends it; for tests, the doctor and load generators. */
export function writeBindingRequest(request: BindingRequest, key: KeyObject): Buffer {
  const writer = new StunWriter(BINDING_REQUEST, request.transactionId)
  writer.attribute(ATTRIBUTE_USERNAME, Buffer.from(request.username, 'latin1'))
  const priority = Buffer.alloc(4)
  priority.writeUInt32BE(request.priority)
  writer.attribute(0x0024, priority)
  const tieBreaker = Buffer.alloc(8)
  tieBreaker.writeBigUInt64BE(request.tieBreaker)
  writer.attribute(request.controlling ? 0x802a : 0x8029, tieBreaker)
  if (request.useCandidate) writer.attribute(0x0025, Buffer.alloc(0))
  return writer.finish(key)
}

/** Appends attributes to one message; throws RangeError beyond STUN_BYTES_MAX, which is a bug of the caller. */
export class StunWriter {
  readonly #bytes = Buffer.alloc(STUN_BYTES_MAX)
  #end = STUN_HEADER_BYTES

  constructor(type: number, transactionId: Uint8Array) {
    this.#bytes.writeUInt16BE(type, 0)
    this.#bytes.set(MAGIC_COOKIE_BYTES, 4)
    this.#bytes.set(transactionId, 8)
  }

  attribute(type: number, value: Uint8Array): void {
    this.#bytes.writeUInt16BE(type, this.#end)
    this.#bytes.writeUInt16BE(value.length, this.#end + 2)
    this.#bytes.set(value, this.#end + 4)
    this.#end += 4 + ((value.length + 3) & ~3)
    this.#bytes.writeUInt16BE(this.#end - STUN_HEADER_BYTES, 2)
  }

  /** Signs with `key` (none: unsigned, for adversary tests), adds FINGERPRINT, and returns the message. */
  finish(key: KeyObject | undefined): Buffer {
    if (key !== undefined) {
      this.attribute(ATTRIBUTE_MESSAGE_INTEGRITY, integrityTag(this.#bytes, this.#end, key))
    }
    this.#bytes.writeUInt16BE(this.#end - STUN_HEADER_BYTES + 8, 2)
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE((crc32(this.#bytes.subarray(0, this.#end)) ^ FINGERPRINT_XOR) >>> 0)
    this.attribute(ATTRIBUTE_FINGERPRINT, crc)
    return this.#bytes.subarray(0, this.#end)
  }
}
