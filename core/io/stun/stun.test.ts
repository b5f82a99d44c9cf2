import { createSecretKey } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { classes, Message, methods, parseMessage } from 'werift'
import {
  STUN_ATTRIBUTES_MAX,
  STUN_BYTES_MAX,
  STUN_UNKNOWN_REQUIRED_MAX,
} from '../../../config/index.ts'
import { fuzz } from '../../../test/fuzz.ts'
import { answerBinding, type IceIdentity, judgeBinding, localUfragOf } from './binding.ts'
import { parseStun, StunMessage, verifyIntegrity } from './message.ts'
import { type BindingRequest, StunWriter, writeBindingRequest } from './write.ts'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex')
const keyOf = (password: string) => createSecretKey(Buffer.from(password))

// RFC 5769 §2.1, §2.2, §2.3.
const RFC_PASSWORD = 'VOkJxbRl1RmTxUk/WvJxBt'
const RFC_REQUEST = hex(`
  00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
  80 22 00 10 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74
  00 24 00 04 6e 00 01 ff 80 29 00 08 93 2f f9 b1 51 26 3b 36
  00 06 00 09 65 76 74 6a 3a 68 36 76 59 20 20 20
  00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2
  80 28 00 04 e5 7a 3b cf`)
const RFC_RESPONSE_IPV4 = hex(`
  01 01 00 3c 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
  80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
  00 20 00 08 00 01 a1 47 e1 12 a6 43
  00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7
  80 28 00 04 c0 7d 4c 96`)
const RFC_RESPONSE_IPV6 = hex(`
  01 01 00 48 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
  80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
  00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9
  00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84 c9 7c 82 92 c2 75 bf e3 ed 41
  80 28 00 04 c8 fb 0b 4c`)
const RFC_IPV6 = hex('20010db8 12345678 00112233 44556677')

const IDENTITY: IceIdentity = { localUfrag: 'evtj', remoteUfrag: 'h6vY', key: keyOf(RFC_PASSWORD) }

function requestOf(part: Partial<BindingRequest> = {}, key = IDENTITY.key): Buffer {
  const whole: BindingRequest = {
    transactionId: hex('b7e7a701bc34d686fa87dfae'),
    username: 'evtj:h6vY',
    priority: 0x6e0001ff,
    useCandidate: false,
    controlling: true,
    tieBreaker: 7n,
    ...part,
  }
  return writeBindingRequest(whole, key)
}

function parsed(bytes: Uint8Array): StunMessage {
  const message = new StunMessage()
  if (!parseStun(bytes, message)) throw new Error('did not parse')
  return message
}

test('the sample request of RFC 5769 is read and its integrity holds', (t) => {
  const message = parsed(RFC_REQUEST)
  t.is(message.username, 'evtj:h6vY')
  t.is(message.priority, 0x6e0001ff)
  t.is(message.role, 'controlled')
  t.false(message.useCandidate)
  t.true(message.hasFingerprint)
  t.true(verifyIntegrity(message, IDENTITY.key))
  t.false(verifyIntegrity(message, keyOf('another')))
})

test('the sample responses of RFC 5769 are read and their integrity holds', (t) => {
  for (const bytes of [RFC_RESPONSE_IPV4, RFC_RESPONSE_IPV6]) {
    t.true(verifyIntegrity(parsed(bytes), IDENTITY.key))
  }
})

test('our success answer maps addresses as RFC 5769 does', (t) => {
  const request = parsed(RFC_REQUEST)
  const cases = [
    {
      octets: Uint8Array.of(192, 0, 2, 1),
      attribute: RFC_RESPONSE_IPV4.subarray(36, 48),
      length: 64,
    },
    { octets: RFC_IPV6, attribute: RFC_RESPONSE_IPV6.subarray(36, 60), length: 76 },
  ]
  for (const { octets, attribute, length } of cases) {
    const to = { mapped: { octets, port: 32_853 }, key: IDENTITY.key }
    const answer = answerBinding(request, 'accepted', to)
    t.deepEqual(answer?.subarray(20, 20 + attribute.length), attribute)
    t.is(answer?.length, length)
    t.true(verifyIntegrity(parsed(answer ?? Buffer.alloc(0)), IDENTITY.key))
  }
})

