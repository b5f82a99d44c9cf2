import { createSecretKey, randomBytes } from 'node:crypto'
import test from 'ava'
import { CONSENT_MS, FAREWELLS_MAX, WORKER_FAULTS_MAX } from '../../config/index.ts'
import type { DisconnectCause, MediaCommand, TransportSpec } from '../media/control.ts'
import type { EngineOptions } from '../media/engine/index.ts'
import { EngineCounters } from '../media/engine/index.ts'
import { createDropCounters, DROP_CODE } from '../media/rtp/index.ts'
import type { SrtpKeys } from './dtls/index.ts'
import { MediaWorker } from './media-worker.ts'
import type { MediaEngine } from './media-worker-engine.ts'
import type { FromWorker } from './media-worker-protocol.ts'
import { writeSnapshot } from './media-worker-snapshot.ts'
import { DROPS_OFFSET } from './metrics-figures.ts'
import { createHmacSha1, createSrtpReceiver, createSrtpSender } from './srtp/index.ts'
import { writeBindingRequest } from './stun/index.ts'

const PASSWORD = 'a-password-of-the-right-length'
const SSRC = 0x0102_0304
const hmac = createHmacSha1('hash')

/** Echoes each RTP packet to every stream, as a forwarder would; throws when told to. */
class FakeEngine implements MediaEngine {
  readonly counters = new EngineCounters()
  readonly options: EngineOptions
  readonly ended: string[] = []
  readonly #indexes = new Map<number, number>()
  readonly #streams = new Map<number, number>()
  /** Transport index whose packets make it throw. */
  poisoned = -1
  deadlineMs = Number.POSITIVE_INFINITY
  deadlineThrows = false

  constructor(options: EngineOptions) {
    this.options = options
  }

  command(command: MediaCommand): void {
    if (command.type === 'open') this.#indexes.set(command.spec.transportId, this.#indexes.size)
  }

  transportIndex(transportId: number): number {
    return this.#indexes.get(transportId) ?? -1
  }

  connected(index: number): void {
    this.#streams.set(index, this.options.sink.openStream(index, SSRC))
    for (const [transportId, at] of this.#indexes) {
      if (at === index) this.options.report({ type: 'connected', transportId })
    }
  }

  disconnected(index: number, cause: DisconnectCause): void {
    this.ended.push(`${index} ${cause}`)
    this.#streams.delete(index)
  }

  onRtp(index: number, bytes: Uint8Array, start: number, end: number): void {
    if (index === this.poisoned) throw new Error('as the test asked')
    const sequence = (bytes[2]! << 8) | bytes[3]!
    for (const stream of this.#streams.values()) {
      this.options.sink.sendRtp(stream, bytes, start, end, sequence)
    }
  }

  onRtcp(): void {}
  nextDeadlineMs(): number {
    return this.deadlineMs
  }
  onDeadline(): void {
    if (this.deadlineThrows) throw new Error('as the test asked')
  }
  exportPublication(): boolean {
    return true
  }
  onUpstreamKeyframe(): void {}
  onUpstreamWant(): void {}
  onImported(): void {}
}

type Peer = {
  port: number
  keys: SrtpKeys
  /** What the worker was given. */
  given: SrtpKeys
  seal: (sequence: number) => Uint8Array
}

class Harness {
  nowMs = 5_000
  readonly sent: { bytes: Uint8Array; port: number }[] = []
  readonly posted: FromWorker[] = []
  readonly handshaker: string[] = []
  engine!: FakeEngine
  readonly worker: MediaWorker

  constructor() {
    this.worker = new MediaWorker({
      clock: { nowMs: () => this.nowMs, wallMs: () => 1e12 + this.nowMs },
      hmac: createHmacSha1('hash'),
      routes: [
        {
          socket: {
            send: (bytes, port) => this.sent.push({ bytes: bytes.slice(), port }),
            getSendQueueCount: () => 0,
          },
        },
      ],
      handshaker: {
        open: (id) => this.handshaker.push(`open ${id}`),
        datagram: (id) => this.handshaker.push(`datagram ${id}`),
        close: (id) => this.handshaker.push(`close ${id}`),
      },
      createEngine: (options) => {
        this.engine = new FakeEngine(options)
        return this.engine
      },
      randomUint32: () => 4,
      post: (message) => this.posted.push(message),
      requestTurnEnd: () => undefined,
    })
  }

