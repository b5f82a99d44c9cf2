import { createSecretKey } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import {
  CONSENT_MS,
  DTLS_DATAGRAMS_PER_S_MAX,
  HALF_OPEN_TRANSPORTS_MAX,
  MEDIA_DATAGRAM_BYTES_MAX,
  TRANSPORT_CONNECT_MS,
  TRANSPORTS_PER_WORKER_MAX,
  TUPLE_SILENT_MS,
  TUPLES_PER_TRANSPORT_MAX,
} from '../../config/index.ts'
import { fuzz } from '../../test/fuzz.ts'
import { createDropCounters, DROP_CODE, type DropReason } from '../media/rtp/index.ts'
import { type BindingRequest, parseStun, StunMessage, writeBindingRequest } from './stun/index.ts'
import { UdpMux } from './udp-mux.ts'
import { RouteTable } from './udp-mux-routes.ts'
import type { TupleSource } from './udp-mux-tuple.ts'

const PASSWORD = 'a-password-of-the-right-length'
const CREDENTIALS = {
  iceLocal: { usernameFragment: 'local', password: PASSWORD },
  iceRemote: { usernameFragment: 'remote', password: 'not-used-by-a-lite-agent' },
}
const HOME: TupleSource = { address: '192.0.2.1', port: 5_000, family: 0 }
const ROAMED: TupleSource = { address: '2001:db8::7', port: 6_000, family: 1 }
const STRANGER: TupleSource = { address: '203.0.113.9', port: 7_000, family: 0 }
const SRTP = Uint8Array.of(0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1)
const DTLS = Uint8Array.of(22, 0xfe, 0xfd, 0, 0)

function check(part: Partial<BindingRequest> = {}, password = PASSWORD): Buffer {
  const request = {
    transactionId: Buffer.alloc(12, 7),
    username: 'local:remote',
    priority: 1,
    useCandidate: false,
    controlling: true,
    tieBreaker: 1n,
    ...part,
  }
  return writeBindingRequest(request, createSecretKey(Buffer.from(password)))
}

class Harness {
  readonly media: string[] = []
  readonly dtls: number[] = []
  readonly answers: { to: string; bytes: Uint8Array }[] = []
  readonly expired: string[] = []
  readonly routes = new RouteTable()
  readonly drops = createDropCounters()
  readonly mux: UdpMux
  nowMs = 1_000

  constructor() {
    this.mux = new UdpMux(
      {
        onMedia: (tuple) => this.media.push(`${tuple.transport.token}@${tuple.address}`),
        onDtls: (transport) => this.dtls.push(transport.transportId),
        onAnswer: (to, bytes) => this.answers.push({ to: to.address, bytes }),
        onRoute: ({ token, selected }) => this.routes.set(token, selected),
        onExpired: (transport, cause) => this.expired.push(`${transport.transportId} ${cause}`),
      },
      this.drops,
    )
  }

  open(transportId = 1, ufrag = 'local'): string {
    const { iceLocal, iceRemote } = CREDENTIALS
    const local = { ...iceLocal, usernameFragment: ufrag }
    const open = { transportId, token: transportId * 10, iceLocal: local, iceRemote }
    return this.mux.open(open, this.nowMs)
  }

  /** Open, bound to HOME and with keys. */
  connect(): void {
    this.open()
    this.take(check({ useCandidate: true }), HOME)
    this.mux.markConnected(this.mux.transport(1)!)
  }

  take(bytes: Uint8Array, from: TupleSource): void {
    this.mux.onDatagram(bytes, { ...from }, this.nowMs)
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms
    while (this.mux.nextDeadlineMs() <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.mux.nextDeadlineMs())
      this.mux.onDeadline(this.nowMs)
    }
    this.nowMs = endMs
  }

  dropped(reason: DropReason): number {
    return this.drops[DROP_CODE[reason]]!
  }

  selected(): string | undefined {
    return this.mux.transport(1)?.selected?.address
  }
}

test('an authenticated check binds its 5-tuple and is answered there', (t) => {
  const harness = new Harness()
  harness.open()
  harness.take(check(), HOME)
  t.is(harness.selected(), HOME.address)
  t.is(harness.answers[0]?.to, HOME.address)
  const message = new StunMessage()
  t.true(parseStun(harness.answers[0]!.bytes, message))
  t.is(message.type, 0x0101)
})

