import test from 'ava'
import {
  DTLS_DATAGRAMS_QUEUED_ALL_MAX,
  DTLS_DATAGRAMS_QUEUED_MAX,
  DTLS_TRANSPORTS_MAX,
  FLIGHT_ANSWER_MS_MIN,
  HALF_OPEN_HANDSHAKES_MAX,
  HANDSHAKE_MS_MAX,
  HANDSHAKE_STORM_MS_MAX,
} from '../../../config/limits.ts'
import { Adversary } from './adversary.ts'
import type { HandshakeEvent } from './handshake.ts'
import { Handshaker } from './handshaker.ts'
import { createDtlsIdentity } from './identity.ts'
import { buildMessage, CLIENT_HELLO } from './reassembly.ts'
import {
  buildRecord,
  CONTENT_ALERT,
  CONTENT_HANDSHAKE,
  type DtlsRecord,
  splitRecords,
} from './records.ts'

const [ours, honest] = await Promise.all([createDtlsIdentity(), createDtlsIdentity()])

const createBench = () => {
  const events: HandshakeEvent[] = []
  const handshaker = new Handshaker({ identity: ours, emit: (event) => events.push(event) })
  const take = () => events.splice(0)
  const datagram = (transportId: number, bytes: Uint8Array, nowMs = 0) =>
    handshaker.command({ type: 'datagram', transportId, bytes }, nowMs)
  const open = (transportId: number) =>
    handshaker.command({ type: 'open', transportId, fingerprints: [honest.fingerprint] }, 0)
  const close = (transportId: number) => handshaker.command({ type: 'close', transportId }, 0)
  const workAll = (nowMs = 0) => {
    while (handshaker.work(nowMs));
  }
  return { handshaker, take, datagram, open, close, workAll }
}

type Bench = ReturnType<typeof createBench>

/** Opens a transport and brings its honest peer to where flight 4 has been read. */
const greet = (bench: Bench, transportId: number, nowMs = 0): Adversary => {
  const client = new Adversary({ identity: honest })
  bench.open(transportId)
  bench.datagram(transportId, client.hello(), nowMs)
  bench.workAll(nowMs)
  for (const event of bench.take()) if (event.type === 'send') client.receive(event.bytes)
  return client
}

const connect = (bench: Bench, transportId: number, nowMs = 0): Adversary => {
  const client = greet(bench, transportId, nowMs)
  bench.datagram(transportId, Buffer.concat(client.flight5()), nowMs)
  bench.workAll(nowMs)
  return client
}

const kinds = (events: HandshakeEvent[]) =>
  events.map((event) => (event.type === 'refused' ? event.reason : event.type))

const plainAlert = buildRecord(
  { contentType: CONTENT_ALERT, epoch: 0, sequence: 9 },
  Buffer.from([2, 40]),
)

test('an honest peer is sent the last flight and then connected', (t) => {
  const bench = createBench()
  connect(bench, 1)
  t.deepEqual(kinds(bench.take()), ['send', 'connected'])
  t.like(bench.handshaker.stats(), { connected: 1, halfOpen: 0, established: 1 })
  t.is(bench.handshaker.tick(0), Number.POSITIVE_INFINITY)
})

test('datagrams of unknown, refused and closed transports are dropped', (t) => {
  const bench = createBench()
  bench.datagram(7, plainAlert)
  const client = greet(bench, 1)
  bench.datagram(1, client.keyExchange())
  bench.workAll()
  t.deepEqual(kinds(bench.take()), ['send', 'no-certificate'])
  bench.datagram(1, client.certificate())
  bench.close(1)
  bench.close(1)
  bench.datagram(1, client.certificate())
  bench.workAll()
  t.deepEqual(bench.take(), [])
  t.is(bench.handshaker.stats().recordsDropped['unknown-transport'], 3)
})

test('a repeated last flight of the peer is answered with ours, not more often than the bound', (t) => {
  const bench = createBench()
  const client = connect(bench, 1)
  bench.take()
  const repeat = (nowMs: number) => {
    const finished = client.cipher!.seal(CONTENT_HANDSHAKE, client.transcript.at(-1)!)
    bench.datagram(1, finished, nowMs)
    bench.workAll(nowMs)
    return kinds(bench.take())
  }
  t.deepEqual(repeat(50), ['send'])
  t.deepEqual(repeat(51), [])
  t.deepEqual(repeat(50 + FLIGHT_ANSWER_MS_MIN), ['send'])
  t.deepEqual(repeat(51 + 2 * FLIGHT_ANSWER_MS_MIN), [])
  t.deepEqual(repeat(50 + 3 * FLIGHT_ANSWER_MS_MIN), ['send'])
})

