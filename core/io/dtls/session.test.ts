import { generateKeyPairSync } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { CipherContext, HashAlgorithm, SignatureAlgorithm } from 'werift'
import {
  HANDSHAKE_BYTES_MAX,
  HANDSHAKE_DATAGRAMS_MAX,
  HANDSHAKE_MS_MAX,
  UNPROVEN_BYTES_OUT_MAX,
} from '../../../config/limits.ts'
import { Adversary, type AdversaryOptions } from './adversary.ts'
import { CURVE_P256, CURVE_X25519 } from './client-hello.ts'
import type { RecordDropReason, SrtpKeys } from './handshake.ts'
import { createDtlsIdentity, type DtlsIdentity, identityFromPem } from './identity.ts'
import { readFingerprints } from './proof.ts'
import {
  buildMessage,
  CERTIFICATE,
  CERTIFICATE_VERIFY,
  CLIENT_HELLO,
  CLIENT_KEY_EXCHANGE,
  FINISHED,
} from './reassembly.ts'
import {
  CONTENT_ALERT,
  CONTENT_APPLICATION_DATA,
  CONTENT_HANDSHAKE,
  type DtlsRecord,
  splitRecords,
} from './records.ts'
import { HandshakeSession } from './session.ts'

const [ours, honest, stranger] = await Promise.all([
  createDtlsIdentity(),
  createDtlsIdentity(),
  createDtlsIdentity(),
])

type Pair = { session: HandshakeSession; client: Adversary; drops: RecordDropReason[] }

/** A session that expects `honest`, and a client that has read our flight 4. */
const greet = (options: Partial<AdversaryOptions> = {}, expected: DtlsIdentity = honest): Pair => {
  const drops: RecordDropReason[] = []
  const session = new HandshakeSession({
    identity: ours,
    expected: readFingerprints([expected.fingerprint]),
    nowMs: 0,
    onDrop: (reason) => drops.push(reason),
  })
  const client = new Adversary({ identity: honest, ...options })
  session.receive(client.hello(), 0)
  for (const datagram of session.outbox.splice(0)) client.receive(datagram)
  return { session, client, drops }
}

const deliver = (session: HandshakeSession, datagrams: Buffer[]): void => {
  for (const datagram of datagrams) session.receive(datagram, 0)
}

const keysOf = (t: ExecutionContext, session: HandshakeSession): SrtpKeys => {
  const { result } = session
  if (result?.type === 'connected') return result.keys
  t.log(result)
  throw new Error('not connected')
}

const refusedFor = (session: HandshakeSession): string | undefined =>
  session.result?.type === 'refused' ? session.result.reason : session.result?.type

/** Alert description of the last datagram sent. */
const alertOf = (session: HandshakeSession): number | undefined => {
  const records: DtlsRecord[] = []
  const last = session.outbox.at(-1)
  if (last !== undefined) splitRecords(last, records)
  return records[0]?.contentType === CONTENT_ALERT ? records[0].body[1] : undefined
}

for (const [name, curve] of [
  ['X25519', CURVE_X25519],
  ['P-256', CURVE_P256],
] as const) {
  for (const [profile, number, saltBytes] of [
    ['aes-cm', 1, 14],
    ['aes-gcm', 7, 12],
  ] as const) {
    test(`an honest peer and we hold the same ${profile} keys over ${name}`, (t) => {
      const { session, client } = greet({ curve, srtpProfiles: [number] })
      deliver(session, client.flight5())
      const keys = keysOf(t, session)
      t.is(keys.profile, profile)
      const material = client.srtpKeyingMaterial(32 + 2 * saltBytes)
      t.deepEqual(Buffer.from(keys.remoteKey), material.subarray(0, 16))
      t.deepEqual(Buffer.from(keys.localKey), material.subarray(16, 32))
      t.deepEqual(Buffer.from(keys.remoteSalt), material.subarray(32, 32 + saltBytes))
      t.deepEqual(Buffer.from(keys.localSalt), material.subarray(32 + saltBytes))
      t.true(client.accepts(session.outbox.at(-1)!))
    })
  }
}