test('werift reads our answers and requests', (t) => {
  const key = Buffer.from(RFC_PASSWORD)
  const request = parseMessage(requestOf({ useCandidate: true }), key)
  t.is(request?.getAttributeValue('USERNAME'), 'evtj:h6vY')
  t.is(request?.getAttributeValue('ICE-CONTROLLING'), 7n)
  t.true(request?.attributesKeys.includes('USE-CANDIDATE'))
  const message = parsed(requestOf())
  const mapped = { octets: Uint8Array.of(10, 1, 2, 3), port: 4_321 }
  const success = answerBinding(message, 'accepted', { mapped, key: IDENTITY.key })
  const read = parseMessage(success ?? Buffer.alloc(0), key)
  t.is(read?.messageClass, classes.RESPONSE)
  t.deepEqual(read?.getAttributeValue('XOR-MAPPED-ADDRESS'), ['10.1.2.3', 4_321])
  const error = answerBinding(message, 'role-conflict', { mapped, key: IDENTITY.key })
  const readError = parseMessage(error ?? Buffer.alloc(0), key)
  t.is(readError?.messageClass, classes.ERROR)
  t.deepEqual(readError?.getAttributeValue('ERROR-CODE'), [487, 'Role Conflict'])
})

test('property: what werift writes we read, and judge as it was signed', (t) => {
  const ufrag = fc.stringMatching(/^[a-zA-Z0-9+/]{4,32}$/)
  const property = fc.property(
    ufrag,
    ufrag,
    fc.boolean(),
    fc.boolean(),
    (localUfrag, remoteUfrag, nominate, honest) => {
      const message = new Message(methods.BINDING, classes.REQUEST)
      message.setAttribute('USERNAME', `${localUfrag}:${remoteUfrag}`)
      message.setAttribute('PRIORITY', 12_345)
      message.setAttribute('ICE-CONTROLLING', 99n)
      if (nominate) message.setAttribute('USE-CANDIDATE', null)
      message.addMessageIntegrity(Buffer.from(honest ? 'secret' : 'guess')).addFingerprint()
      const read = parsed(message.bytes)
      t.is(localUfragOf(read), localUfrag)
      t.is(read.useCandidate, nominate)
      const verdict = judgeBinding(read, { localUfrag, remoteUfrag, key: keyOf('secret') })
      t.is(verdict, honest ? 'accepted' : 'bad-integrity')
    },
  )
  fc.assert(property, { numRuns: 200 })
})

test('a request without, with wrong or with truncated integrity gets silence', (t) => {
  const unsigned = new StunWriter(0x0001, hex('b7e7a701bc34d686fa87dfae'))
  unsigned.attribute(0x0006, Buffer.from('evtj:h6vY'))
  unsigned.attribute(0x0025, Buffer.alloc(0))
  const short = new StunWriter(0x0001, hex('b7e7a701bc34d686fa87dfae'))
  short.attribute(0x0006, Buffer.from('evtj:h6vY'))
  short.attribute(0x0008, Buffer.alloc(16))
  const to = { mapped: { octets: Uint8Array.of(1, 2, 3, 4), port: 1 }, key: IDENTITY.key }
  for (const bytes of [unsigned.finish(undefined), requestOf({}, keyOf('guess'))]) {
    const message = parsed(bytes)
    const verdict = judgeBinding(message, IDENTITY)
    t.is(verdict, 'bad-integrity')
    t.is(answerBinding(message, verdict, to), undefined)
  }
  t.false(parseStun(short.finish(undefined), new StunMessage()))
})

test('what follows MESSAGE-INTEGRITY does not count, FINGERPRINT apart', (t) => {
  const writer = new StunWriter(0x0001, hex('b7e7a701bc34d686fa87dfae'))
  writer.attribute(0x0006, Buffer.from('evtj:h6vY'))
  const signed = new StunWriter(0x0001, hex('b7e7a701bc34d686fa87dfae'))
  signed.attribute(0x0006, Buffer.from('evtj:h6vY'))
  const whole = signed.finish(IDENTITY.key)
  writer.attribute(0x0008, whole.subarray(40, 60))
  writer.attribute(0x0025, Buffer.alloc(0))
  const message = parsed(writer.finish(undefined))
  t.true(verifyIntegrity(message, IDENTITY.key))
  t.false(message.useCandidate)
})