  command(command: MediaCommand): void {
    this.worker.onMessage({ type: 'command', command })
  }

  /** A transport with id and port `id`, bound and with keys. */
  connect(id: number): Peer {
    const ufrag = `ufrag${id}`
    const iceLocal = { usernameFragment: ufrag, password: PASSWORD }
    const iceRemote = { usernameFragment: 'remote', password: 'x' }
    const rest = { roomId: 1, fingerprints: [], sections: [], permitted: [] }
    const spec: TransportSpec = { transportId: id, iceLocal, iceRemote, ...rest }
    this.command({ type: 'open', spec })
    const request = {
      transactionId: randomBytes(12),
      username: `${ufrag}:remote`,
      priority: 1,
      useCandidate: true,
      controlling: true,
      tieBreaker: 1n,
    }
    const port = 1_000 + id
    this.receive(writeBindingRequest(request, createSecretKey(Buffer.from(PASSWORD))), port)
    const keys = {
      profile: 'aes-cm' as const,
      localKey: new Uint8Array(randomBytes(16)),
      localSalt: new Uint8Array(randomBytes(14)),
      remoteKey: new Uint8Array(randomBytes(16)),
      remoteSalt: new Uint8Array(randomBytes(14)),
    }
    const mine = structuredClone(keys)
    this.worker.onHandshake({ type: 'connected', transportId: id, keys })
    return { port, keys: mine, given: keys, seal: sealer(mine) }
  }

  receive(bytes: Uint8Array, port: number): void {
    this.worker.onDatagram(bytes, { address: '192.0.2.1', port, family: 0 })
  }

  /** Ends the turn and returns what went out to a port since the last call. */
  sentTo(port: number): Uint8Array[] {
    this.worker.onTurnEnd()
    const bytes = this.sent.filter((one) => one.port === port).map((one) => one.bytes)
    this.sent.length = 0
    return bytes
  }
}

function sealer(keys: SrtpKeys): (sequence: number) => Uint8Array {
  let out = new Uint8Array(0)
  const sender = createSrtpSender({
    hmac,
    drops: createDropCounters(),
    sink: {
      onSealed: (_token, start, end) => {
        out = hmac.slab.slice(start, end)
      },
      inFlightCount: () => 0,
    },
  })
  const master = { profile: keys.profile, key: keys.remoteKey, salt: keys.remoteSalt }
  const stream = sender.openStream(sender.addContext(master, 0), SSRC)
  return (sequence) => {
    const bytes = Buffer.alloc(40, 7)
    bytes.writeUInt16BE(0x806f, 0)
    bytes.writeUInt16BE(sequence, 2)
    bytes.writeUInt32BE(SSRC, 8)
    sender.seal(stream, bytes, 0, bytes.length, sequence)
    sender.flush()
    return out
  }
}

test('a packet goes from one transport to another under the keys of each', (t) => {
  const harness = new Harness()
  const one = harness.connect(1)
  const other = harness.connect(2)
  harness.sentTo(0)
  harness.receive(one.seal(9), one.port)
  const [packet] = harness.sentTo(other.port)
  const master = {
    profile: other.keys.profile,
    key: other.keys.localKey,
    salt: other.keys.localSalt,
  }
  const receiver = createSrtpReceiver({ hmac, master, drops: createDropCounters() })
  t.is(receiver.openRtp(packet!, 0, packet!.length), 40)
  t.deepEqual(packet!.subarray(12, 40), new Uint8Array(28).fill(7))
})

test('replayed and forged packets reach nobody, are counted, and do not keep consent', (t) => {
  const harness = new Harness()
  const one = harness.connect(1)
  const sealed = one.seal(9)
  harness.receive(sealed.slice(), one.port)
  harness.sentTo(one.port)
  harness.nowMs += CONSENT_MS - 1
  harness.receive(sealed.slice(), one.port)
  const forged = one.seal(10).slice()
  forged[20]! ^= 1
  harness.receive(forged, one.port)
  t.deepEqual(harness.sentTo(one.port), [])
  t.is(harness.worker.drops[DROP_CODE['srtp-replayed']], 1)
  t.is(harness.worker.drops[DROP_CODE['srtp-auth-failed']], 1)
  harness.nowMs += 1_000
  harness.worker.onDeadline()
  t.deepEqual(harness.engine.ended, ['0 consent-expired'])
  t.deepEqual(harness.handshaker, ['open 1', 'close 1'])
})

