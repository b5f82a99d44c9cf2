/**
 * The cryptography that a handshake is made of, handed in so that the handshake itself stays without chance
 * and modules. Implemented in relay/identity by OpenSSL through node:crypto. Keys and signatures are raw
 * bytes.
 */

/** An Ed25519 key pair (RFC 8032) whose private half stays inside. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array
}

/** One half of an X25519 agreement (RFC 7748), used once. */
export interface Ephemeral {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes, or undefined for a point of small order. */
  agree(peerPublicKey: Uint8Array): Uint8Array | undefined
}

export interface Primitives {
  randomBytes(count: number): Uint8Array
  sha256(...parts: Uint8Array[]): Uint8Array
  /** HKDF-SHA-256 (RFC 5869). */
  hkdf(secret: Uint8Array, salt: Uint8Array, info: string, lengthBytes: number): Uint8Array
  createEphemeral(): Ephemeral
  /** False for a wrong signature and for bytes that are no key. */
  verify(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean
}