test('an unknown comprehension-required attribute gets 420 only under valid integrity', (t) => {
  const build = (): StunWriter => {
    const writer = new StunWriter(0x0001, hex('b7e7a701bc34d686fa87dfae'))
    writer.attribute(0x0006, Buffer.from('evtj:h6vY'))
    for (let i = 0; i < STUN_UNKNOWN_REQUIRED_MAX + 2; i++) {
      writer.attribute(0x7f00 + i, Buffer.alloc(3))
    }
    return writer
  }
  const message = parsed(build().finish(IDENTITY.key))
  const verdict = judgeBinding(message, IDENTITY)
  t.is(verdict, 'unknown-attribute')
  const to = { mapped: { octets: Uint8Array.of(1, 2, 3, 4), port: 1 }, key: IDENTITY.key }
  const answer = answerBinding(message, verdict, to)
  const read = parseMessage(answer ?? Buffer.alloc(0), Buffer.from(RFC_PASSWORD))
  t.deepEqual(read?.getAttributeValue('ERROR-CODE'), [420, 'Unknown Attribute'])
  t.is(message.unknownRequired.length, STUN_UNKNOWN_REQUIRED_MAX)
  const stranger = parsed(build().finish(keyOf('guess')))
  t.is(judgeBinding(stranger, IDENTITY), 'bad-integrity')
})

test('a peer that claims to be controlled like us gets 487', (t) => {
  t.is(judgeBinding(parsed(requestOf({ controlling: false })), IDENTITY), 'role-conflict')
})

test('indications, responses and foreign usernames get silence', (t) => {
  const indication = new StunWriter(0x0011, hex('b7e7a701bc34d686fa87dfae')).finish(IDENTITY.key)
  t.is(judgeBinding(parsed(indication), IDENTITY), 'not-request')
  t.is(judgeBinding(parsed(RFC_RESPONSE_IPV4), IDENTITY), 'not-request')
  for (const username of ['evtj:other', 'evtj', 'evtj:h6vYx', ':h6vY', '']) {
    t.is(judgeBinding(parsed(requestOf({ username })), IDENTITY), 'bad-username')
  }
})

test('every truncation and every flipped bit of a request is refused', (t) => {
  const whole = requestOf({ useCandidate: true })
  const message = new StunMessage()
  for (let length = 0; length < whole.length; length++) {
    t.false(parseStun(whole.subarray(0, length), message))
  }
  // Without FINGERPRINT, so that integrity stands alone; its header says 8 bytes less.
  const signed = Buffer.from(whole.subarray(0, -8))
  signed.writeUInt16BE(signed.length - 20, 2)
  t.true(parseStun(signed, message) && verifyIntegrity(message, IDENTITY.key))
  for (let bit = 0; bit < signed.length * 8; bit++) {
    const bent = Buffer.from(signed)
    bent[bit >> 3]! ^= 1 << (bit & 7)
    t.false(parseStun(bent, message) && verifyIntegrity(message, IDENTITY.key), `bit ${bit}`)
  }
})

test('a message beyond the bounds on bytes or attributes is refused', (t) => {
  const build = (count: number): Buffer => {
    const writer = new StunWriter(0x0001, Buffer.alloc(12))
    for (let i = 0; i < count; i++) writer.attribute(0x8fff, Buffer.alloc(0))
    return writer.finish(undefined)
  }
  t.true(parseStun(build(STUN_ATTRIBUTES_MAX - 1), new StunMessage()))
  t.false(parseStun(build(STUN_ATTRIBUTES_MAX), new StunMessage()))
  const long = Buffer.alloc(STUN_BYTES_MAX + 4)
  hex('000100002112a442').copy(long)
  long.writeUInt16BE(STUN_BYTES_MAX + 4 - 20, 2)
  t.false(parseStun(long, new StunMessage()))
})

test('fuzz: the parser never throws and never reads past the end', (t) => {
  const message = new StunMessage()
  const { accepted, summary } = fuzz({
    samples: [RFC_REQUEST, RFC_RESPONSE_IPV6, requestOf(), requestOf({ useCandidate: true })],
    parse: (bytes, start, end) => {
      if (!parseStun(bytes.subarray(start, end), message)) return 0
      const { type, username, priority, integrityStart, unknownRequired } = message
      return `${type} ${username} ${priority} ${integrityStart} ${unknownRequired.length}`
    },
  })
  t.log(summary)
  t.true(accepted > 0)
})
