/**
 * Desks of several nodes over sessions in memory: who is offered what, whose choice is followed, what a cut leaves
 * behind.
 */
import test from 'ava'
import type { TrunkMessage, TrunkSession } from '../control/index.ts'
import type { ToTrunkThread } from '../media-port.ts'
import type {
  SpeechLimit,
  StageChoice,
  StageListener,
  StagePort,
  TrackDescription,
  UpstreamState,
} from '../stage-port.ts'
import type { TrunkReport } from '../trunk/contract.ts'
import { TrunkDesk } from './desk.ts'
import type { Link } from './link.ts'

const LEASE_MS = 4_000

class FakeStage implements StagePort {
  listener!: StageListener
  readonly imported = new Map<number, TrackDescription>()
  readonly followed = new Map<string, StageChoice | undefined>()
  upstream: UpstreamState | undefined
  #idLast = 100

  watch(listener: StageListener): void {
    this.listener = listener
  }
  observe(): void {
    // The desk does not.
  }
  importTrack(track: TrackDescription): number {
    this.imported.set(++this.#idLast, track)
    return this.#idLast
  }
  updateTrack(publicationId: number, flags: { started: boolean; flowing: boolean }): void {
    Object.assign(this.imported.get(publicationId)!, flags)
  }
  forgetTrack(publicationId: number): void {
    this.imported.delete(publicationId)
  }
  follow(room: string, choice: StageChoice | undefined): void {
    this.followed.set(room, choice)
  }
  readonly limits: [number, SpeechLimit][] = []
  limitSpeech(publicationId: number, limit: SpeechLimit): void {
    this.limits.push([publicationId, limit])
  }
  setNodesBelow(): void {}
  setUpstream(state: UpstreamState): void {
    this.upstream = state
  }
}

class Node {
  readonly name: string
  readonly stage = new FakeStage()
  readonly posted: ToTrunkThread[] = []
  readonly crossing = new Set<number>()
  nowMs = 0
  readonly desk: TrunkDesk

  constructor(name: string, hasUpstream: boolean) {
    this.name = name
    this.desk = new TrunkDesk({
      stage: this.stage,
      post: (message) => this.posted.push(message),
      letCross: (id, on) => (on ? this.crossing.add(id) : this.crossing.delete(id)),
      now: () => ({ nowMs: this.nowMs, wallMs: 1e12 + this.nowMs }),
      hasUpstream,
      leaseMs: LEASE_MS,
    })
  }

  names(): string[] {
    return [...this.stage.imported.values()].map(({ participant, use }) => `${participant} ${use}`)
  }
}

let trunkIdLast = 0

class Cable {
  readonly ends: [{ node: Node; link: Link }, { node: Node; link: Link }]
  readonly said: TrunkMessage[] = []
  #queue: (() => void)[] = []

  constructor(parent: Node, child: Node) {
    // Until both stand, messages wait.
    const up = child.desk.addSession(this.#session('up', parent, () => this.ends[0]))
    const down = parent.desk.addSession(this.#session('down', child, () => this.ends[1]))
    this.ends = [
      { node: parent, link: down },
      { node: child, link: up },
    ]
    this.pump()
  }

  #session(
    direction: 'up' | 'down',
    peer: Node,
    far: () => { node: Node; link: Link },
  ): TrunkSession {
    return {
      peer: { nodeId: peer.name, name: peer.name, program: '0' },
      direction,
      flow: { trunkId: ++trunkIdLast } as TrunkSession['flow'],
      path: [],
      tokenKeys: [],
      leaseMs: LEASE_MS,
      rttMs: 0,
      bufferedBytes: 0,
      send: (message) => {
        this.said.push(message)
        const copy = structuredClone(message)
        this.#queue.push(() => {
          const { node, link } = far()
          node.desk.onMessage(link, copy)
        })
      },
      sendDatagram: () => true,
      noteMedia: () => undefined,
      onMessage: () => undefined,
      onDatagram: () => undefined,
      onClosed: () => undefined,
      close: () => undefined,
    }
  }

  pump(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next()
  }

