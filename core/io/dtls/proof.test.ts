import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import test from 'ava'
import { FINGERPRINTS_MAX } from '../../../config/limits.ts'
import { createDtlsIdentity } from './identity.ts'
import { checkCertificate, checkCertificateVerify, isFinished, readFingerprints } from './proof.ts'

const identity = await createDtlsIdentity()
const der = identity.certificateDer

const listOf = (certificate: Buffer): Buffer => {
  const head = Buffer.alloc(6)
  head.writeUIntBE(certificate.length + 3, 0, 3)
  head.writeUIntBE(certificate.length, 3, 3)
  return Buffer.concat([head, certificate])
}
const digest = (algorithm: string, bytes: Buffer = der) =>
  createHash(algorithm).update(bytes).digest('hex').toUpperCase().match(/../g)!.join(':')

test('SHA-256, SHA-384 and SHA-512 fingerprints admit, in either case', (t) => {
  for (const [algorithm, name] of [
    ['sha-256', 'sha256'],
    ['SHA-384', 'sha384'],
    ['sha-512', 'sha512'],
  ] as const) {
    for (const value of [digest(name), digest(name).toLowerCase()]) {
      const key = checkCertificate(listOf(der), readFingerprints([{ algorithm, value }]))
      t.is(typeof key, 'object', algorithm)
    }
  }
})

test('weak, cut and unknown fingerprints admit nobody', (t) => {
  const useless = [
    { algorithm: 'sha-1', value: digest('sha1') },
    { algorithm: 'md5', value: digest('md5') },
    { algorithm: '__proto__', value: digest('sha256') },
    { algorithm: 'sha-256', value: digest('sha256').slice(0, -3) },
    { algorithm: 'sha-256', value: digest('sha256').replaceAll(':', '') },
    { algorithm: 'sha-256', value: '' },
    { algorithm: 'sha-512', value: digest('sha256') },
  ]
  t.deepEqual(readFingerprints(useless), [])
  t.is(checkCertificate(listOf(der), []), 'fingerprint-mismatch')
})

test('one match among several fingerprints suffices, within the bound', (t) => {
  const other = { algorithm: 'sha-256', value: digest('sha256', Buffer.from([1])) }
  const right = { algorithm: 'sha-256', value: digest('sha256') }
  const enough = readFingerprints([...Array(FINGERPRINTS_MAX - 1).fill(other), right])
  const tooMany = readFingerprints([...Array(FINGERPRINTS_MAX).fill(other), right])
  t.is(typeof checkCertificate(listOf(der), enough), 'object')
  t.is(checkCertificate(listOf(der), tooMany), 'fingerprint-mismatch')
})

test('certificate lists that lie about their lengths are malformed', (t) => {
  const expected = readFingerprints([identity.fingerprint])
  const list = listOf(der)
  for (const body of [Buffer.alloc(0), Buffer.alloc(2), list.subarray(0, -1), Buffer.alloc(5, 0)]) {
    t.is(checkCertificate(body, expected), 'malformed-message')
  }
  const longer = Buffer.from(list)
  longer.writeUIntBE(der.length + 1, 3, 3)
  t.is(checkCertificate(longer, expected), 'malformed-message')
})

test('only exactly one DER certificate has a key, even when the fingerprint covers more', (t) => {
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
  for (const bytes of [Buffer.from(pem), Buffer.concat([der, der]), Buffer.from('garbage')]) {
    const expected = readFingerprints([{ algorithm: 'sha-256', value: digest('sha256', bytes) }])
    t.is(checkCertificate(listOf(bytes), expected), 'unsupported-certificate')
  }
})

test('CertificateVerify is checked in scheme, length and signature', (t) => {
  const key = checkCertificate(listOf(der), readFingerprints([identity.fingerprint]))
  if (typeof key === 'string') return t.fail(key)
  const transcript = Buffer.from('all that was said')
  const bodyOf = (scheme: number, signature: Buffer) => {
    const head = Buffer.alloc(4)
    head.writeUInt16BE(scheme, 0)
    head.writeUInt16BE(signature.length, 2)
    return Buffer.concat([head, signature])
  }
  const good = bodyOf(0x0403, sign('sha256', transcript, identity.privateKey))
  t.is(checkCertificateVerify(good, key, transcript), undefined)
  t.is(checkCertificateVerify(good, key, Buffer.from('else')), 'bad-signature')
  t.is(checkCertificateVerify(good.subarray(0, -1), key, transcript), 'malformed-message')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  t.is(checkCertificateVerify(good, rsa.publicKey, transcript), 'unsupported-certificate')
  const rsaBody = bodyOf(0x0401, sign('sha256', transcript, rsa.privateKey))
  t.is(checkCertificateVerify(rsaBody, rsa.publicKey, transcript), undefined)
  t.is(checkCertificateVerify(rsaBody, rsa.publicKey, Buffer.from('else')), 'bad-signature')
})

test('verify_data must be equal in length and content', (t) => {
  const expected = Buffer.alloc(12, 3)
  t.true(isFinished(Buffer.alloc(12, 3), expected))
  t.false(isFinished(Buffer.alloc(11, 3), expected))
  t.false(isFinished(Buffer.alloc(0), expected))
  t.false(isFinished(Buffer.alloc(12, 4), expected))
})