test('the last flight can be read by a peer that missed the first copy of it', (t) => {
  const bench = createBench()
  const client = connect(bench, 1)
  bench.take()
  const before = client.transcript.slice()
  bench.datagram(1, client.cipher!.seal(CONTENT_HANDSHAKE, before.at(-1)!), 500)
  bench.workAll(500)
  const [answer] = bench.take()
  t.true(answer?.type === 'send' && client.accepts(answer.bytes))
})

test('a replayed record of the peer is not answered', (t) => {
  const bench = createBench()
  const client = greet(bench, 1)
  const flight = Buffer.concat(client.flight5())
  for (const nowMs of [0, 500, 1_000]) {
    bench.datagram(1, flight, nowMs)
    bench.workAll(nowMs)
  }
  t.deepEqual(kinds(bench.take()), ['send', 'connected'])
})

test('nothing in plaintext ends or replaces an association', (t) => {
  const bench = createBench()
  const client = connect(bench, 1)
  bench.take()
  const closeNotify = buildRecord(
    { contentType: CONTENT_ALERT, epoch: 0, sequence: 99 },
    Buffer.from([1, 0]),
  )
  const stranger = new Adversary({ identity: honest })
  for (const bytes of [plainAlert, closeNotify, stranger.hello(), client.changeCipherSpec()]) {
    bench.datagram(1, bytes)
  }
  bench.workAll()
  t.deepEqual(bench.take(), [])
  t.is(bench.handshaker.stats().recordsDropped['after-handshake'], 4)
  t.is(bench.handshaker.stats().established, 1)
})

test('renegotiation under true keys is ignored', (t) => {
  const bench = createBench()
  const client = connect(bench, 1)
  bench.take()
  const hello = buildMessage(CLIENT_HELLO, 0, client.helloBody()).bytes
  const next = buildMessage(CLIENT_HELLO, 5, client.helloBody()).bytes
  bench.datagram(1, client.cipher!.seal(CONTENT_HANDSHAKE, hello))
  bench.datagram(1, client.cipher!.seal(CONTENT_HANDSHAKE, next))
  bench.workAll()
  t.deepEqual(bench.take(), [])
  t.is(bench.handshaker.stats().recordsDropped['after-handshake'], 2)
})

test('a forged encrypted alert is dropped, a true close_notify ends the association', (t) => {
  const bench = createBench()
  const client = connect(bench, 1)
  bench.take()
  const goodbye = client.cipher!.seal(CONTENT_ALERT, Buffer.from([1, 0]))
  const forged = Buffer.from(goodbye)
  forged[forged.length - 1]! ^= 1
  bench.datagram(1, forged)
  bench.workAll()
  t.deepEqual(bench.take(), [])
  bench.datagram(1, goodbye)
  bench.workAll()
  t.deepEqual(kinds(bench.take()), ['send', 'closed'])
  t.is(bench.handshaker.stats().established, 0)
})

test('closing an association says a goodbye that the peer can verify', (t) => {
  const bench = createBench()
  const client = connect(bench, 1)
  const [lastFlight] = bench.take()
  bench.close(1)
  const [goodbye, ...rest] = bench.take()
  if (goodbye?.type !== 'send' || lastFlight?.type !== 'send') return t.fail()
  const records: DtlsRecord[] = []
  splitRecords(Buffer.from(goodbye.bytes), records)
  t.deepEqual(client.cipher!.open(records[0]!), Buffer.from([1, 0]))
  t.deepEqual(rest, [])
})

test('a handshake that does not go on ends by timeout', (t) => {
  const bench = createBench()
  greet(bench, 1)
  t.true(bench.handshaker.tick(HANDSHAKE_MS_MAX - 1) <= HANDSHAKE_MS_MAX)
  bench.take()
  t.is(bench.handshaker.tick(HANDSHAKE_MS_MAX), Number.POSITIVE_INFINITY)
  t.deepEqual(kinds(bench.take()), ['timeout'])
  t.like(bench.handshaker.stats(), { halfOpen: 0 })
})

test('a peer that waits for its turn is not timed out for our slowness', (t) => {
  const bench = createBench()
  const client = new Adversary({ identity: honest })
  const lateMs = HANDSHAKE_STORM_MS_MAX - 1_000
  bench.open(1)
  bench.datagram(1, client.hello(), 0)
  bench.handshaker.tick(lateMs - 1)
  bench.workAll(lateMs)
  const [flight] = bench.take()
  if (flight?.type !== 'send') return t.fail()
  client.receive(flight.bytes)
  bench.datagram(1, Buffer.concat(client.flight5()), lateMs)
  bench.handshaker.tick(lateMs + 900)
  bench.workAll(lateMs + 900)
  t.deepEqual(kinds(bench.take()), ['send', 'connected'])
})