  cut(): void {
    this.#queue = []
    for (const { node, link } of this.ends) node.desk.removeSession(link)
  }
}

const track = (participant: string, use: TrackDescription['use'] = 'camera'): TrackDescription => ({
  room: 'hop',
  participant,
  use,
  kind: use === 'microphone' ? 'audio' : 'video',
  codecs: [{ codec: use === 'microphone' ? 'opus' : 'vp8', payloadType: 96, clockRate: 90_000 }],
  layerCount: use === 'microphone' ? 1 : 3,
  started: true,
  flowing: true,
})

const choice = (main: string, heard: string[] = []): StageChoice => ({
  room: 'hop',
  heard,
  main: { participant: main, use: 'camera' },
  mainFallback: null,
  active: main,
})

function tree() {
  const core = new Node('core', false)
  const east = new Node('east', true)
  const west = new Node('west', true)
  const cables = [new Cable(core, east), new Cable(core, west)]
  const pump = (): void => {
    for (let turn = 0; turn < 4; turn++) for (const cable of cables) cable.pump()
  }
  return { core, east, west, cables, pump }
}

test('a track goes to the upstream, from there to children whose people are in the room, and never back', (t) => {
  const { core, east, west, pump } = tree()
  east.stage.listener.onRoom('hop', true)
  east.stage.listener.onPublished(1, track('p-east'))
  pump()
  t.deepEqual(core.names(), ['p-east camera'])
  t.deepEqual(west.names(), [], 'nobody there is in the room')
  west.stage.listener.onRoom('hop', true)
  pump()
  t.deepEqual(west.names(), ['p-east camera'])
  t.deepEqual(east.names(), [], 'not back to where it came from')
  t.true(east.crossing.has(1))
  west.stage.listener.onRoom('hop', false)
  pump()
  t.deepEqual(west.names(), [])
  east.stage.listener.onUnpublished(1)
  pump()
  t.deepEqual(core.names(), [])
  t.false(east.crossing.has(1))
})

test('what a thin link asks of a voice goes to its publisher, over any number of nodes, and ends with the link', (t) => {
  const { core, east, west, cables, pump } = tree()
  east.stage.listener.onPublished(1, track('p-east', 'microphone'))
  west.stage.listener.onRoom('hop', true)
  pump()
  const down = cables[1]!.ends[0]
  const { streamId } = [...down.link.offers.values()][0]!
  const report = (layerWanted: number, packetMs: number, bitrateBps: number): void => {
    const streams = [{ streamId, layerWanted }] as TrunkReport['streams']
    core.desk.noteReport(down.link, { streams, speech: { packetMs, bitrateBps } })
    pump()
  }
  report(0, 60, 12_000)
  report(0, 60, 12_000)
  t.deepEqual(east.stage.limits, [[1, { packetMs: 60, bitrateBps: 12_000 }]])
  t.deepEqual(core.stage.limits, [])
  report(-1, 60, 12_000)
  t.deepEqual(
    east.stage.limits.at(-1),
    [1, { packetMs: 20, bitrateBps: 0 }],
    'nobody hears it there',
  )
  report(0, 40, 0)
  t.deepEqual(east.stage.limits.at(-1), [1, { packetMs: 40, bitrateBps: 0 }])
  cables[1]!.cut()
  pump()
  t.deepEqual(east.stage.limits.at(-1), [1, { packetMs: 20, bitrateBps: 0 }])
})

test('the choice of the topmost node is followed below, and told to whoever comes into the room later', (t) => {
  const { core, east, west, pump } = tree()
  east.stage.listener.onRoom('hop', true)
  pump()
  core.stage.listener.onChoice(choice('p1', ['p1']))
  pump()
  t.is(east.stage.followed.get('hop')?.main?.participant, 'p1')
  t.false(west.stage.followed.has('hop'))
  west.stage.listener.onRoom('hop', true)
  pump()
  t.is(west.stage.followed.get('hop')?.main?.participant, 'p1')
})