test('AES_CM is chosen over AES_GCM whatever the peer prefers', (t) => {
  const { session, client } = greet({ srtpProfiles: [7, 1] })
  deliver(session, client.flight5())
  t.is(keysOf(t, session).profile, 'aes-cm')
})

test('our first flight fits one datagram and is numbered from 0 without a cookie exchange', (t) => {
  const { client } = greet()
  t.deepEqual(
    client.serverMessages.map(({ messageType }) => messageType),
    [2, 11, 12, 13, 14],
  )
})

test('a peer with only a copy of the certificate gets no keys', (t) => {
  const { session, client } = greet({ signingKey: stranger.privateKey })
  deliver(session, client.flight5())
  t.is(refusedFor(session), 'bad-signature')
  t.is(alertOf(session), 51)
})

test('a peer whose certificate is not the one of the SDP gets no keys', (t) => {
  const { session, client } = greet({ identity: stranger })
  deliver(session, client.flight5())
  t.is(refusedFor(session), 'fingerprint-mismatch')
})

test('nobody gets keys when the SDP has no fingerprint that we understand', (t) => {
  const weak = { ...honest, fingerprint: { algorithm: 'sha-1', value: 'AA:BB' } }
  const { session, client } = greet({}, weak)
  deliver(session, client.flight5())
  t.is(refusedFor(session), 'fingerprint-mismatch')
})

test('an empty certificate list gets no keys', (t) => {
  const { session, client } = greet()
  const empty = client.message(CERTIFICATE, Buffer.from([0, 0, 0]))
  deliver(session, [client.record(CONTENT_HANDSHAKE, empty), client.keyExchange()])
  t.is(refusedFor(session), 'no-certificate')
})

test('a peer that leaves its certificate out gets no keys', (t) => {
  const { session, client } = greet()
  deliver(session, [client.keyExchange(), client.changeCipherSpec(), client.finished()])
  t.is(refusedFor(session), 'no-certificate')
})

test('a peer that leaves the proof of possession out gets no keys', (t) => {
  const { session, client } = greet()
  deliver(session, [
    client.certificate(),
    client.keyExchange(),
    client.changeCipherSpec(),
    client.finished(),
  ])
  t.is(refusedFor(session), 'unexpected-message')
})

test('a signature over another transcript gets no keys', (t) => {
  const { session, client } = greet()
  const flight = [client.certificate(), client.keyExchange()]
  const before = client.transcript
  client.transcript = before.slice(1)
  const body = client.certificateVerifyBody()
  client.transcript = before
  flight.push(client.record(CONTENT_HANDSHAKE, client.message(CERTIFICATE_VERIFY, body)))
  deliver(session, flight)
  t.is(refusedFor(session), 'bad-signature')
})

test('a signature scheme that we did not offer gets no keys', (t) => {
  const { session, client } = greet({ signatureScheme: 0x0203 })
  deliver(session, client.flight5())
  t.is(refusedFor(session), 'unsupported-certificate')
})

test('a signature of no bytes gets no keys', (t) => {
  const { session, client } = greet()
  const flight = [client.certificate(), client.keyExchange()]
  const empty = client.message(CERTIFICATE_VERIFY, Buffer.from([4, 3, 0, 0]))
  deliver(session, [...flight, client.record(CONTENT_HANDSHAKE, empty)])
  t.is(refusedFor(session), 'malformed-message')
})

test('a Finished under true keys but over another transcript gets no keys', (t) => {
  const { session, client } = greet()
  const flight = [client.certificate(), client.keyExchange(), client.certificateVerify()]
  const wrong = Buffer.from(client.finishedBody())
  wrong[11]! ^= 1
  deliver(session, [...flight, client.changeCipherSpec(), client.finished(wrong)])
  t.is(refusedFor(session), 'bad-finished')
})