test('a stranger gets not a single byte, whatever the first byte of the datagram is', (t) => {
  const harness = new Harness()
  harness.connect()
  harness.answers.length = 0
  for (let first = 0; first < 256; first++) {
    for (const length of [1, 2, 19, 20, 200, 65_507]) {
      harness.take(new Uint8Array(length).fill(first), STRANGER)
    }
  }
  harness.take(new Uint8Array(0), STRANGER)
  t.deepEqual(harness.answers, [])
  t.deepEqual(harness.media, [])
  t.deepEqual(harness.dtls, [])
  t.is(harness.mux.tupleCount, 1)
  t.is(
    harness.drops.reduce((sum, count) => sum + count, 0),
    256 * 6 + 1,
  )
  t.is(harness.dropped('datagram-empty'), 1)
  t.is(harness.dropped('media-unbound'), 64 * 6)
  t.is(harness.dropped('dtls-unbound'), 44 * 6)
  t.is(harness.dropped('stun-malformed'), 4 * 6)
  t.is(harness.dropped('datagram-class-unknown'), (256 - 64 - 44 - 4) * 6)
})

test('checks without or with wrong integrity bind nothing and get silence', (t) => {
  const harness = new Harness()
  harness.open()
  harness.take(check({ useCandidate: true }, 'guess'), STRANGER)
  harness.take(check({ username: 'local:someone' }), STRANGER)
  harness.take(check({ username: 'nobody:remote' }), STRANGER)
  t.deepEqual(harness.answers, [])
  t.is(harness.mux.tupleCount, 0)
  t.is(harness.dropped('stun-bad-integrity'), 1)
  t.is(harness.dropped('stun-bad-username'), 1)
  t.is(harness.dropped('stun-unknown-user'), 1)
})

test('USE-CANDIDATE from a stranger moves nothing', (t) => {
  const harness = new Harness()
  harness.connect()
  harness.take(check({ useCandidate: true }, 'guess'), STRANGER)
  t.is(harness.selected(), HOME.address)
})

test('an authenticated source never gets more bytes than it sent', (t) => {
  const harness = new Harness()
  harness.open()
  const requests = [check(), check({ useCandidate: true }), check({ controlling: false })]
  for (const request of requests) {
    harness.answers.length = 0
    harness.take(request, ROAMED)
    t.is(harness.answers.length, 1)
    t.true(harness.answers[0]!.bytes.length <= request.length)
  }
})

test('a role conflict is answered but binds nothing', (t) => {
  const harness = new Harness()
  harness.open()
  harness.take(check({ controlling: false }), HOME)
  t.is(harness.answers.length, 1)
  t.is(harness.mux.tupleCount, 0)
})

test('a source that cannot be answered is dropped', (t) => {
  const harness = new Harness()
  harness.open()
  harness.take(check(), { ...HOME, port: 0 })
  t.is(harness.dropped('source-unanswerable'), 1)
  t.is(harness.mux.tupleCount, 0)
})

test('roaming with valid integrity moves the call; media is taken from the new 5-tuple', (t) => {
  const harness = new Harness()
  harness.connect()
  harness.take(SRTP, ROAMED)
  t.is(harness.dropped('media-unbound'), 1)
  harness.take(check({ useCandidate: true }), ROAMED)
  t.is(harness.selected(), ROAMED.address)
  t.is(harness.mux.roams, 1)
  harness.take(SRTP, ROAMED)
  t.deepEqual(harness.media, [`10@${ROAMED.address}`])
  // The old one goes once it has been silent for a while.
  harness.pass(TUPLE_SILENT_MS + 1_000)
  harness.take(SRTP, HOME)
  t.is(harness.dropped('media-unbound'), 2)
})

test('roaming without valid integrity is ignored', (t) => {
  const harness = new Harness()
  harness.connect()
  harness.take(check({ useCandidate: true }, 'guess'), ROAMED)
  harness.take(SRTP, ROAMED)
  t.is(harness.selected(), HOME.address)
  t.deepEqual(harness.media, [])
})

