/** The cryptography of relay/control by OpenSSL: Ed25519 and X25519 as raw bytes, SHA-256, HKDF. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import type { Ephemeral, Primitives, Signer } from '../control/index.ts'

/** RFC 8410: what stands before the 32 raw bytes in DER. */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const X25519_SPKI = Buffer.from('302a300506032b656e032100', 'hex')
const RAW_BYTES = 32

const rawOf = (publicKey: KeyObject): Uint8Array =>
  publicKey.export({ type: 'spki', format: 'der' }).subarray(-RAW_BYTES)

function publicKeyOf(prefix: Buffer, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' })
}

/** Of an Ed25519 private key. */
export function createSigner(privateKey: KeyObject): Signer {
  return {
    publicKey: rawOf(createPublicKey(privateKey)),
    sign: (bytes) => sign(null, bytes, privateKey),
  }
}

/** The key pair that 32 bytes of seed make (RFC 8032 §5.1.5). */
export function signerOfSeed(seed: Uint8Array): Signer {
  const der = Buffer.concat([ED25519_PKCS8, seed])
  return createSigner(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

function createEphemeral(): Ephemeral {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  return {
    publicKey: rawOf(publicKey),
    agree: (peer) => {
      try {
        const theirs = publicKeyOf(X25519_SPKI, peer)
        const secret = diffieHellman({ privateKey, publicKey: theirs })
        return secret.some((byte) => byte !== 0) ? secret : undefined
      } catch {
        return undefined
      }
    },
  }
}

/** One for the process. */
export const primitives: Primitives = {
  randomBytes: (count) => randomBytes(count),
  sha256: (...parts) => {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return hash.digest()
  },
  hkdf: (secret, salt, info, lengthBytes) =>
    new Uint8Array(hkdfSync('sha256', secret, salt, info, lengthBytes)),
  createEphemeral,
  verify: (publicKey, bytes, signature) => {
    try {
      return verify(null, bytes, publicKeyOf(ED25519_SPKI, publicKey), signature)
    } catch {
      return false
    }
  },
}