test('while the answer of a peer waits for us, we do not repeat ourselves', (t) => {
  const bench = createBench()
  const client = greet(bench, 1)
  bench.datagram(1, client.certificate(), 500)
  bench.handshaker.tick(5_000)
  t.deepEqual(bench.take(), [])
})

test('even a storm ends: who never has its turn is refused at last', (t) => {
  const bench = createBench()
  bench.open(1)
  bench.datagram(1, new Adversary({ identity: honest }).hello(), 1_000)
  t.is(bench.handshaker.tick(HANDSHAKE_STORM_MS_MAX), HANDSHAKE_STORM_MS_MAX + 1_000)
  bench.handshaker.tick(HANDSHAKE_STORM_MS_MAX + 1_000)
  t.deepEqual(kinds(bench.take()), ['timeout'])
})

test('a thousand half-open handshakes do not keep others out', (t) => {
  const bench = createBench()
  for (let id = 1; id <= 1_000; id++) greet(bench, id)
  connect(bench, 5_000)
  t.true(kinds(bench.take()).includes('connected'))
  t.like(bench.handshaker.stats(), { halfOpen: 1_000, connected: 1 })
})

test('at the bound the oldest that has answered nothing is displaced', (t) => {
  const bench = createBench()
  const answered = greet(bench, 1)
  bench.datagram(1, answered.certificate())
  bench.workAll()
  for (let id = 2; id <= HALF_OPEN_HANDSHAKES_MAX; id++) {
    bench.open(id)
    bench.datagram(id, plainAlert)
  }
  t.is(bench.handshaker.stats().halfOpen, HALF_OPEN_HANDSHAKES_MAX)
  bench.take()
  connect(bench, 9_000)
  const refused = bench.take().filter((event) => event.type === 'refused')
  t.deepEqual(refused, [])
  t.is(bench.handshaker.stats().refused['too-many-half-open'], 1)
  bench.datagram(1, Buffer.concat(answered.flight5().slice(1)))
  t.is(bench.handshaker.stats().halfOpen, HALF_OPEN_HANDSHAKES_MAX - 1)
})

test('transports beyond the bound are refused', (t) => {
  const bench = createBench()
  for (let id = 1; id <= DTLS_TRANSPORTS_MAX; id++) bench.open(id)
  t.deepEqual(bench.take(), [])
  bench.open(DTLS_TRANSPORTS_MAX + 1)
  t.deepEqual(kinds(bench.take()), ['too-many-half-open'])
})

test('the queue of one transport and of all together is bounded', (t) => {
  const bench = createBench()
  const noise = (number: number) =>
    buildRecord(
      { contentType: CONTENT_ALERT, epoch: 0, sequence: 0 },
      Buffer.from([number >> 8, number]),
    )
  const perTransport = DTLS_DATAGRAMS_QUEUED_MAX
  const full = DTLS_DATAGRAMS_QUEUED_ALL_MAX / perTransport
  for (let id = 1; id <= full + 1; id++) {
    bench.open(id)
    for (let i = 0; i <= perTransport; i++) bench.datagram(id, noise(i))
  }
  t.is(bench.handshaker.stats().recordsDropped['queue-full'], full + perTransport + 1)
  let stepCount = 0
  while (bench.handshaker.work(0)) stepCount += 1
  t.is(stepCount, DTLS_DATAGRAMS_QUEUED_ALL_MAX)
})

test('a ClientHello that is repeated while it waits is looked at once', (t) => {
  const bench = createBench()
  const client = new Adversary({ identity: honest })
  const message = client.message(CLIENT_HELLO, client.helloBody())
  bench.open(1)
  for (let i = 0; i < 5; i++) bench.datagram(1, client.record(CONTENT_HANDSHAKE, message))
  t.is(bench.handshaker.stats().recordsDropped.duplicate, 4)
  t.true(bench.handshaker.work(0))
  t.false(bench.handshaker.work(0))
})

test('who has answered is finished before new hellos are begun, and floods of the established wait', (t) => {
  const bench = createBench()
  connect(bench, 1)
  const late = greet(bench, 2)
  bench.take()
  for (let i = 0; i < 8; i++) bench.datagram(1, plainAlert)
  for (const id of [3, 4]) {
    bench.open(id)
    bench.datagram(id, new Adversary({ identity: honest }).hello())
  }
  bench.datagram(2, Buffer.concat(late.flight5()))
  bench.handshaker.work(0)
  t.deepEqual(kinds(bench.take()), ['send', 'connected'])
  for (let i = 0; i < 4; i++) bench.handshaker.work(0)
  t.deepEqual(
    bench.take().map(({ transportId }) => transportId),
    [3, 4],
  )
})
