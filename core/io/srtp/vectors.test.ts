/** Official vectors: RFC 3711 B.2 and B.3, RFC 7714 §16.1, §17.1, RFC 2202 §3. */
import { createSecretKey } from 'node:crypto'
import test from 'ava'
import { GcmKey } from './gcm.ts'
import { createHmacSha1, STAGING } from './hmac-sha1.ts'
import { deriveSessionKeys } from './key-derivation.ts'
import { Keystream, KeystreamKey } from './keystream.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test('RFC 3711 B.2: AES-CM keystream', (t) => {
  const key = createSecretKey(hex('2B7E151628AED2A6ABF7158809CF4F3C'))
  const salt = hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD')
  const keystream = new Keystream(new KeystreamKey(key, salt), 0)
  const at = keystream.locate(0, 48)
  t.is(
    keystream.bytes
      .subarray(at, at + 48)
      .toString('hex')
      .toUpperCase(),
    'E03EAD0935C95E80E166B16DD92B4EB4' +
      'D23513162B02D0F72A43A2FE4A5F97AB' +
      '41E95B3BB0A2E8DD477901E4FCA894C0',
  )
})

test('RFC 3711 B.3: key derivation', (t) => {
  const { rtp } = deriveSessionKeys({
    profile: 'aes-cm',
    key: hex('E1F97A0D3E018BE0D64FA32C06DE4139'),
    salt: hex('0EC675AD498AFEEBB6960B3AABE6'),
  })
  t.deepEqual(rtp.cipherKey.export(), hex('C61E7A93744F39EE10734AFE3FF7A087'))
  t.deepEqual(Buffer.from(rtp.salt), hex('30CBBC08863D8C85D49DB34A9AE1'))
  t.deepEqual(Buffer.from(rtp.authKey), hex('CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4'))
})

const RFC_7714 = {
  cipherKey: createSecretKey(hex('000102030405060708090a0b0c0d0e0f')),
  salt: hex('517569642070726f2071756f'),
  authKey: hex(''),
}

test('RFC 7714 §16.1: SRTP by AEAD_AES_128_GCM, both ways', (t) => {
  const key = new GcmKey(RFC_7714)
  const associated = hex('8040f17b 8041f8d3 5501a0b2')
  const plain = Buffer.from('Gallia est omnis divisa in partes tres')
  const parts = { associated, text: Buffer.from(plain), tag: Buffer.alloc(16) }
  key.seal(0x5501a0b2, 0xf17b, parts)
  t.is(
    parts.text.toString('hex'),
    'f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833',
  )
  t.is(parts.tag.toString('hex'), '899d7f27beb16a9152cf765ee4390cce')
  t.true(key.open(0x5501a0b2, 0xf17b, parts))
  t.deepEqual(parts.text, plain)
})

test('RFC 7714 §17.1: SRTCP by AEAD_AES_128_GCM, both ways', (t) => {
  const key = new GcmKey(RFC_7714)
  const plain = hex(
    '4e545031 4e545032 52545020 0000042a 0000e930 4c756e61' +
      'deadbeef deadbeef deadbeef deadbeef deadbeef',
  )
  const associated = hex('81c8000d 4d617273 800005d4')
  const parts = { associated, text: Buffer.from(plain), tag: Buffer.alloc(16) }
  key.seal(0x4d617273, 0x5d4, parts)
  t.is(
    parts.text.toString('hex'),
    '63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b',
  )
  t.is(parts.tag.toString('hex'), 'c84aa45896cf4d2fc5abf87245d9eade')
  t.true(key.open(0x4d617273, 0x5d4, parts))
  t.deepEqual(parts.text, plain)
})

/** RFC 2202 §3, cut to 80 bits. */
const HMAC_VECTORS = [
  [hex('0b'.repeat(20)), Buffer.from('Hi There'), 'b617318655057264e28b'],
  [Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?'), 'effcdf6ae5eb2fa2d274'],
  [hex('aa'.repeat(20)), hex('dd'.repeat(50)), '125d7342b9ac11cd91a3'],
] as const

for (const kind of ['simd', 'hash'] as const) {
  test(`RFC 2202: HMAC-SHA1 by ${kind}`, (t) => {
    const hmac = createHmacSha1(kind)
    for (const [key, text, expected] of HMAC_VECTORS) {
      hmac.slab.set(text, STAGING)
      hmac.setLane(0, hmac.addKey(key), STAGING, text.length)
      hmac.tags(1, 0)
      const at = STAGING + text.length
      t.is(Buffer.from(hmac.slab.subarray(at, at + 10)).toString('hex'), expected)
    }
  })
}