test('a fault of ours while one transport is served ends that one; the call beside it goes on', (t) => {
  const harness = new Harness()
  const one = harness.connect(1)
  const other = harness.connect(2)
  harness.engine.poisoned = 0
  harness.receive(one.seal(9), one.port)
  t.deepEqual(harness.engine.ended, ['0 worker-failed'])
  harness.receive(one.seal(10), one.port)
  harness.sentTo(0)
  harness.receive(other.seal(9), other.port)
  t.is(harness.sentTo(other.port).length, 1)
  t.is(harness.worker.totals.faults, 1)
  const note = harness.posted.find((message) => message.type === 'note')
  t.is(note?.level, 'error')
  t.false(JSON.stringify(harness.posted).includes(PASSWORD))
})

test('a worker whose timers keep failing gives up, so that another can start', (t) => {
  const harness = new Harness()
  harness.engine.deadlineMs = 0
  harness.engine.deadlineThrows = true
  for (let i = 0; i < WORKER_FAULTS_MAX; i++) harness.worker.onDeadline()
  t.throws(() => harness.worker.onDeadline(), { message: 'as the test asked' })
})

test('the close_notify of a closed transport still finds its way, and leftovers are bounded', (t) => {
  const harness = new Harness()
  for (let id = 1; id <= FAREWELLS_MAX + 2; id++) {
    harness.connect(id)
    harness.command({ type: 'close', transportId: id })
  }
  harness.sentTo(0)
  const farewell = (transportId: number): number => {
    const bytes = Uint8Array.of(21, 0xfe, 0xfd)
    harness.worker.onHandshake({ type: 'send', transportId, bytes })
    return harness.sentTo(1_000 + transportId).length
  }
  t.is(farewell(FAREWELLS_MAX + 2), 1)
  t.is(farewell(FAREWELLS_MAX + 2), 0)
  t.is(farewell(1), 0)
  t.is(farewell(3), 1)
})

test('a refused handshake ends the transport, and its datagrams go nowhere any more', (t) => {
  const harness = new Harness()
  harness.connect(1)
  const { port } = harness.connect(2)
  harness.worker.onHandshake({ type: 'refused', transportId: 2, reason: 'bad-signature' })
  t.deepEqual(harness.engine.ended, ['1 handshake-refused'])
  harness.receive(Uint8Array.of(22, 0xfe, 0xfd), port)
  t.is(harness.worker.drops[DROP_CODE['dtls-unbound']], 1)
  harness.worker.onHandshake({ type: 'closed', transportId: 1 })
  t.deepEqual(harness.engine.ended, ['1 handshake-refused', '0 peer-closed'])
})

test('keys that come after the transport has gone are not used', (t) => {
  const harness = new Harness()
  const { keys } = harness.connect(1)
  harness.command({ type: 'close', transportId: 1 })
  const before = harness.worker.totals.handshakes
  harness.worker.onHandshake({ type: 'connected', transportId: 1, keys })
  t.is(harness.worker.totals.handshakes, before)
})

test('keys are wiped where the worker got them, and a second set is ignored', (t) => {
  const harness = new Harness()
  const { given, keys, seal, port } = harness.connect(1)
  t.deepEqual(
    [...given.localKey, ...given.localSalt, ...given.remoteKey, ...given.remoteSalt],
    new Array(60).fill(0),
  )
  const second = { ...keys, remoteKey: new Uint8Array(16) }
  harness.worker.onHandshake({ type: 'connected', transportId: 1, keys: second })
  harness.sentTo(0)
  harness.receive(seal(9), port)
  t.is(harness.sentTo(port).length, 1)
})

test('a snapshot tells what was counted, drops of engine and worker added up', (t) => {
  const harness = new Harness()
  const one = harness.connect(1)
  harness.receive(one.seal(9), one.port)
  harness.receive(Uint8Array.of(255), one.port)
  harness.engine.counters.drop(DROP_CODE['datagram-class-unknown'])
  const { figures } = writeSnapshot(harness.worker, { stallMs: 0, cpuRatio: 0, sendQueue: 0 })
  t.is(figures[0], 3)
  t.is(figures[DROPS_OFFSET + DROP_CODE['datagram-class-unknown']], 2)
})
