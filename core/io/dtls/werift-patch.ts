/**
 * What werift 0.25.2 is taught at start-up, without a fork: key agreement by node:crypto in place of tweetnacl (X25519)
 * and @noble (P-256), and flights that are sent once, since our sessions repeat them by their own clock. Touches only
 * contexts that were given to `adopt`; other users of werift in the same thread notice nothing but speed.
 */
import {
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { createRequire } from 'node:module'
import { DtlsServer, type DtlsSocket } from 'werift'
import { CURVE_P256, CURVE_X25519, type Curve } from './client-hello.ts'
import { type DtlsIdentity, SIGNATURE_HASH } from './identity.ts'
import type { HandshakeMessage } from './reassembly.ts'

/** Before the raw point in a SubjectPublicKeyInfo (RFC 8410 §4, RFC 5480 §2). */
const SPKI_PREFIX: Record<Curve, Buffer> = {
  [CURVE_X25519]: Buffer.from('302a300506032b656e032100', 'hex'),
  [CURVE_P256]: Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'),
}
const POINT_BYTES: Record<Curve, number> = { [CURVE_X25519]: 32, [CURVE_P256]: 65 }

/** An ephemeral key pair in the form that werift carries about. */
export type EphemeralKeys = { handle: Buffer; publicKey: Buffer }

type SecretKey = { key: KeyObject; curve: Curve }

/**
 * The private keys behind the handles. werift copies its "private key" by its ArrayBuffer only, so that is the name of
 * the key, and 32 zero bytes are all that it ever holds.
 */
const secretKeys = new WeakMap<ArrayBufferLike, SecretKey>()

/** First byte of a P-256 point with both coordinates (SEC 1 §2.3.3). */
const UNCOMPRESSED = Buffer.from([4])

/** A fresh key pair; `handle` goes where werift wants a private key, and works only there. */
export const createEphemeralKeys = (curve: Curve): EphemeralKeys => {
  const { privateKey, publicKey } =
    curve === CURVE_X25519
      ? generateKeyPairSync('x25519')
      : generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  // A JWK costs half of what DER does.
  const { x, y } = publicKey.export({ format: 'jwk' })
  const coordinates = [Buffer.from(x ?? '', 'base64url'), Buffer.from(y ?? '', 'base64url')]
  const prefix = curve === CURVE_P256 ? UNCOMPRESSED : Buffer.alloc(0)
  // werift takes the whole ArrayBuffer behind it.
  const point = Buffer.from(new Uint8Array(Buffer.concat([prefix, ...coordinates])).buffer)
  const handle = Buffer.from(new ArrayBuffer(32))
  secretKeys.set(handle.buffer, { key: privateKey, curve })
  return { handle, publicKey: point }
}

/** Whether a peer's public point has the form that its curve demands (RFC 8422 §5.4.1, §5.11). */
export const isPoint = (curve: Curve, point: Buffer): boolean =>
  point.length === POINT_BYTES[curve] && (curve === CURVE_X25519 || point[0] === UNCOMPRESSED[0])

/** Throws on a point off the curve, and on one of low order (all-zero result, RFC 7748 §6.1). */
const agree = (secret: SecretKey, point: Uint8Array): Uint8Array => {
  const spki = Buffer.concat([SPKI_PREFIX[secret.curve], point])
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return diffieHellman({ privateKey: secret.key, publicKey })
}

type Nacl = {
  scalarMult: (secret: Uint8Array, point: Uint8Array) => Uint8Array
  box: { keyPair: () => { publicKey: Uint8Array; secretKey: Uint8Array } }
}

const replaceKeyAgreement = (): void => {
  const nacl = createRequire(import.meta.resolve('werift'))('tweetnacl') as Nacl
  const slowScalarMult = nacl.scalarMult
  nacl.box.keyPair = () => {
    const { handle, publicKey } = createEphemeralKeys(CURVE_X25519)
    return { publicKey, secretKey: handle }
  }
  nacl.scalarMult = (secret, point) => {
    const known = secretKeys.get(secret.buffer)
    return known === undefined ? slowScalarMult(secret, point) : agree(known, point)
  }
}

type Flight = {
  dtls: object
  send(buffers: Buffer[]): Promise<unknown>
  transmit(buffers: Buffer[]): Promise<void>
}

const adopted = new WeakSet<object>()

/** werift's `transmit` sleeps half a second and more between tries, and cannot be stopped: ours returns. */
const replaceTransmit = (): void => {
  const prototype = flightPrototype()
  const slowTransmit = prototype.transmit
  prototype.transmit = async function transmit(this: Flight, buffers: Buffer[]): Promise<void> {
    if (!adopted.has(this.dtls)) return slowTransmit.call(this, buffers)
    await this.send(buffers)
  }
}

/** The base class of flights is not exported: a server that gets a key exchange too early shows us one. */
const flightPrototype = (): Flight => {
  const transport = { type: 'none', onData: () => {}, send: async () => {}, close: async () => {} }
  const server = new DtlsServer({ transport: transport as never })
  const message = {
    msg_type: 16,
    message_seq: 0,
    fragment: Buffer.from([0]),
    serialize: Buffer.alloc,
  }
  server.onHandleHandshakes([message as never]).catch(() => {})
  const { flight6 } = server as unknown as { flight6?: object }
  const prototype = flight6 && Object.getPrototypeOf(Object.getPrototypeOf(flight6))
  if (typeof prototype?.transmit !== 'function') {
    throw new Error('werift is not the version that this adapter was written for (0.25.2)')
  }
  return prototype as Flight
}

replaceKeyAgreement()
replaceTransmit()

/** What an adopted socket derived, as an object that cannot be printed; undefined before the key exchange. */
export type SecretSource = () => KeyObject | undefined

/**
 * From now on this socket's flights go out once, at once, and leave no timer; it signs with the identity without
 * parsing PEM texts each time, and derives with KeyObjects: a raw key costs each HMAC 10 µs more.
 */
export const adopt = (socket: DtlsSocket, identity: DtlsIdentity): SecretSource => {
  adopted.add(socket.dtls)
  const { cipher } = socket
  cipher.localCert = identity.certificateDer
  cipher.signatureHashAlgorithm = SIGNATURE_HASH
  cipher.localPrivateKey = {
    sign: (data: Buffer, hash: string) => sign(hash, data, identity.privateKey),
  } as never
  cipher.signatureData = (data, hash) => sign(hash, data, identity.privateKey)
  let masterSecret: KeyObject | undefined
  Object.defineProperty(cipher, 'masterSecret', {
    get: () => masterSecret,
    set: (secret: Buffer) => {
      masterSecret = createSecretKey(secret)
    },
  })
  return () => masterSecret
}

/** What werift reads of a message, in the shape that it expects. */
export const asWerift = (message: HandshakeMessage, fragment: Buffer = message.body) => ({
  msg_type: message.messageType,
  length: fragment.length,
  message_seq: message.messageSeq,
  fragment_offset: 0,
  fragment_length: fragment.length,
  fragment,
  summary: undefined,
  // The transcript takes the peer's own bytes, also where werift reads our plain version.
  serialize: () => message.bytes,
})
