import test from 'ava'
import fc from 'fast-check'
import {
  buildClientHello,
  type ClientHello,
  CURVE_P256,
  CURVE_X25519,
  chooseParameters,
  parseClientHello,
} from './client-hello.ts'

const parts = {
  random: Buffer.alloc(32, 9),
  cookie: Buffer.alloc(0),
  groups: [CURVE_X25519, CURVE_P256],
  srtpProfiles: [1, 7],
}
const body = buildClientHello(parts)
const parsed = parseClientHello(body) as ClientHello
const chosen = (change: Partial<ClientHello>) => chooseParameters({ ...parsed, ...change })

test('what is built is understood', (t) => {
  t.deepEqual(parsed.random, parts.random)
  t.deepEqual(chooseParameters(parsed), { curve: CURVE_X25519, profile: 'aes-cm' })
})

test('our preference decides, not the order of the peer', (t) => {
  const groups = [0x11ec, 24, CURVE_P256, CURVE_X25519]
  t.deepEqual(chosen({ groups, srtpProfiles: [8, 7, 2, 1] }), {
    curve: CURVE_X25519,
    profile: 'aes-cm',
  })
  t.deepEqual(chosen({ groups: [24, CURVE_P256], srtpProfiles: [8, 7, 2] }), {
    curve: CURVE_P256,
    profile: 'aes-gcm',
  })
})

test('nothing is chosen when something that we insist on is missing', (t) => {
  const lacking: Partial<ClientHello>[] = [
    { version: 0xfeff },
    { version: 0x0303 },
    { cipherSuites: [0xc02f, 0x1301] },
    { compressionMethods: [1] },
    { signatureSchemes: [0x0804, 0x0401] },
    { extendedMasterSecret: false },
    { secureRenegotiation: false },
    { srtpProfiles: [2, 8] },
    { groups: [24, 25] },
    { groups: [CURVE_P256], uncompressedPoints: false },
  ]
  for (const change of lacking) t.is(chosen(change), undefined, JSON.stringify(change))
})

test('the renegotiation signalling suite says the same as the extension', (t) => {
  const scsv = Buffer.from(body)
  scsv.writeUInt16BE(0xabcd, scsv.indexOf(Buffer.from([0xff, 0x01, 0, 1, 0])))
  t.false(parseClientHello(scsv)!.secureRenegotiation)
  // The one cipher suite becomes the signalling value: length 2, then the suite.
  scsv.writeUInt16BE(0x00ff, scsv.indexOf(Buffer.from([0xc0, 0x2b])))
  t.true(parseClientHello(scsv)!.secureRenegotiation)
})

test('every truncation and any trailing byte makes it malformed', (t) => {
  for (let length = 0; length < body.length; length++) {
    // Without any extension it is a well-formed hello of the old times.
    const isWhole = length === 2 + 32 + 1 + 1 + 4 + 2
    t.is(parseClientHello(body.subarray(0, length)) !== undefined, isWhole, `${length}`)
  }
  t.is(parseClientHello(Buffer.concat([body, Buffer.from([0])])), undefined)
})

test('an extension that comes twice makes it malformed', (t) => {
  const at = body.indexOf(Buffer.from([0, 23, 0, 0]))
  const twice = Buffer.concat([body, Buffer.from([0, 23, 0, 0])])
  const lengthAt = 2 + 32 + 1 + 1 + 4 + 2
  twice.writeUInt16BE(twice.readUInt16BE(lengthAt) + 4, lengthAt)
  t.true(at > 0)
  t.is(parseClientHello(twice), undefined)
})

test('a renegotiation_info that is not empty is refused: there is nothing to renegotiate', (t) => {
  const bound = Buffer.from(body)
  const at = bound.indexOf(Buffer.from([0xff, 0x01, 0, 1, 0]))
  bound[at + 4] = 1
  t.is(parseClientHello(bound), undefined)
})

test('any bytes are parsed or refused without an exception', (t) => {
  const mutated = fc
    .tuple(fc.nat(body.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(body.length))
    .map(([at, value, length]) => {
      const copy = Buffer.from(body)
      copy[at] = value
      return copy.subarray(0, Math.max(length, body.length - 20))
    })
  const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(mutated, random), (bytes) => {
      const hello = parseClientHello(bytes)
      if (hello !== undefined) chooseParameters(hello)
    }),
    { numRuns: 2_000 },
  )
  t.pass()
})