test('a Finished that is cut short gets no keys', (t) => {
  const { session, client } = greet()
  const flight = [client.certificate(), client.keyExchange(), client.certificateVerify()]
  const short = client.finishedBody().subarray(0, 11)
  deliver(session, [...flight, client.changeCipherSpec(), client.finished(short)])
  t.is(refusedFor(session), 'bad-finished')
})

test('a Finished damaged on the way is dropped, and the undamaged one still counts', (t) => {
  const { session, client, drops } = greet()
  const flight = client.flight5()
  const damaged = Buffer.from(flight[4]!)
  damaged[damaged.length - 1]! ^= 1
  deliver(session, [...flight.slice(0, 4), damaged])
  t.is(session.result, undefined)
  t.deepEqual(drops, ['not-authentic'])
  deliver(session, [flight[4]!])
  t.is(session.result?.type, 'connected')
})

test('a Finished in plaintext gets no keys', (t) => {
  const { session, client } = greet()
  const flight = [client.certificate(), client.keyExchange(), client.certificateVerify()]
  const plain = client.message(FINISHED, client.finishedBody())
  deliver(session, [...flight, client.changeCipherSpec(), client.record(22, plain)])
  t.is(refusedFor(session), 'unexpected-message')
})

test('a Finished without ChangeCipherSpec waits for it', (t) => {
  const { session, client } = greet()
  const flight = client.flight5()
  deliver(session, [flight[0]!, flight[1]!, flight[2]!, flight[4]!])
  t.is(session.result, undefined)
  deliver(session, [flight[3]!])
  t.is(session.result?.type, 'connected')
})

test('messages in a wrong order, honestly numbered, get no keys', (t) => {
  const { session, client } = greet()
  const exchangeFirst = greet()
  const flight = [client.certificate(), client.certificate()]
  deliver(session, flight)
  t.is(refusedFor(session), 'unexpected-message')
  deliver(exchangeFirst.session, [
    exchangeFirst.client.keyExchange(),
    exchangeFirst.client.certificate(),
  ])
  t.is(refusedFor(exchangeFirst.session), 'no-certificate')
})

test('a second ClientHello under a new number ends the handshake instead of replacing it', (t) => {
  const { session, client } = greet()
  deliver(session, [client.hello()])
  t.is(refusedFor(session), 'unexpected-message')
})

test('a different ClientHello under the old number changes nothing', (t) => {
  const { session, client, drops } = greet()
  const other = new Adversary({ identity: stranger })
  deliver(session, [other.hello()])
  t.deepEqual(drops, ['duplicate'])
  deliver(session, client.flight5())
  t.is(session.result?.type, 'connected')
})

test('messages that come backwards by the network are put in order', (t) => {
  const { session, client } = greet()
  deliver(session, client.flight5().reverse())
  t.is(session.result?.type, 'connected')
})

test('plaintext alerts are ignored at every step', (t) => {
  const { session, client, drops } = greet()
  for (const datagram of client.flight5()) {
    session.receive(client.record(CONTENT_ALERT, Buffer.from([2, 40])), 0)
    session.receive(client.record(CONTENT_ALERT, Buffer.from([1, 0])), 0)
    session.receive(datagram, 0)
  }
  t.is(session.result?.type, 'connected')
  t.deepEqual(new Set(drops), new Set(['plaintext-alert']))
})

test('application data and unknown content types are dropped by name', (t) => {
  const { session, client, drops } = greet()
  const unknown = client.record(25, Buffer.from([1]))
  const data = client.record(CONTENT_APPLICATION_DATA, Buffer.from([1]))
  const sealed = greet()
  deliver(sealed.session, [sealed.client.certificate(), sealed.client.keyExchange()])
  deliver(sealed.session, [sealed.client.cipher!.seal(CONTENT_APPLICATION_DATA, Buffer.from([1]))])
  deliver(session, [unknown, data])
  t.deepEqual(drops, ['content-type', 'content-type'])
  t.deepEqual(sealed.drops, ['content-type'])
  t.is(session.result, undefined)
})

