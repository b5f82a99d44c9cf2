/**
 * The three proofs that werift does not ask for: the certificate is the one of the SDP (RFC 8122
 * §5), the peer holds its key (CertificateVerify, RFC 5246 §7.4.8), and both sides saw the same
 * handshake (Finished, §7.4.9). Pure functions over node:crypto; the order of messages is the
 * session's business.
 */
import {
  createHash,
  createHmac,
  type KeyObject,
  timingSafeEqual,
  verify,
  X509Certificate,
} from 'node:crypto'
import { FINGERPRINTS_MAX, RSA_KEY_BITS_MAX } from '../../../config/limits.ts'
import type { Fingerprint } from '../../media/control.ts'
import { SCHEME_ECDSA_P256_SHA256, SCHEME_RSA_PKCS1_SHA256 } from './client-hello.ts'
import type { RefusedReason } from './handshake.ts'

const RSA_KEY_BITS_MIN = 2_048
const VERIFY_DATA_BYTES = 12
const DIGEST_BYTES: Record<string, number> = { 'sha-256': 32, 'sha-384': 48, 'sha-512': 64 }

/** A fingerprint of an SDP in comparable form. */
export type ExpectedDigest = { algorithm: string; digest: Buffer }

/** Keeps what is well-formed and of a hash that we trust; an empty answer admits nobody. */
export const readFingerprints = (fingerprints: readonly Fingerprint[]): ExpectedDigest[] => {
  const expected: ExpectedDigest[] = []
  for (const { algorithm, value } of fingerprints.slice(0, FINGERPRINTS_MAX)) {
    const name = algorithm.toLowerCase()
    const digestBytes = Object.hasOwn(DIGEST_BYTES, name) ? DIGEST_BYTES[name]! : 0
    const isWellFormed = /^[0-9a-f]{2}(:[0-9a-f]{2})*$/i.test(value)
    const digest = isWellFormed ? Buffer.from(value.replaceAll(':', ''), 'hex') : Buffer.alloc(0)
    if (digestBytes === 0 || digest.length !== digestBytes) continue
    expected.push({ algorithm: name.replace('-', ''), digest })
  }
  return expected
}

/** SHA-256 of a DER certificate as SDP writes it. */
export const fingerprintOf = (der: Uint8Array): Fingerprint => {
  const digest = createHash('sha256').update(der).digest('hex').toUpperCase()
  return { algorithm: 'sha-256', value: digest.match(/../g)!.join(':') }
}

/** The first certificate of a Certificate message's body: '' when the list is empty, undefined when malformed. */
const firstCertificate = (body: Buffer): Buffer | undefined => {
  if (body.length < 3 || body.readUIntBE(0, 3) !== body.length - 3) return undefined
  if (body.length === 3) return Buffer.alloc(0)
  if (body.length < 6) return undefined
  const lengthBytes = body.readUIntBE(3, 3)
  return lengthBytes > 0 && 6 + lengthBytes <= body.length
    ? body.subarray(6, 6 + lengthBytes)
    : undefined
}

const isOneOf = (der: Buffer, expected: readonly ExpectedDigest[]): boolean =>
  expected.some(({ algorithm, digest }) =>
    timingSafeEqual(createHash(algorithm).update(der).digest(), digest),
  )

const publicKeyOf = (der: Buffer): KeyObject | undefined => {
  try {
    const certificate = new X509Certificate(der)
    // Anything but exactly this DER (PEM, bytes behind the end) has a second reading: no.
    return certificate.raw.equals(der) ? certificate.publicKey : undefined
  } catch {
    return undefined
  }
}

const isSupported = (key: KeyObject): boolean => {
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType === 'ec') return details?.namedCurve === 'prime256v1'
  const bits = details?.modulusLength ?? 0
  return key.asymmetricKeyType === 'rsa' && bits >= RSA_KEY_BITS_MIN && bits <= RSA_KEY_BITS_MAX
}

/** The peer's public key out of its Certificate message, if an SDP vouches for it; else why not. */
export const checkCertificate = (
  body: Buffer,
  expected: readonly ExpectedDigest[],
): KeyObject | RefusedReason => {
  const der = firstCertificate(body)
  if (der === undefined) return 'malformed-message'
  if (der.length === 0) return 'no-certificate'
  if (!isOneOf(der, expected)) return 'fingerprint-mismatch'
  const key = publicKeyOf(der)
  return key !== undefined && isSupported(key) ? key : 'unsupported-certificate'
}

/** Undefined when CertificateVerify's body signs the transcript (all messages before it) with the key; else why not. */
export const checkCertificateVerify = (
  body: Buffer,
  key: KeyObject,
  transcript: Buffer,
): RefusedReason | undefined => {
  if (body.length < 5 || body.readUInt16BE(2) !== body.length - 4) return 'malformed-message'
  const scheme = key.asymmetricKeyType === 'ec' ? SCHEME_ECDSA_P256_SHA256 : SCHEME_RSA_PKCS1_SHA256
  if (body.readUInt16BE(0) !== scheme) return 'unsupported-certificate'
  return isSignedBy(key, transcript, body.subarray(4)) ? undefined : 'bad-signature'
}

/** SHA-256 with ECDSA (DER signature) or RSA PKCS #1 v1.5, by the key's type. */
export const isSignedBy = (key: KeyObject, data: Buffer, signature: Buffer): boolean => {
  try {
    return verify('sha256', data, key, signature)
  } catch {
    return false
  }
}

/** verify_data of one side's Finished over the transcript before it (PRF of RFC 5246 §5: P_SHA256, one block). */
export const verifyData = (
  masterSecret: KeyObject,
  side: 'client' | 'server',
  transcript: Buffer,
): Buffer => {
  const label = Buffer.from(`${side} finished`, 'latin1')
  const seed = Buffer.concat([label, createHash('sha256').update(transcript).digest()])
  const a1 = createHmac('sha256', masterSecret).update(seed).digest()
  const block = createHmac('sha256', masterSecret).update(a1).update(seed).digest()
  return block.subarray(0, VERIFY_DATA_BYTES)
}

/** Whether a Finished body is exactly the expected verify_data; takes the same time wherever they differ. */
export const isFinished = (body: Buffer, expected: Buffer): boolean =>
  body.length === expected.length && timingSafeEqual(body, expected)
