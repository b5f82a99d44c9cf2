import test from 'ava'
import fc from 'fast-check'
import {
  FLOWING_SILENCE_MS,
  ROUTE_EARLY_WANTS_MAX,
  ROUTE_KEYFRAME_MS,
  ROUTE_LEVELS_MS,
  TRACKS_PER_NODE_MAX,
  TRUNKS_MAX,
} from '../../config/index.ts'
import { createDropCounters, DROP_CODE } from '../../core/media/rtp/index.ts'
import { FakeTrunkEnd, packetFrame, specOf, statusFrame } from './fake-trunk-end.fixture.ts'
import { Router } from './index.ts'

const UP = 1
const DOWN = 2
const CAMERA = 100
const MICROPHONE = 200

class Rig {
  readonly notes: string[] = []
  readonly drops = createDropCounters()
  nowMs = 1_000
  ringFull = false
  readonly router = new Router({
    workers: {
      push: (peer, bytes, start, end) => {
        if (this.ringFull) return false
        this.notes.push(`worker ${peer} gets ${FakeTrunkEnd.describe(bytes, start, end)}`)
        return true
      },
      want: (peer, id, mask) => this.notes.push(`worker ${peer} want ${id} ${mask}`),
      keyframe: (peer, id, layer) => this.notes.push(`worker ${peer} keyframe ${id}.${layer}`),
    },
    drops: this.drops,
    report: (report) => this.notes.push(JSON.stringify(report)),
  })
  readonly up = this.#trunk(UP, 'up')
  readonly down = this.#trunk(DOWN, 'down')

  #trunk(trunkId: number, name: string): FakeTrunkEnd {
    const end = new FakeTrunkEnd((note) => this.notes.push(`${name} ${note}`))
    this.router.addTrunk(trunkId, end)
    return end
  }

  take(): string[] {
    return this.notes.splice(0)
  }

  offer(trunkId: number, publicationId: number, streamId: number): boolean {
    const place = { room: 1, place: 'main', emergency: false } as const
    return this.router.offer(trunkId, publicationId, { spec: specOf(streamId), place })
  }

  fromWorker(peer: number, frame: Uint8Array): void {
    this.router.onWorkerFrame(peer, frame, frame.length, this.nowMs)
  }

  fromTrunk(trunkId: number, streamId: number, frame: Uint8Array): void {
    this.router.onTrunkFrame(trunkId, streamId, frame, 0, frame.length, this.nowMs)
  }

  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    while (this.router.nextDeadlineMs() <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.router.nextDeadlineMs())
      this.router.onDeadline(this.nowMs)
    }
    this.nowMs = untilMs
  }
}

test("a worker's publication goes to the trunks that want its layer, under their own numbers", (t) => {
  const rig = new Rig()
  rig.router.import(CAMERA, 0)
  rig.offer(UP, CAMERA, 7)
  rig.offer(DOWN, CAMERA, 9)
  rig.take()
  rig.router.onTrunkWant(UP, 7, 0b001)
  rig.router.onTrunkWant(DOWN, 9, 0b100)
  t.deepEqual(rig.take(), ['worker 0 want 100 1', 'worker 0 want 100 5'])
  rig.fromWorker(0, packetFrame(CAMERA, 0))
  rig.fromWorker(0, packetFrame(CAMERA, 1))
  rig.fromWorker(0, packetFrame(CAMERA, 2))
  t.deepEqual(rig.take(), ['up frame 7 packet 7.0', 'down frame 9 packet 9.2'])
  rig.router.onTrunkWant(DOWN, 9, 0)
  t.deepEqual(rig.take(), ['worker 0 want 100 1'])
})

test('status frames go to all sinks, wanted or not', (t) => {
  const rig = new Rig()
  rig.router.import(CAMERA, 0)
  rig.offer(UP, CAMERA, 7)
  rig.router.export(CAMERA, 3)
  rig.take()
  rig.fromWorker(0, statusFrame(CAMERA, { levelDbov: 30, bitrateBps: 1 }))
  t.deepEqual(rig.take(), ['up frame 7 status 7.0', 'worker 3 gets status 100.0'])
})

test('what comes over one trunk goes on over another without any media worker, and wants and keyframes go back', (t) => {
  const rig = new Rig()
  rig.router.expect(DOWN, CAMERA, specOf(4))
  rig.offer(UP, CAMERA, 8)
  rig.take()
  rig.router.onTrunkWant(UP, 8, 0b011)
  rig.router.onTrunkKeyframe(UP, 8, 1, rig.nowMs)
  rig.fromTrunk(DOWN, 4, packetFrame(4, 1))
  t.deepEqual(rig.take(), [
    'down want 4 3',
    'down keyframe 4.1',
    '{"type":"flowing","publicationId":100,"flowing":true}',
    'up frame 8 packet 8.1',
  ])
})

