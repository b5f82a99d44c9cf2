/**
 * AEAD_AES_128_GCM for SRTP and SRTCP (RFC 7714 §8, §9): nonces and the AES-GCM calls. Knows no replay and no
 * packets. Accepted, not preferred: it costs four objects a packet, so nothing here is on the path that we count.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import type { SessionKeys } from './key-derivation.ts'

export const GCM_TAG_BYTES = 16
const NONCE_BYTES = 12

export class GcmKey {
  #key: KeyObject
  #salt: Uint8Array
  #nonce = new Uint8Array(NONCE_BYTES)

  constructor(keys: SessionKeys) {
    this.#key = keys.cipherKey
    this.#salt = keys.salt
  }

  /** Encrypts `text` in place and writes the tag to `tag` (16 bytes). `index`: 48 bits for SRTP, 31 for SRTCP. */
  seal(ssrc: number, index: number, parts: GcmParts): void {
    const cipher = createCipheriv('aes-128-gcm', this.#key, this.#nonceOf(ssrc, index))
    cipher.setAAD(parts.associated)
    parts.text.set(cipher.update(parts.text))
    cipher.final()
    parts.tag.set(cipher.getAuthTag())
  }

  /** Decrypts `text` in place if the tag fits; otherwise false, and nothing has changed. */
  open(ssrc: number, index: number, parts: GcmParts): boolean {
    const decipher = createDecipheriv('aes-128-gcm', this.#key, this.#nonceOf(ssrc, index))
    decipher.setAAD(parts.associated)
    decipher.setAuthTag(parts.tag)
    const plain = decipher.update(parts.text)
    const limit = Error.stackTraceLimit
    // A flood of bad tags must stay cheap: most of what the exception costs is its stack trace.
    Error.stackTraceLimit = 0
    try {
      decipher.final()
    } catch {
      return false
    } finally {
      Error.stackTraceLimit = limit
    }
    parts.text.set(plain)
    return true
  }

  /** 00 00 | SSRC | ROC | SEQ for SRTP; 00 00 | SSRC | 00 00 | 0 + 31-bit index for SRTCP: the same form. */
  #nonceOf(ssrc: number, index: number): Uint8Array {
    const nonce = this.#nonce
    const high = Math.floor(index / 0x1_0000_0000)
    nonce.set(this.#salt.subarray(0, NONCE_BYTES))
    xorUint32(nonce, 2, ssrc)
    xorUint32(nonce, 6, ((high & 0xffff) << 16) | ((index >>> 16) & 0xffff))
    nonce[10] = (nonce[10] as number) ^ ((index >>> 8) & 0xff)
    nonce[11] = (nonce[11] as number) ^ (index & 0xff)
    return nonce
  }
}

/** Views of one packet; `text` may be empty. */
export type GcmParts = { associated: Uint8Array; text: Uint8Array; tag: Uint8Array }

function xorUint32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i += 1) {
    bytes[at + i] = (bytes[at + i] as number) ^ ((value >>> (24 - 8 * i)) & 0xff)
  }
}