test('a roamed peer that does not nominate again is followed when its old 5-tuple is silent', (t) => {
  const harness = new Harness()
  harness.connect()
  harness.take(check(), ROAMED)
  t.is(harness.selected(), HOME.address)
  harness.pass(TUPLE_SILENT_MS)
  harness.take(check(), ROAMED)
  t.is(harness.selected(), ROAMED.address)
})

test('5-tuples of one transport are capped; the selected one survives', (t) => {
  const harness = new Harness()
  harness.connect()
  for (let port = 1; port <= 50; port++) {
    harness.nowMs++
    harness.take(check(), { ...STRANGER, port })
  }
  t.is(harness.mux.tupleCount, TUPLES_PER_TRANSPORT_MAX)
  t.is(harness.selected(), HOME.address)
  harness.mux.close(1)
  t.is(harness.mux.tupleCount, 0)
})

test('a 5-tuple that proves another ufrag belongs to that one from then on', (t) => {
  const harness = new Harness()
  harness.connect()
  harness.open(2, 'second')
  harness.take(check({ username: 'second:remote' }), HOME)
  t.is(harness.selected(), undefined)
  t.is(harness.mux.transport(2)?.selected?.address, HOME.address)
  t.is(harness.mux.tupleCount, 1)
})

test('consent expires after 30 s without a word, not before', (t) => {
  const harness = new Harness()
  harness.connect()
  harness.pass(CONSENT_MS - 1)
  t.deepEqual(harness.expired, [])
  harness.pass(1_001)
  t.deepEqual(harness.expired, ['1 consent-expired'])
  t.is(harness.mux.transportCount, 0)
  t.is(harness.mux.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})

test('checks or authenticated media keep consent; datagrams that prove nothing do not', (t) => {
  const harness = new Harness()
  harness.connect()
  for (let i = 0; i < 10; i++) {
    harness.pass(CONSENT_MS / 2)
    if (i % 2 === 0) harness.take(check(), HOME)
    else harness.mux.heard(harness.mux.transport(1)!.selected!, harness.nowMs)
  }
  t.deepEqual(harness.expired, [])
  for (let i = 0; i < 40; i++) {
    harness.pass(1_000)
    harness.take(SRTP, HOME)
    harness.take(check({}, 'guess'), HOME)
  }
  t.deepEqual(harness.expired, ['1 consent-expired'])
})

test('a transport that never connects ends after a bounded time', (t) => {
  const harness = new Harness()
  harness.open()
  for (let ms = 0; ms < TRANSPORT_CONNECT_MS; ms += 1_000) {
    harness.take(check(), HOME)
    harness.pass(1_000)
  }
  harness.pass(1_000)
  t.deepEqual(harness.expired, ['1 never-connected'])
})

test('an ICE restart swaps credentials and keeps the 5-tuple until a new one is proved', (t) => {
  const harness = new Harness()
  harness.connect()
  const local = { usernameFragment: 'fresh', password: 'another-password-of-good-length' }
  const remote = { usernameFragment: 'renewed', password: 'x' }
  t.true(harness.mux.restart(1, local, remote))
  harness.take(SRTP, HOME)
  t.is(harness.media.length, 1)
  harness.take(check({ useCandidate: true }), ROAMED)
  t.is(harness.selected(), HOME.address)
  t.is(harness.dropped('stun-unknown-user'), 1)
  const renewed = check({ username: 'fresh:renewed', useCandidate: true }, local.password)
  harness.take(renewed, ROAMED)
  t.is(harness.selected(), ROAMED.address)
  t.false(harness.mux.restart(99, local, remote))
})

test('half-open transports are bounded, connected ones do not count', (t) => {
  const harness = new Harness()
  harness.connect()
  for (let id = 2; id < HALF_OPEN_TRANSPORTS_MAX + 2; id++) {
    t.is(harness.open(id, `u${id}`), 'opened')
  }
  t.is(harness.open(9_999, 'late'), 'too-many-half-open')
  harness.mux.close(2)
  t.is(harness.open(9_999, 'late'), 'opened')
  t.is(harness.open(9_998, 'late'), 'too-many-half-open')
})

test('transports are bounded, and a ufrag is used once', (t) => {
  const harness = new Harness()
  for (let id = 1; id <= TRANSPORTS_PER_WORKER_MAX; id++) {
    t.is(harness.open(id, `u${id}`), 'opened')
    harness.mux.markConnected(harness.mux.transport(id)!)
  }
  t.is(harness.open(9_999, 'late'), 'too-many-transports')
  harness.mux.close(7)
  t.is(harness.open(9_999, 'u8'), 'ufrag-in-use')
})

test('DTLS goes on only from a bound 5-tuple, and only so much of it', (t) => {
  const harness = new Harness()
  harness.open()
  harness.take(DTLS, HOME)
  t.is(harness.dropped('dtls-unbound'), 1)
  harness.take(check(), HOME)
  for (let i = 0; i < DTLS_DATAGRAMS_PER_S_MAX + 5; i++) harness.take(DTLS, HOME)
  t.is(harness.dtls.length, DTLS_DATAGRAMS_PER_S_MAX)
  t.is(harness.dropped('dtls-flood'), 5)
  harness.pass(1_000)
  harness.take(DTLS, HOME)
  t.is(harness.dtls.length, DTLS_DATAGRAMS_PER_S_MAX + 1)
})

test('media before keys and media longer than a packet go no further', (t) => {
  const harness = new Harness()
  harness.open()
  harness.take(check(), HOME)
  harness.take(SRTP, HOME)
  t.is(harness.dropped('media-before-keys'), 1)
  harness.mux.markConnected(harness.mux.transport(1)!)
  harness.take(new Uint8Array(MEDIA_DATAGRAM_BYTES_MAX + 1).fill(0x80), HOME)
  t.is(harness.dropped('media-too-large'), 1)
  t.deepEqual(harness.media, [])
})

test('property: whatever happens, a tuple belongs to a living transport, counts agree, and every change of route is told', (t) => {
  const step = fc.oneof(
    fc.record({ act: fc.constant('open' as const), id: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ act: fc.constant('close' as const), id: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ act: fc.constant('connect' as const), id: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ act: fc.constant('pass' as const), id: fc.integer({ min: 1, max: 20_000 }) }),
    fc.record({
      act: fc.constant('check' as const),
      id: fc.integer({ min: 1, max: 4 }),
      port: fc.integer({ min: 1, max: 6 }),
      useCandidate: fc.boolean(),
    }),
  )
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const harness = new Harness()
    const { mux } = harness
    for (const one of steps) {
      const transport = mux.transport(one.id)
      if (one.act === 'open') harness.open(one.id, `u${one.id}`)
      else if (one.act === 'close') mux.close(one.id)
      else if (one.act === 'pass') harness.pass(one.id)
      else if (one.act === 'connect' && transport) mux.markConnected(transport)
      else if (one.act === 'check') {
        const request = check({ username: `u${one.id}:remote`, useCandidate: one.useCandidate })
        harness.take(request, { ...HOME, port: one.port })
      }
    }
    const living = mux.transports()
    t.is(
      mux.tupleCount,
      living.reduce((sum, transport) => sum + transport.tuples.length, 0),
    )
    t.is(mux.halfOpenCount, living.filter((transport) => !transport.connected).length)
    for (const transport of living) {
      t.true(transport.tuples.every((tuple) => tuple.transport === transport))
      t.true(transport.selected === undefined || transport.tuples.includes(transport.selected))
      t.true(transport.tuples.length <= TUPLES_PER_TRANSPORT_MAX)
    }
    for (const id of [1, 2, 3, 4]) {
      t.is(harness.routes.tuple(id * 10), mux.transport(id)?.selected, 'the route that was told')
    }
  })
  fc.assert(property, { numRuns: 300 })
})

test('fuzz: datagrams from anywhere never throw, bind or get an answer without the password', (t) => {
  const harness = new Harness()
  harness.connect()
  harness.answers.length = 0
  const forged = check({ useCandidate: true }, 'guess')
  let turn = 0
  const { summary } = fuzz({
    samples: [forged, SRTP, DTLS, check({ username: 'local:someone' }, 'guess')],
    parse: (bytes, start, end) => {
      harness.media.length = 0
      harness.dtls.length = 0
      harness.take(bytes.subarray(start, end), turn++ % 4 < 2 ? STRANGER : HOME)
      return 1
    },
  })
  t.log(summary)
  t.deepEqual(harness.answers, [])
  t.is(harness.mux.tupleCount, 1)
  t.is(harness.selected(), HOME.address)
})
