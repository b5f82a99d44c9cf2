/**
 * A self-signed certificate for `localhost`, made on the spot, for the tests of the doors: no key
 * lies in the repository and no outside program is needed. Only as much DER (X.690) as one
 * certificate (RFC 5280) takes.
 */

import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const size = content.length
  // The shortest form, as DER wants it: BoringSSL refuses any other.
  const long = size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  const length = Buffer.from(size < 128 ? [size] : long)
  return Buffer.concat([Buffer.from([tag]), length, content])
}

const SEQUENCE = 0x30
const ECDSA_WITH_SHA256 = der(SEQUENCE, Buffer.from('06082a8648ce3d040302', 'hex'))
const COMMON_NAME = Buffer.from('0603550403', 'hex')

/** Writes `certificate.pem` and `key.pem` into a new temporary folder and returns their paths. */
export function makeTestCertificate(): { certificateFile: string; keyFile: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = der(
    SEQUENCE,
    der(0x31, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from('localhost')))),
  )
  const validity = der(SEQUENCE, time('200101000000Z'), time('491231235959Z'))
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, privateKey)
  const certificate = der(SEQUENCE, body, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature))
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-certificate-'))
  const certificateFile = join(folder, 'certificate.pem')
  const keyFile = join(folder, 'key.pem')
  const base64 = certificate.toString('base64').replace(/.{64}/g, '$&\n')
  writeFileSync(
    certificateFile,
    `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  )
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  return { certificateFile, keyFile }
}

function time(text: string): Buffer {
  return der(0x17, Buffer.from(text))
}