test('a track is offered anew with another class when its place in the room changes, without a word on the control flow', (t) => {
  const { core, east, pump, cables } = tree()
  east.stage.listener.onRoom('hop', true)
  core.stage.listener.onPublished(1, track('p1'))
  pump()
  const said = cables[0]!.said.length
  core.posted.length = 0
  core.stage.listener.onChoice(choice('p1'))
  const offer = core.posted.find((message) => message.type === 'offer')
  t.like(offer, { place: { place: 'main', emergency: false } })
  core.stage.listener.onEmergency('hop', true)
  t.like(core.posted.at(-1), { type: 'offer', place: { place: 'main', emergency: true } })
  t.is(cables[0]!.said.slice(said).filter(({ type }) => type === 'announce').length, 0)
})

test('a trunk that comes again within the lease leaves every publication where it was', (t) => {
  const { core, east, cables, pump } = tree()
  east.stage.listener.onRoom('hop', true)
  core.stage.listener.onPublished(1, track('p1'))
  pump()
  const [before] = east.stage.imported.keys()
  cables[0]!.cut()
  t.is(east.stage.upstream?.state, 'connecting')
  east.nowMs = LEASE_MS - 1
  east.desk.tick()
  cables[0] = new Cable(core, east)
  pump()
  east.nowMs = LEASE_MS * 3
  east.desk.tick()
  t.deepEqual([...east.stage.imported.keys()], [before!])
  t.is(east.stage.upstream?.state, 'connected')
})

test('when the lease ends the relay is an island: the tracks from above are gone and it decides for itself', (t) => {
  const { core, east, cables, pump } = tree()
  east.stage.listener.onRoom('hop', true)
  core.stage.listener.onPublished(1, track('p1'))
  core.stage.listener.onChoice(choice('p1'))
  pump()
  cables[0]!.cut()
  const cutMs = 1e12 + east.nowMs
  t.is(east.stage.upstream?.sinceMs, cutMs)
  east.nowMs += LEASE_MS
  east.desk.tick()
  t.is(east.stage.upstream?.state, 'island')
  t.is(east.stage.upstream?.sinceMs, cutMs, 'counted from the last sign of the node above')
  t.deepEqual(east.names(), [])
  t.true(east.stage.followed.has('hop'))
  t.is(east.stage.followed.get('hop'), undefined)
})

test('when the lease itself has ended the trunk, nothing is waited for', (t) => {
  const { core, east, pump } = tree()
  east.stage.listener.onRoom('hop', true)
  core.stage.listener.onPublished(1, track('p1'))
  pump()
  const [link] = east.desk.links
  east.nowMs += 10 * LEASE_MS
  east.desk.removeSession(link!, { isLeaseOver: true })
  east.desk.tick()
  t.is(east.stage.upstream?.sinceMs, 1e12 + east.nowMs - LEASE_MS)
  t.is(east.stage.upstream?.state, 'island')
  t.deepEqual(east.names(), [])
})

test('a node that never reached its upstream is an island after the time of a lease', (t) => {
  const lone = new Node('lone', true)
  lone.nowMs = LEASE_MS
  lone.desk.tick()
  t.is(lone.stage.upstream?.state, 'island')
})

test('nobody can announce a track of a participant of this node, or one that another trunk brings already', (t) => {
  const { core, east, west, pump } = tree()
  core.stage.listener.onPublished(1, track('p1'))
  east.stage.listener.onPublished(1, track('p1'))
  west.stage.listener.onPublished(1, track('p2'))
  pump()
  t.deepEqual(core.names(), ['p2 camera'])
  east.stage.listener.onPublished(2, track('p2'))
  pump()
  t.deepEqual(core.names(), ['p2 camera'])
  east.stage.listener.onUnpublished(2)
  pump()
  t.deepEqual(core.names(), ['p2 camera'], 'the liar cannot take it away either')
})

test('a trunk that announces without end fills its own share, no more', (t) => {
  const { core, east, pump } = tree()
  for (let i = 1; i <= 3_000; i++) east.stage.listener.onPublished(i, track(`p${i}`))
  pump()
  t.is(core.stage.imported.size, 2_048)
})
