/**
 * The code that an operator carries from a node to the relay that shall hang on it: 10 bytes of the hash of
 * the node's key, so that the relay knows its core at the first dial; 10 bytes of secret, so that the core
 * knows the relay; 20 bits against slips of the pen. As nine groups of four characters without i, l, o and u:
 *
 *   key hash (80 bits) | secret (80 bits) | check (20 bits) -> base32 of Crockford, lower case
 *
 * The secret is the seed of a key pair. The core keeps the public half only, so its book does not help to
 * enrol anybody.
 */
import type { Signer } from '../control/index.ts'
import { primitives, signerOfSeed } from './primitives.ts'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const HASH_BYTES = 10
const SECRET_BYTES = 10
const BODY_CHARACTERS = 32
const CHECK_CHARACTERS = 4
const CODE_ID_BYTES = 16

/** What a code says. */
export type EnrolmentCode = { keyHash: Uint8Array; secret: Uint8Array }

/** What both sides make of its secret. */
export type EnrolmentKeys = {
  /** Names the code in the open. */
  id: Uint8Array
  signer: Signer
}

const hashOfKey = (key: Uint8Array): Uint8Array => primitives.sha256(key).subarray(0, HASH_BYTES)

/** A code for relays of the node with this key. */
export function createEnrolmentCode(nodeKey: Uint8Array): EnrolmentCode {
  return { keyHash: hashOfKey(nodeKey), secret: primitives.randomBytes(SECRET_BYTES) }
}

/** Whether the code was made for the node with this key. */
export function isCodeOf(
  { keyHash }: Pick<EnrolmentCode, 'keyHash'>,
  nodeKey: Uint8Array,
): boolean {
  return Buffer.compare(keyHash, hashOfKey(nodeKey)) === 0
}

/** The same on both sides. */
export function enrolmentKeysOf({ keyHash, secret }: EnrolmentCode): EnrolmentKeys {
  const seed = primitives.hkdf(secret, keyHash, 'nhipcau enrolment 1', 32)
  const signer = signerOfSeed(seed)
  const id = primitives.sha256(signer.publicKey).subarray(0, CODE_ID_BYTES)
  return { id, signer }
}

/** Nine groups of four characters. */
export function writeEnrolmentCode({ keyHash, secret }: EnrolmentCode): string {
  const body = Buffer.concat([keyHash, secret])
  const characters = base32Of(body, BODY_CHARACTERS) + checkOf(body)
  return characters.match(/.{4}/g)?.join('-') ?? ''
}

/** Spaces, dashes and case do not matter; undefined when it is no code, or one with a slip. */
export function parseEnrolmentCode(text: string): EnrolmentCode | undefined {
  const characters = text
    .toLowerCase()
    .replace(/[\s-]/g, '')
    .replace(/o/g, '0')
    .replace(/[il]/g, '1')
  if (characters.length !== BODY_CHARACTERS + CHECK_CHARACTERS) return undefined
  const body = bytesOfBase32(characters.slice(0, BODY_CHARACTERS))
  if (body === undefined || characters.slice(BODY_CHARACTERS) !== checkOf(body)) return undefined
  return { keyHash: body.subarray(0, HASH_BYTES), secret: body.subarray(HASH_BYTES) }
}

function checkOf(body: Uint8Array): string {
  const hash = primitives.sha256(Buffer.from('nhipcau code'), body)
  return base32Of(hash.subarray(0, 3), 5).slice(-CHECK_CHARACTERS)
}

function base32Of(bytes: Uint8Array, characterCount: number): string {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  let text = ''
  for (let at = 0; at < characterCount; at += 1) {
    text = ALPHABET[Number(value & 31n)] + text
    value >>= 5n
  }
  return text
}

function bytesOfBase32(text: string): Uint8Array | undefined {
  let value = 0n
  for (const character of text) {
    const digit = ALPHABET.indexOf(character)
    if (digit < 0) return undefined
    value = (value << 5n) | BigInt(digit)
  }
  const hex = value.toString(16).padStart((text.length * 5) / 4, '0')
  return Buffer.from(hex, 'hex')
}
