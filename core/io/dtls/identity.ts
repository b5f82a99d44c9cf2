/**
 * The node's DTLS identity: one self-signed P-256 certificate for all peers of a process, made at
 * start (RFC 8827 §6.5). Never stored: a new start is a new identity, and every SDP carries the
 * current fingerprint.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { CipherContext, HashAlgorithm, NamedCurveAlgorithm, SignatureAlgorithm } from 'werift'
import type { Fingerprint } from '../../media/control.ts'
import { fingerprintOf } from './proof.ts'

export const SIGNATURE_HASH = {
  hash: HashAlgorithm.sha256_4,
  signature: SignatureAlgorithm.ecdsa_3,
} as const

/** The certificate must travel in one fragment: werift keeps only the first of each of its own messages. */
const CERTIFICATE_BYTES_MAX = 1_000

export type DtlsIdentity = {
  certificateDer: Buffer
  privateKey: KeyObject
  fingerprint: Fingerprint
}

/** Makes a fresh identity; takes some milliseconds. */
export const createDtlsIdentity = async (): Promise<DtlsIdentity> => {
  const { certPem, keyPem } = await CipherContext.createSelfSignedCertificateWithKey(
    SIGNATURE_HASH,
    NamedCurveAlgorithm.secp256r1_23,
  )
  return identityFromPem(certPem, keyPem)
}

/** From PEM texts; throws when they do not parse, do not belong together or exceed what we can send. */
export const identityFromPem = (certificatePem: string, keyPem: string): DtlsIdentity => {
  const certificate = new X509Certificate(certificatePem)
  const privateKey = createPrivateKey(keyPem)
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error('the DTLS certificate and key do not belong together')
  }
  const certificateDer = certificate.raw
  if (certificateDer.length > CERTIFICATE_BYTES_MAX) {
    throw new Error(`the DTLS certificate is longer than ${CERTIFICATE_BYTES_MAX} bytes`)
  }
  return { certificateDer, privateKey, fingerprint: fingerprintOf(certificateDer) }
}