test('nothing goes back to where it came from', (t) => {
  const rig = new Rig()
  rig.router.expect(DOWN, CAMERA, specOf(4))
  t.false(rig.offer(DOWN, CAMERA, 5))
  rig.offer(UP, MICROPHONE, 5)
  rig.router.onTrunkWant(UP, 5, 1)
  // The way turns round: what was offered up comes from there now.
  rig.router.expect(UP, MICROPHONE, specOf(6))
  rig.take()
  rig.fromTrunk(UP, 6, packetFrame(6, 0))
  t.deepEqual(rig.take(), ['{"type":"flowing","publicationId":200,"flowing":true}'])
})

test('keyframe requests of many are one, and one that comes too soon is asked for later', (t) => {
  const rig = new Rig()
  rig.router.expect(UP, CAMERA, specOf(4))
  rig.router.export(CAMERA, 0)
  rig.router.export(CAMERA, 1)
  rig.take()
  rig.router.onWorkerKeyframe(0, CAMERA, 2, rig.nowMs)
  rig.router.onWorkerKeyframe(1, CAMERA, 2, rig.nowMs)
  rig.router.onWorkerKeyframe(1, CAMERA, 0, rig.nowMs)
  t.deepEqual(rig.take(), ['up keyframe 4.2', 'up keyframe 4.0'])
  rig.advance(ROUTE_KEYFRAME_MS - 1)
  t.deepEqual(rig.take(), [])
  rig.advance(1)
  t.deepEqual(rig.take(), ['up keyframe 4.2'])
  rig.advance(10_000)
  t.deepEqual(rig.take(), [])
})

test('a keyframe that passes meanwhile answers those who wait', (t) => {
  const rig = new Rig()
  rig.router.import(CAMERA, 0)
  rig.offer(UP, CAMERA, 7)
  rig.router.onTrunkKeyframe(UP, 7, 0, rig.nowMs)
  rig.router.onTrunkKeyframe(UP, 7, 0, rig.nowMs)
  rig.take()
  rig.fromWorker(0, packetFrame(CAMERA, 0, { keyframe: true }))
  rig.advance(1_000)
  t.deepEqual(rig.take(), [])
})

test('a source that is replaced keeps its sinks and hears what they want', (t) => {
  const rig = new Rig()
  rig.router.expect(UP, CAMERA, specOf(4))
  rig.router.export(CAMERA, 0)
  rig.router.onWorkerWant(0, CAMERA, 0b010)
  rig.router.removeTrunk(UP)
  rig.take()
  rig.router.addTrunk(3, new FakeTrunkEnd((note) => rig.notes.push(`again ${note}`)))
  rig.router.expect(3, CAMERA, specOf(44))
  t.deepEqual(rig.take(), ['again expect 44', 'again want 44 2'])
  rig.fromTrunk(3, 44, packetFrame(44, 1))
  t.true(rig.take().includes('worker 0 gets packet 100.1'))
})

test('a want that overtakes its export counts; such wants are bounded', (t) => {
  const rig = new Rig()
  rig.router.expect(UP, CAMERA, specOf(4))
  rig.router.onWorkerWant(0, CAMERA, 0b001)
  rig.take()
  rig.router.export(CAMERA, 0)
  t.deepEqual(rig.take(), ['up want 4 1'])
  rig.router.onWorkerWant(1, CAMERA, 0b110)
  for (let id = 0; id < ROUTE_EARLY_WANTS_MAX; id++) rig.router.onWorkerWant(2, 10_000 + id, 1)
  rig.router.export(CAMERA, 1)
  t.deepEqual(rig.take(), [])
})

test('a worker that dies wants nothing; one that comes back is told what is wanted of it', (t) => {
  const rig = new Rig()
  rig.router.expect(UP, CAMERA, specOf(4))
  rig.router.export(CAMERA, 0)
  rig.router.onWorkerWant(0, CAMERA, 1)
  rig.router.import(MICROPHONE, 0)
  rig.offer(UP, MICROPHONE, 9)
  rig.router.onTrunkWant(UP, 9, 1)
  rig.take()
  rig.router.unlinked(0)
  t.deepEqual(rig.take(), ['up want 4 0'])
  rig.router.linked(0)
  t.deepEqual(rig.take(), ['worker 0 want 200 1'])
})

