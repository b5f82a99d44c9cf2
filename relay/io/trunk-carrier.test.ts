import test from 'ava'
import {
  TRUNK_SILENT_MS,
  TRUNK_TUNNEL_AFTER_MS,
  TRUNK_UDP_RETRY_MS,
  TRUNKS_MAX,
} from '../../config/index.ts'
import { DROP_CODE, type DropReason } from '../../core/media/rtp/index.ts'
import { packetFrame, specOf } from '../router/fake-trunk-end.fixture.ts'
import { CHILD, CORE, flowsOf, masterOf, Node } from './trunk-carrier.fixture.ts'

const PUBLICATION = 70
const place = { room: 1, place: 'main', emergency: false } as const

/** A child that dialled its core. */
class Pair {
  readonly child = new Node()
  readonly core = new Node()
  childAddress = CHILD
  udpBlocked = false
  /** What the core was reached with last. */
  lastUp: Uint8Array = new Uint8Array(0)

  constructor() {
    const { child, core } = flowsOf(CORE)
    this.core.carrier.onMessage({ type: 'open-trunk', flow: core })
    this.child.carrier.onMessage({ type: 'open-trunk', flow: child })
  }

  /** Carries until nothing is on its way. */
  settle(): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const { bytes, address } of this.child.take()) {
        if (address !== CORE.address || this.udpBlocked) continue
        this.lastUp = bytes.slice()
        this.core.carrier.onDatagram(bytes, this.childAddress)
        moved = true
      }
      for (const { bytes, address, port } of this.core.take()) {
        const arrives = address === CHILD.address && port === this.childAddress.port
        if (!arrives || this.udpBlocked) continue
        this.child.carrier.onDatagram(bytes, CORE)
        moved = true
      }
      for (const [from, to] of [
        [this.child, this.core],
        [this.core, this.child],
      ] as const) {
        for (const { trunkId, bytes } of from.takeTold('tunnel-out')) {
          to.carrier.onMessage({ type: 'tunnelled', trunkId, bytes })
          moved = true
        }
      }
    }
  }

  run(ms: number): void {
    for (let left = ms; left > 0; left -= 50) {
      this.child.advance(50)
      this.core.advance(50)
      this.settle()
    }
  }

  pathOf(node: Node): string | undefined {
    return node.takeTold('trunk-report').at(-1)?.path
  }
}

const dropped = (node: Node, reason: DropReason): number => node.carrier.drops[DROP_CODE[reason]]!

test('the upstream learns where its child is from the first authentic datagram, and both are told', (t) => {
  const pair = new Pair()
  pair.core.advance(500)
  t.deepEqual(pair.core.take(), [])
  pair.run(200)
  t.deepEqual(pair.core.takeTold('trunk-heard'), [{ type: 'trunk-heard', trunkId: 1, heard: true }])
  t.deepEqual(pair.child.takeTold('trunk-heard'), [
    { type: 'trunk-heard', trunkId: 1, heard: true },
  ])
})

test('forged, replayed and foreign datagrams are counted, change nothing and get no answer', (t) => {
  const pair = new Pair()
  pair.run(1_000)
  const { core } = pair
  const stranger = { address: '6.6.6.6', port: 666, family: 0 as const }
  const forged = pair.lastUp.slice()
  forged[2]! ^= 0x40
  forged[20]! ^= 1
  core.carrier.onDatagram(forged, stranger)
  t.is(dropped(core, 'srtp-auth-failed'), 1)
  core.carrier.onDatagram(pair.lastUp.slice(), stranger)
  t.is(dropped(core, 'srtp-replayed'), 1)
  const foreign = pair.lastUp.slice()
  foreign[8] = 1
  core.carrier.onDatagram(foreign, stranger)
  core.carrier.onDatagram(new Uint8Array(22), stranger)
  core.carrier.onDatagram(new Uint8Array(1_501), stranger)
  t.is(dropped(core, 'trunk-unknown'), 1)
  t.is(dropped(core, 'datagram-empty'), 1)
  t.is(dropped(core, 'media-too-large'), 1)
  t.deepEqual(core.take(), [])
  pair.run(1_000)
  t.is(core.carrier.roams, 0)
  t.is(core.takeTold('trunk-report').at(-1)?.droppedForged, 1)
  t.is(pair.pathOf(pair.child), 'udp')
})

test('a datagram through the WebSocket of another trunk is not heard', (t) => {
  const pair = new Pair()
  pair.run(200)
  pair.child.advance(100)
  const [next] = pair.child.take()
  pair.core.carrier.onMessage({ type: 'tunnelled', trunkId: 2, bytes: next!.bytes.slice() })
  t.is(dropped(pair.core, 'trunk-unknown'), 1)
  pair.core.carrier.onMessage({ type: 'tunnelled', trunkId: 1, bytes: next!.bytes })
  t.is(dropped(pair.core, 'srtp-replayed'), 0)
})

test('a child whose NAT gives it another port is followed; an old datagram from elsewhere moves nothing', (t) => {
  const pair = new Pair()
  pair.run(500)
  pair.child.advance(100)
  const [late] = pair.child.take()
  pair.childAddress = { ...CHILD, port: 6_000 }
  pair.run(500)
  t.is(pair.core.carrier.roams, 1)
  // It comes at last, and not by the way of the others.
  pair.core.carrier.onDatagram(late!.bytes, { address: '6.6.6.6', port: 1, family: 0 })
  t.is(pair.core.carrier.roams, 1)
  pair.child.takeTold('trunk-heard')
  pair.run(TRUNK_SILENT_MS + 1_000)
  t.deepEqual(pair.child.takeTold('trunk-heard'), [])
})

