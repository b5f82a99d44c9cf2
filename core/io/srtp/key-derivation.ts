/**
 * SRTP session keys from a master key (RFC 3711 §4.3, RFC 7714 §11), with a key derivation rate of zero: once per
 * master. Keys leave here as KeyObjects: a raw Buffer key costs 9-15 µs more in each createCipheriv of Node 24.17+.
 */
import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { SrtpMaster } from './master.ts'

const AUTH_KEY_BYTES = 20
const SALT_BYTES = 14
const BLOCK_BYTES = 16

/** Keys of one direction and one of SRTP or SRTCP. */
export type SessionKeys = {
  cipherKey: KeyObject
  /** 20 bytes; unused by GCM. Secret: wiped by the owner once the HMAC is prepared. */
  authKey: Uint8Array
  /** 14 bytes for CM; GCM uses the first 12. */
  salt: Uint8Array
}

export type DerivedKeys = { rtp: SessionKeys; rtcp: SessionKeys }

/** Derives both sets. Throws when the lengths do not fit the profile: that is our bug, not the peer's. */
export function deriveSessionKeys(master: SrtpMaster): DerivedKeys {
  const saltBytes = master.profile === 'aes-gcm' ? 12 : SALT_BYTES
  if (master.key.length !== 16 || master.salt.length !== saltBytes) {
    throw new Error(`SRTP master key or salt of a wrong length for ${master.profile}`)
  }
  const key = createSecretKey(master.key)
  return { rtp: deriveSet(key, master.salt, 0), rtcp: deriveSet(key, master.salt, 3) }
}

function deriveSet(master: KeyObject, masterSalt: Uint8Array, firstLabel: number): SessionKeys {
  const cipherKey = pseudoRandom(master, masterSalt, firstLabel).subarray(0, BLOCK_BYTES)
  const set: SessionKeys = {
    cipherKey: createSecretKey(cipherKey),
    authKey: pseudoRandom(master, masterSalt, firstLabel + 1).subarray(0, AUTH_KEY_BYTES),
    salt: pseudoRandom(master, masterSalt, firstLabel + 2).subarray(0, SALT_BYTES),
  }
  cipherKey.fill(0)
  return set
}

/** AES-CM as the PRF: 32 bytes of keystream from IV = (salt ^ label·2^48) · 2^16. A 12-byte salt is filled with 0. */
function pseudoRandom(master: KeyObject, salt: Uint8Array, label: number): Uint8Array {
  const blocks = new Uint8Array(2 * BLOCK_BYTES)
  blocks.set(salt, 0)
  blocks[7] = (blocks[7] as number) ^ label
  blocks.copyWithin(BLOCK_BYTES, 0, BLOCK_BYTES)
  blocks[2 * BLOCK_BYTES - 1] = 1
  const cipher = createCipheriv('aes-128-ecb', master, null).setAutoPadding(false)
  return cipher.update(blocks)
}