test('flowing and levels of what comes over a trunk are told, and silence after two seconds', (t) => {
  const rig = new Rig()
  rig.router.expect(UP, MICROPHONE, specOf(4, 'audio'))
  rig.take()
  rig.fromTrunk(UP, 4, statusFrame(4, { levelDbov: 40, bitrateBps: 0 }))
  t.deepEqual(rig.take(), [])
  rig.fromTrunk(UP, 4, statusFrame(4, { levelDbov: 41, bitrateBps: 32_000 }))
  t.deepEqual(rig.take(), ['{"type":"flowing","publicationId":200,"flowing":true}'])
  rig.advance(ROUTE_LEVELS_MS)
  t.deepEqual(rig.take(), ['{"type":"levels","levels":[[200,41]]}'])
  rig.advance(FLOWING_SILENCE_MS + 500)
  const notes = rig.take()
  t.is(notes.at(-1), '{"type":"flowing","publicationId":200,"flowing":false}')
  t.is(rig.router.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})

test('silence is told of one whose trunk ended, unless another brings it in time', (t) => {
  const rig = new Rig()
  rig.router.expect(UP, CAMERA, specOf(4))
  rig.router.export(CAMERA, 0)
  rig.fromTrunk(UP, 4, packetFrame(4, 0))
  rig.take()
  rig.router.unexpect(UP, 4)
  rig.advance(500)
  t.deepEqual(rig.take(), ['up unexpect 4'])
  rig.advance(FLOWING_SILENCE_MS + 500)
  t.deepEqual(rig.take(), ['{"type":"flowing","publicationId":100,"flowing":false}'])
})

test('frames of unknown streams, of another than the source, of no layer, and garbage are counted and go nowhere', (t) => {
  const rig = new Rig()
  rig.router.import(CAMERA, 0)
  rig.offer(UP, CAMERA, 7)
  rig.router.onTrunkWant(UP, 7, 0b111)
  rig.router.expect(DOWN, MICROPHONE, specOf(2))
  rig.take()
  rig.fromWorker(1, packetFrame(CAMERA, 0))
  rig.fromWorker(0, packetFrame(MICROPHONE, 0))
  rig.fromTrunk(DOWN, 3, packetFrame(3, 0))
  rig.fromTrunk(99, 2, packetFrame(2, 0))
  t.is(rig.drops[DROP_CODE['route-unknown']], 4)
  rig.fromTrunk(DOWN, 2, packetFrame(2, 32))
  rig.fromTrunk(DOWN, 2, new Uint8Array(3))
  rig.fromWorker(0, new Uint8Array(40))
  t.is(rig.drops[DROP_CODE['handoff-malformed']], 3)
  t.deepEqual(rig.take(), [])
})

test('a full ring is counted', (t) => {
  const rig = new Rig()
  rig.router.expect(UP, CAMERA, specOf(4))
  rig.router.export(CAMERA, 0)
  rig.router.onWorkerWant(0, CAMERA, 1)
  rig.ringFull = true
  rig.fromTrunk(UP, 4, packetFrame(4, 0))
  t.is(rig.drops[DROP_CODE['ring-full']], 1)
})

test('publications and trunks are bounded, and all that ends is forgotten', (t) => {
  const rig = new Rig()
  for (let id = 1; id <= TRACKS_PER_NODE_MAX; id++) t.true(rig.router.expect(UP, id, specOf(id)))
  t.false(rig.router.expect(UP, 60_000, specOf(60_000)))
  t.false(rig.router.export(60_001, 0))
  t.is(rig.router.routeCount, TRACKS_PER_NODE_MAX)
  rig.router.removeTrunk(UP)
  t.is(rig.router.routeCount, 0)
  for (let id = 10; id < 10 + TRUNKS_MAX - 1; id++) {
    t.true(rig.router.addTrunk(id, new FakeTrunkEnd(() => undefined)))
  }
  t.false(rig.router.addTrunk(5_000, new FakeTrunkEnd(() => undefined)))
})

test('property: whatever is said in whatever order, nothing goes back and nothing is left', (t) => {
  const act = fc.constantFrom('offer', 'withdraw', 'expect', 'unexpect', 'import', 'forget')
  const more = fc.constantFrom('export', 'unexport', 'want', 'frame', 'keyframe', 'unlinked')
  const small = fc.integer({ min: 1, max: 4 })
  const step = fc.tuple(fc.oneof(act, more), small, small)
  const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const rig = new Rig()
    const { router } = rig
    for (const [verb, one, two] of steps) {
      const trunkId = (two % 2) + 1
      if (verb === 'offer') rig.offer(trunkId, one, one + 10)
      else if (verb === 'withdraw') router.withdraw(trunkId, one + 10)
      else if (verb === 'expect') router.expect(trunkId, one, specOf(one + 20))
      else if (verb === 'unexpect') router.unexpect(trunkId, one + 20)
      else if (verb === 'import') router.import(one, two)
      else if (verb === 'forget') router.forget(one)
      else if (verb === 'export') router.export(one, two)
      else if (verb === 'unexport') router.unexport(one, two)
      else if (verb === 'want') {
        router.onTrunkWant(trunkId, one + 10, two)
        router.onWorkerWant(two, one, two)
      } else if (verb === 'keyframe') router.onWorkerKeyframe(two, one, 1, rig.nowMs)
      else if (verb === 'unlinked') router.unlinked(two)
      else {
        rig.take()
        rig.fromTrunk(trunkId, one + 20, packetFrame(one + 20, 0))
        const name = trunkId === UP ? 'up' : 'down'
        t.false(rig.take().some((note) => note.startsWith(`${name} frame`)))
      }
      rig.advance(20)
    }
    router.removeTrunk(UP)
    router.removeTrunk(DOWN)
    for (let id = 1; id <= 4; id++) {
      router.forget(id)
      for (let peer = 1; peer <= 4; peer++) router.unexport(id, peer)
    }
    t.is(router.routeCount, 0)
    rig.advance(10_000)
    t.is(router.nextDeadlineMs(), Number.POSITIVE_INFINITY)
  })
  fc.assert(property, { numRuns: 200 })
})