test('where UDP is blocked both go through the WebSocket, and come back to UDP when it works again', (t) => {
  const pair = new Pair()
  pair.udpBlocked = true
  pair.run(TRUNK_TUNNEL_AFTER_MS + 2_000)
  t.is(pair.pathOf(pair.child), 'tunnel')
  t.is(pair.pathOf(pair.core), 'tunnel')
  t.deepEqual(pair.core.takeTold('trunk-heard').at(-1), {
    type: 'trunk-heard',
    trunkId: 1,
    heard: true,
  })
  pair.run(10_000)
  const { tunnelledPackets } = pair.core.carrier.sealing
  t.true(tunnelledPackets > 50)
  pair.udpBlocked = false
  pair.run(TRUNK_UDP_RETRY_MS)
  t.is(pair.pathOf(pair.child), 'udp')
  t.is(pair.pathOf(pair.core), 'udp')
  t.deepEqual(pair.child.takeTold('trunk-heard').length, 1)
})

test('UDP that dies in the middle of a call is left for the WebSocket', (t) => {
  const pair = new Pair()
  pair.run(2_000)
  pair.udpBlocked = true
  pair.run(TRUNK_TUNNEL_AFTER_MS + 1_000)
  t.is(pair.pathOf(pair.child), 'tunnel')
  t.is(pair.pathOf(pair.core), 'tunnel')
})

test('silence of the far end is told once, and its return', (t) => {
  const pair = new Pair()
  pair.run(1_000)
  pair.core.takeTold('trunk-heard')
  pair.core.advance(TRUNK_SILENT_MS + 1_000)
  pair.core.take()
  t.deepEqual(
    pair.core.takeTold('trunk-heard').map(({ heard }) => heard),
    [false],
  )
  pair.run(200)
  t.deepEqual(
    pair.core.takeTold('trunk-heard').map(({ heard }) => heard),
    [true],
  )
})

test('a publication crosses with its wants and keyframe requests', (t) => {
  const pair = new Pair()
  const { child, core } = pair
  pair.run(200)
  // The child's far end offers; on the core somebody below (trunk 2) may want it.
  child.carrier.router.import(PUBLICATION, 0)
  child.carrier.onMessage({
    type: 'offer',
    trunkId: 1,
    publicationId: PUBLICATION,
    spec: specOf(4),
    place,
  })
  const expect = { type: 'expect', trunkId: 1, publicationId: 900, spec: specOf(4) } as const
  core.carrier.onMessage(expect)
  core.carrier.router.export(900, 3)
  core.carrier.router.onWorkerWant(3, 900, 0b010)
  pair.settle()
  const frame = packetFrame(PUBLICATION, 1)
  child.carrier.router.onWorkerFrame(0, frame, frame.length, child.nowMs)
  pair.settle()
  core.carrier.onTurnEnd()
  const reports = core.takeTold('reports').flatMap((message) => message.reports)
  t.deepEqual(reports, [{ type: 'flowing', publicationId: 900, flowing: true }])
})

test('keys are wiped; a second trunk of the same number or SSRC, and one too many, are refused', (t) => {
  const node = new Node()
  const { core } = flowsOf(CORE)
  node.carrier.onMessage({ type: 'open-trunk', flow: core })
  t.deepEqual(core.send.master.key, new Uint8Array(16))
  t.deepEqual(core.receive.master.salt, new Uint8Array(14))
  node.carrier.onMessage({ type: 'open-trunk', flow: flowsOf(CORE).core })
  node.carrier.onMessage({ type: 'open-trunk', flow: { ...flowsOf(CORE).core, trunkId: 2 } })
  t.deepEqual(
    node.takeTold('trunk-ended').map(({ reason }) => reason),
    ['taken', 'taken'],
  )
  const open = (trunkId: number): void => {
    const send = { ssrc: trunkId, master: masterOf(trunkId) }
    const receive = { ssrc: trunkId, master: masterOf(trunkId) }
    node.carrier.onMessage({ type: 'open-trunk', flow: { trunkId, send, receive } })
  }
  for (let trunkId = 2; trunkId <= TRUNKS_MAX + 1; trunkId++) open(trunkId)
  t.deepEqual(node.takeTold('trunk-ended'), [
    { type: 'trunk-ended', trunkId: TRUNKS_MAX + 1, reason: 'full' },
  ])
  node.carrier.onMessage({ type: 'close-trunk', trunkId: 5 })
  open(9_000)
  t.deepEqual(node.takeTold('trunk-ended'), [])
})

test('a fault in one trunk ends that trunk alone', (t) => {
  const pair = new Pair()
  pair.run(200)
  const spec = specOf(666)
  pair.core.carrier.onMessage({ type: 'offer', trunkId: 1, publicationId: 5, spec, place })
  pair.core.take()
  t.deepEqual(pair.core.takeTold('trunk-ended'), [
    { type: 'trunk-ended', trunkId: 1, reason: 'fault' },
  ])
  t.is(pair.core.carrier.totals.faults, 1)
  t.is(pair.core.carrier.trunkCount, 0)
  t.is(pair.core.carrier.router.routeCount, 0)
  t.is(pair.core.carrier.nextDeadlineMs() < Number.POSITIVE_INFINITY, true)
  pair.core.advance(5_000)
  t.is(pair.core.carrier.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})
