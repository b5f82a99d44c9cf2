/**
 * The ClientHello (RFC 5246 §7.4.1.2, RFC 6347 §4.2.1) as far as we decide by it: read strictly, choose the parameters,
 * and write a plain one of our own with only those, so that werift never parses what a stranger wrote. Not a general
 * TLS parser: one cipher suite, two curves, two SRTP profiles.
 */
import type { SrtpProfile } from './handshake.ts'
import { VERSION_DTLS_1_2 } from './records.ts'

export const CURVE_P256 = 23
export const CURVE_X25519 = 29

export type Curve = typeof CURVE_P256 | typeof CURVE_X25519

/** TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, every browser's first or second. */
const CIPHER_SUITE = 0xc02b
/** RFC 5746 §3.3: says the same as an empty renegotiation_info. */
const RENEGOTIATION_SCSV = 0x00ff
export const SCHEME_RSA_PKCS1_SHA256 = 0x0401
export const SCHEME_ECDSA_P256_SHA256 = 0x0403

const EXTENSION_GROUPS = 10
const EXTENSION_POINT_FORMATS = 11
const EXTENSION_SIGNATURES = 13
const EXTENSION_SRTP = 14
const EXTENSION_EXTENDED_MASTER_SECRET = 23
const EXTENSION_RENEGOTIATION = 0xff01

export const RANDOM_BYTES = 32
/** Numbers of RFC 5764 §4.1.2 and RFC 7714 §14.2. */
export const SRTP_PROFILE_NUMBER: Record<SrtpProfile, 1 | 7> = { 'aes-cm': 1, 'aes-gcm': 7 }

/** What a client offers, in its order. */
export type ClientHello = {
  version: number
  random: Buffer
  cipherSuites: number[]
  compressionMethods: number[]
  groups: number[]
  signatureSchemes: number[]
  srtpProfiles: number[]
  uncompressedPoints: boolean
  extendedMasterSecret: boolean
  secureRenegotiation: boolean
}

/** What we took of it. */
export type Parameters = { curve: Curve; profile: SrtpProfile }

/** Reads forward through bytes from outside; `failed` once it would have read past the end. */
class Reader {
  failed = false
  #at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  uint(sizeBytes: 1 | 2): number {
    const at = this.#advance(sizeBytes)
    return at < 0 ? 0 : this.#bytes.readUIntBE(at, sizeBytes)
  }

  bytes(sizeBytes: number): Buffer {
    const at = this.#advance(sizeBytes)
    return at < 0 ? Buffer.alloc(0) : this.#bytes.subarray(at, at + sizeBytes)
  }

  vector(lengthSizeBytes: 1 | 2): Buffer {
    return this.bytes(this.uint(lengthSizeBytes))
  }

  #advance(sizeBytes: number): number {
    const at = this.#at
    this.failed ||= at + sizeBytes > this.#bytes.length
    if (this.failed) return -1
    this.#at += sizeBytes
    return at
  }
}

const uint16List = (bytes: Buffer): number[] | undefined => {
  if (bytes.length % 2 !== 0) return undefined
  const list: number[] = []
  for (let at = 0; at < bytes.length; at += 2) list.push(bytes.readUInt16BE(at))
  return list
}

/** The whole of `data` is one vector of 16-bit numbers. */
const uint16Vector = (data: Buffer): number[] | undefined => {
  const reader = new Reader(data)
  const list = uint16List(reader.vector(2))
  return reader.failed || !reader.isAtEnd ? undefined : list
}

const srtpProfilesOf = (data: Buffer): number[] | undefined => {
  const reader = new Reader(data)
  const list = uint16List(reader.vector(2))
  reader.vector(1)
  return reader.failed || !reader.isAtEnd ? undefined : list
}

const pointFormatsOf = (data: Buffer): Buffer | undefined => {
  const reader = new Reader(data)
  const formats = reader.vector(1)
  return reader.failed || !reader.isAtEnd ? undefined : formats
}

/** False when the extension's body is not what its type says. */
const readExtension = (hello: ClientHello, type: number, data: Buffer): boolean => {
  switch (type) {
    case EXTENSION_GROUPS:
      return assignList(uint16Vector(data), hello.groups)
    case EXTENSION_SIGNATURES:
      return assignList(uint16Vector(data), hello.signatureSchemes)
    case EXTENSION_SRTP:
      return assignList(srtpProfilesOf(data), hello.srtpProfiles)
    case EXTENSION_POINT_FORMATS: {
      const formats = pointFormatsOf(data)
      hello.uncompressedPoints = formats?.includes(0) ?? false
      return formats !== undefined
    }
    case EXTENSION_EXTENDED_MASTER_SECRET:
      hello.extendedMasterSecret = true
      return data.length === 0
    case EXTENSION_RENEGOTIATION:
      // A first handshake has nothing to be bound to (RFC 5746 §3.4).
      hello.secureRenegotiation = true
      return data.length === 1 && data[0] === 0
    default:
      return true
  }
}