test('records of a later epoch and of DTLS 1.0 are dropped after the ClientHello', (t) => {
  const { session, client, drops } = greet()
  const later = client.record(CONTENT_HANDSHAKE, Buffer.alloc(40))
  later.writeUInt16BE(2, 3)
  const old = client.record(CONTENT_HANDSHAKE, Buffer.alloc(40))
  old.writeUInt16BE(0xfeff, 1)
  deliver(session, [later, old])
  t.deepEqual(drops, ['epoch', 'version'])
})

test('a key exchange that is no point gets no keys', (t) => {
  for (const body of [
    Buffer.alloc(0),
    Buffer.from([32]),
    Buffer.alloc(33, 32),
    Buffer.alloc(9, 8),
  ]) {
    const { session, client } = greet()
    const zero = Buffer.concat([Buffer.from([32]), Buffer.alloc(32)])
    const exchange = client.certificate()
    const bytes = client.message(CLIENT_KEY_EXCHANGE, body.length === 33 ? zero : body)
    deliver(session, [exchange, client.record(CONTENT_HANDSHAKE, bytes)])
    t.is(refusedFor(session), 'malformed-message')
  }
})

test('a point off the curve gets no keys', (t) => {
  const { session, client } = greet({ curve: CURVE_P256 })
  const point = Buffer.concat([Buffer.from([65, 4]), Buffer.alloc(64, 7)])
  const exchange = client.message(CLIENT_KEY_EXCHANGE, point)
  client.nextSeq = 1
  deliver(session, [client.certificate()])
  const renumbered = buildMessage(CLIENT_KEY_EXCHANGE, 2, exchange.subarray(12)).bytes
  deliver(session, [client.record(CONTENT_HANDSHAKE, renumbered)])
  t.is(refusedFor(session), 'malformed-message')
})

test('a scheme that does not fit the certificate gets no keys', (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const { session, client } = greet({ signingKey: privateKey, signatureScheme: 0x0401 })
  deliver(session, client.flight5())
  t.is(refusedFor(session), 'unsupported-certificate')
})

test('an RSA peer proves itself by PKCS #1, and its copy does not', async (t) => {
  const signatureHash = { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.rsa_1 }
  const pem = await CipherContext.createSelfSignedCertificateWithKey(signatureHash)
  const identity = identityFromPem(pem.certPem, pem.keyPem)
  const rsa = { identity, signatureScheme: 0x0401 }
  const { session, client } = greet(rsa, identity)
  deliver(session, client.flight5())
  t.is(session.result?.type, 'connected')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const copy = greet({ ...rsa, signingKey: privateKey }, identity)
  deliver(copy.session, copy.client.flight5())
  t.is(refusedFor(copy.session), 'bad-signature')
})

test('fragment bombs are dropped, and the honest peer beside them still connects', (t) => {
  const { session, client, drops } = greet()
  const bomb = buildMessage(CERTIFICATE, 3, Buffer.alloc(1)).bytes
  bomb.writeUIntBE(HANDSHAKE_BYTES_MAX, 1, 3)
  session.receive(client.record(CONTENT_HANDSHAKE, bomb), 0)
  const far = buildMessage(CERTIFICATE, 60_000, Buffer.alloc(1)).bytes
  session.receive(client.record(CONTENT_HANDSHAKE, far), 0)
  t.deepEqual(drops, ['too-large', 'too-large'])
  deliver(session, client.flight5())
  t.is(session.result?.type, 'connected')
})

