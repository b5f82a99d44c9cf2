/**
 * All that both sides have seen of a handshake, as one hash: protocol label, TLS certificate, then each frame
 * as it was on the wire. Signatures are over it, so nothing of it can be changed, replayed into another
 * handshake, or turned round.
 *
 *   digest(0) = SHA-256("nhipcau trunk 1", 0, fingerprint)
 *   digest(n) = SHA-256(digest(n - 1), length as u32, frame)
 */
import type { Primitives, Signer } from './primitives.ts'

/** Which of the two speaks; part of what is signed, so that no signature serves twice. */
type Voice = 'parent' | 'child' | 'enrolment'

const PROTOCOL = 'nhipcau trunk 1'

/** One side's view of the handshake. */
export class Transcript {
  readonly #primitives: Primitives
  #digest: Uint8Array

  /** `fingerprint`: SHA-256 of the TLS certificate in lower-case hex, '' without TLS. */
  constructor(primitives: Primitives, fingerprint: string) {
    this.#primitives = primitives
    this.#digest = primitives.sha256(Buffer.from(`${PROTOCOL}\0${fingerprint}`))
  }

  add(frame: Uint8Array): void {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(frame.length)
    this.#digest = this.#primitives.sha256(this.#digest, length, frame)
  }

  sign(voice: Voice, signer: Signer): Uint8Array {
    return signer.sign(this.#signed(voice))
  }

  isSignedBy(voice: Voice, publicKey: Uint8Array, signature: Uint8Array): boolean {
    return this.#primitives.verify(publicKey, this.#signed(voice), signature)
  }

  /** Bytes that only who knows `secret` and saw the same can derive. */
  derive(secret: Uint8Array, purpose: string, lengthBytes: number): Uint8Array {
    const info = `${PROTOCOL} ${purpose}`
    return this.#primitives.hkdf(secret, this.#digest, info, lengthBytes)
  }

  #signed(voice: Voice): Uint8Array {
    return Buffer.concat([Buffer.from(`${PROTOCOL} ${voice}\0`), this.#digest])
  }
}
