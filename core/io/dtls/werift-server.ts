/**
 * werift's DTLS server as a maker of messages and keys: it is called once for each step that the session has already
 * approved, does it synchronously, and never sees a record, a fragment, a timer or an unapproved byte.
 * What it does not verify (werift-notes.md) is verified in the session before and after.
 */
import type { KeyObject } from 'node:crypto'
import { DtlsServer } from 'werift'
import {
  buildClientHello,
  CURVE_P256,
  CURVE_X25519,
  type Parameters,
  SRTP_PROFILE_NUMBER,
} from './client-hello.ts'
import type { SrtpKeys, SrtpProfile } from './handshake.ts'
import type { DtlsIdentity } from './identity.ts'
import { CLIENT_HELLO, type HandshakeMessage } from './reassembly.ts'
import type { WriteKeys } from './record-cipher.ts'
import { adopt, asWerift, createEphemeralKeys, isPoint, type SecretSource } from './werift-patch.ts'

/** ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone. */
const FLIGHT_4_MESSAGES = 5
const FLIGHT_4 = 4
/** Never sent: werift wants a cookie exchange, and ICE has proven the address better. */
const COOKIE = Buffer.alloc(20, 1)
const KEY_BYTES = 16
const SALT_BYTES: Record<SrtpProfile, number> = { 'aes-cm': 14, 'aes-gcm': 12 }
const RECORD_SALT_BYTES = 4

/** Sent messages go nowhere from here: the session takes them from the cache and sends them itself. */
const SINK = { type: 'none', onData: () => {}, send: async () => {}, close: async () => {} }

/** One server side of one handshake. Create it only for parameters that were chosen from a well-formed ClientHello. */
export class WeriftServer {
  readonly #server: DtlsServer
  readonly #parameters: Parameters
  readonly #masterSecret: SecretSource

  constructor(identity: DtlsIdentity, parameters: Parameters) {
    this.#parameters = parameters
    this.#server = new DtlsServer({
      transport: SINK as never,
      srtpProfiles: [SRTP_PROFILE_NUMBER[parameters.profile]],
      certificateRequest: true,
      extendedMasterSecret: true,
    })
    this.#masterSecret = adopt(this.#server, identity)
    this.#server.dtls.cookie = COOKIE
  }

  /** Answers the ClientHello with the bytes of flight 4's messages, numbered from 0; undefined when werift failed. */
  hello(message: HandshakeMessage, random: Uint8Array): Buffer[] | undefined {
    const srtpProfiles = [SRTP_PROFILE_NUMBER[this.#parameters.profile]]
    const parts = { random, groups: [CURVE_X25519], srtpProfiles }
    const first = buildClientHello({ ...parts, cookie: Buffer.alloc(0) })
    this.#feed(asWerift({ ...message, messageType: CLIENT_HELLO }, first))
    const { cipher, dtls } = this.#server
    if (this.#parameters.curve === CURVE_P256) {
      const { handle, publicKey } = createEphemeralKeys(CURVE_P256)
      cipher.namedCurve = CURVE_P256
      // The curve here says only which agreement werift calls: ours, which goes by the handle.
      cipher.localKeyPair = { curve: CURVE_X25519, privateKey: handle, publicKey }
    }
    this.#feed(asWerift(message, buildClientHello({ ...parts, cookie: COOKIE })))
    const ours = dtls.handshakeCache[FLIGHT_4]?.data.slice(1) ?? []
    if (ours.length !== FLIGHT_4_MESSAGES) return undefined
    // werift counts its HelloVerifyRequest, which no one has seen (RFC 6347 §4.2.2: we start at 0).
    for (const one of ours) one.message_seq -= 1
    return ours.map((one) => Buffer.from(one.serialize()))
  }

  /** Takes note of the approved Certificate: it belongs into the session hash. */
  certificate(message: HandshakeMessage): void {
    this.#feed(asWerift(message))
  }

  /** Agrees on the extended master secret (RFC 7627); undefined when the peer's point is none. */
  keyExchange(message: HandshakeMessage): KeyObject | undefined {
    const { body } = message
    const point = body.subarray(1)
    if (body.length === 0 || body[0] !== point.length) return undefined
    if (!isPoint(this.#parameters.curve, point)) return undefined
    this.#feed(asWerift(message))
    return this.#masterSecret()
  }

  /** Write keys of both sides; valid after `keyExchange` succeeded. */
  recordKeys(): { local: WriteKeys; remote: WriteKeys } {
    const { serverWriteKey, serverNonce, clientWriteKey, clientNonce } = this.#server.cipher.cipher
    const salt = (nonce: Buffer | undefined) => nonce!.subarray(0, RECORD_SALT_BYTES)
    return {
      local: { key: serverWriteKey!, salt: salt(serverNonce) },
      remote: { key: clientWriteKey!, salt: salt(clientNonce) },
    }
  }

  /**
   * SRTP keys (RFC 5764 §4.2), in buffers of their own; valid after `keyExchange`, to be given out
   * after the proofs.
   */
  srtpKeys(): SrtpKeys {
    const { profile } = this.#parameters
    const keys = this.#server.extractSessionKeys(KEY_BYTES, SALT_BYTES[profile])
    return {
      profile,
      localKey: new Uint8Array(keys.localKey),
      localSalt: new Uint8Array(keys.localSalt),
      remoteKey: new Uint8Array(keys.remoteKey),
      remoteSalt: new Uint8Array(keys.remoteSalt),
    }
  }

  #feed(message: ReturnType<typeof asWerift>): void {
    // Each of these steps runs to its end before the call returns; failure shows in what is missing afterwards.
    this.#server.onHandleHandshakes([message as never]).catch(() => {})
  }
}