test('a peer that floods with datagrams is cut off', (t) => {
  const { session, client } = greet()
  const noise = client.record(CONTENT_ALERT, Buffer.from([2, 40]))
  for (let i = 0; i <= HANDSHAKE_DATAGRAMS_MAX; i++) session.receive(noise, 0)
  t.is(refusedFor(session), 'flood')
})

test('a peer that floods with fragments is cut off', (t) => {
  const { session, client } = greet()
  const tiny = buildMessage(CERTIFICATE, 2, Buffer.alloc(1)).bytes
  tiny.writeUIntBE(1_000, 1, 3)
  const many = client.record(CONTENT_HANDSHAKE, Buffer.concat(Array(80).fill(tiny)))
  for (let i = 0; i < 7; i++) session.receive(many, 0)
  t.is(refusedFor(session), 'flood')
})

test('an unanswered flight is repeated after 1, 3 and 7 s, and the handshake ends after 10 s', (t) => {
  const { session } = greet()
  const sentAtMs: number[] = []
  for (let nowMs = 0; nowMs <= HANDSHAKE_MS_MAX; nowMs += 100) {
    session.tick(nowMs)
    if (session.outbox.splice(0).length > 0) sentAtMs.push(nowMs)
  }
  t.deepEqual(sentAtMs, [1_000, 3_000, 7_000])
  t.is(refusedFor(session), 'timeout')
})

test('a peer that repeats its ClientHello cannot make us send more than the bound', (t) => {
  const { session, client } = greet()
  const hello = client.record(CONTENT_HANDSHAKE, client.transcript[0]!)
  let bytesOut = 0
  for (let nowMs = 0; nowMs < HANDSHAKE_MS_MAX; nowMs += 50) {
    session.receive(hello, nowMs)
    session.tick(nowMs)
    for (const datagram of session.outbox.splice(0)) bytesOut += datagram.length
  }
  t.true(bytesOut > 1_000 && bytesOut <= UNPROVEN_BYTES_OUT_MAX, `${bytesOut}`)
})

test('repeated flights carry fresh record numbers, so that replay windows let them pass', (t) => {
  const { session } = greet()
  const numbers = new Set<number>()
  session.tick(1_000)
  session.tick(3_000)
  const records: DtlsRecord[] = []
  for (const datagram of session.outbox) splitRecords(datagram, records)
  for (const { sequence } of records) numbers.add(sequence)
  t.is(numbers.size, records.length)
  t.is(records.length, 10)
})

test('a hello without extended master secret, or for other profiles, is refused at once', (t) => {
  for (const srtpProfiles of [[2], [8], []]) {
    const { session } = greet({ srtpProfiles })
    t.is(refusedFor(session), 'no-common-parameters')
  }
  const { session, client } = greet()
  t.is(session.result, undefined)
  const strict = greetWith(withoutExtension(client.helloBody(), 23))
  t.is(refusedFor(strict), 'no-common-parameters')
})

test('a first message that is no ClientHello is refused', (t) => {
  for (const body of [Buffer.alloc(0), Buffer.alloc(40), Buffer.alloc(200, 255)]) {
    t.is(refusedFor(greetWith(body)), 'malformed-message')
  }
})

const greetWith = (helloBody: Buffer): HandshakeSession => {
  const session = new HandshakeSession({
    identity: ours,
    expected: readFingerprints([honest.fingerprint]),
    nowMs: 0,
    onDrop: () => {},
  })
  const client = new Adversary({ identity: honest })
  session.receive(client.record(CONTENT_HANDSHAKE, client.message(CLIENT_HELLO, helloBody)), 0)
  return session
}

/** Renames an extension to one that means nothing. */
const withoutExtension = (hello: Buffer, type: number): Buffer => {
  const copy = Buffer.from(hello)
  const wanted = Buffer.from([0, type, 0, 0])
  const at = copy.indexOf(wanted)
  if (at < 0) throw new Error('no such extension')
  copy.writeUInt16BE(0xabcd, at)
  return copy
}