const assignList = (list: number[] | undefined, target: number[]): boolean => {
  if (list === undefined) return false
  for (const entry of list) target.push(entry)
  return true
}

const readExtensions = (hello: ClientHello, bytes: Buffer): boolean => {
  const reader = new Reader(bytes)
  const seen = new Set<number>()
  while (!reader.isAtEnd) {
    const type = reader.uint(2)
    const data = reader.vector(2)
    if (reader.failed || seen.has(type) || !readExtension(hello, type, data)) return false
    seen.add(type)
  }
  return true
}

/** Undefined when the body is not exactly one well-formed ClientHello, or has an extension twice. */
export const parseClientHello = (body: Buffer): ClientHello | undefined => {
  const reader = new Reader(body)
  const version = reader.uint(2)
  const random = reader.bytes(RANDOM_BYTES)
  const sessionId = reader.vector(1)
  reader.vector(1) // The cookie: we ask for none, since ICE has already proven the address.
  const cipherSuites = uint16List(reader.vector(2))
  const compressionMethods = [...reader.vector(1)]
  const extensions = reader.isAtEnd ? Buffer.alloc(0) : reader.vector(2)
  if (reader.failed || !reader.isAtEnd || sessionId.length > 32) return undefined
  if (cipherSuites === undefined) return undefined
  const hello: ClientHello = {
    version,
    random,
    cipherSuites,
    compressionMethods,
    groups: [],
    signatureSchemes: [],
    srtpProfiles: [],
    uncompressedPoints: true,
    extendedMasterSecret: false,
    secureRenegotiation: cipherSuites.includes(RENEGOTIATION_SCSV),
  }
  return readExtensions(hello, extensions) ? hello : undefined
}

/** Our choice, by our preference; undefined when something that we insist on is missing. */
export const chooseParameters = (hello: ClientHello): Parameters | undefined => {
  // DTLS versions count downwards. A client of 1.3 says 1.2 here (RFC 9147 §5.3).
  if (hello.version > VERSION_DTLS_1_2 || hello.version >> 8 !== 0xfe) return undefined
  if (!hello.cipherSuites.includes(CIPHER_SUITE)) return undefined
  if (!hello.compressionMethods.includes(0)) return undefined
  if (!hello.signatureSchemes.includes(SCHEME_ECDSA_P256_SHA256)) return undefined
  if (!hello.extendedMasterSecret || !hello.secureRenegotiation) return undefined
  const profile = (['aes-cm', 'aes-gcm'] as const).find((name) =>
    hello.srtpProfiles.includes(SRTP_PROFILE_NUMBER[name]),
  )
  const curve = ([CURVE_X25519, CURVE_P256] as const).find((group) => hello.groups.includes(group))
  if (profile === undefined || curve === undefined) return undefined
  if (curve === CURVE_P256 && !hello.uncompressedPoints) return undefined
  return { curve, profile }
}

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])

const vector = (lengthSizeBytes: 1 | 2, body: Buffer): Buffer =>
  Buffer.concat([lengthSizeBytes === 1 ? Buffer.from([body.length]) : uint16(body.length), body])

const extension = (type: number, data: Buffer): Buffer =>
  Buffer.concat([uint16(type), vector(2, data)])

export type HelloParts = {
  random: Uint8Array
  cookie: Uint8Array
  groups: number[]
  srtpProfiles: number[]
}

/** The body of a ClientHello that offers exactly this and what we insist on, in canonical form. */
export const buildClientHello = (parts: HelloParts): Buffer => {
  const extensions = [
    extension(EXTENSION_GROUPS, vector(2, Buffer.concat(parts.groups.map(uint16)))),
    extension(EXTENSION_POINT_FORMATS, vector(1, Buffer.from([0]))),
    extension(EXTENSION_SIGNATURES, vector(2, uint16(SCHEME_ECDSA_P256_SHA256))),
    extension(
      EXTENSION_SRTP,
      Buffer.concat([
        vector(2, Buffer.concat(parts.srtpProfiles.map(uint16))),
        vector(1, Buffer.alloc(0)),
      ]),
    ),
    extension(EXTENSION_EXTENDED_MASTER_SECRET, Buffer.alloc(0)),
    extension(EXTENSION_RENEGOTIATION, Buffer.from([0])),
  ]
  return Buffer.concat([
    uint16(VERSION_DTLS_1_2),
    parts.random,
    vector(1, Buffer.alloc(0)),
    vector(1, Buffer.from(parts.cookie)),
    vector(2, uint16(CIPHER_SUITE)),
    vector(1, Buffer.from([0])),
    vector(2, Buffer.concat(extensions)),
  ])
}
