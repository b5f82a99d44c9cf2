import test from 'ava'
import { ROUTE_CACHES_MAX } from '../../config/limits.ts'
import { CacheAllowance, HandoffCache } from '../../core/media/engine/index.ts'
import { createDropCounters } from '../../core/media/rtp/index.ts'
import { FakeTrunkEnd, packetFrame, specOf } from './fake-trunk-end.fixture.ts'
import { Router } from './index.ts'

const CAMERA = 100
const UP = 1
const CHILD = 2
const LATE = 3

/** One packet a picture, unless it continues one. */
function picture(sequence: number, isKey = false, id = CAMERA): Uint8Array {
  const frame = packetFrame(id, 1, { keyframe: isKey, sequence })
  frame[2] = frame[2]! | 4
  new DataView(frame.buffer).setUint32(16, sequence * 3_600)
  return frame
}

/** A camera that comes from above and goes on to two children; notes tell the sequences that each gets. */
function start() {
  const notes: string[] = []
  const router = new Router({
    workers: {
      push: (peer, bytes, from, end) => {
        notes.push(`worker ${peer} gets ${sequenceOf(bytes, from, end)}`)
        return true
      },
      want: () => undefined,
      keyframe: () => undefined,
    },
    drops: createDropCounters(),
    report: () => undefined,
  })
  const names = { [UP]: 'up', [CHILD]: 'child', [LATE]: 'late' }
  for (const [trunkId, name] of Object.entries(names)) {
    const end = new FakeTrunkEnd((note) => {
      if (note.startsWith('keyframe')) notes.push(`${name} ${note}`)
    })
    end.onFrame = (streamId, bytes, from, to) =>
      void notes.push(`${name} ${streamId} gets ${sequenceOf(bytes, from, to)}`)
    router.addTrunk(Number(trunkId), end)
  }
  router.expect(UP, CAMERA, specOf(4))
  const place = { room: 1, place: 'main', emergency: false } as const
  router.offer(CHILD, CAMERA, { spec: specOf(5), place })
  router.offer(LATE, CAMERA, { spec: specOf(6), place })
  router.export(CAMERA, 0)
  let nowMs = 1_000
  const send = (sequence: number, isKey = false) => {
    const frame = picture(sequence, isKey, 4)
    nowMs += 40
    router.onTrunkFrame(UP, 4, frame, 0, frame.length, nowMs)
  }
  const settle = () => {
    router.onDeadline(nowMs)
    return notes.splice(0)
  }
  return { router, send, settle, notes, nowMs: () => nowMs }
}

function sequenceOf(bytes: Uint8Array, start: number, end: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + start, end - start).getInt32(8)
}

test('a late child gets the keyframe and all since from this node, and the publisher is not asked', (t) => {
  const { router, send, settle, nowMs } = start()
  router.onTrunkWant(CHILD, 5, 0b010)
  send(9)
  send(10, true)
  send(11)
  send(12)
  settle()
  router.onTrunkWant(LATE, 6, 0b010)
  router.onTrunkKeyframe(LATE, 6, 1, nowMs())
  router.onTrunkKeyframe(LATE, 6, 1, nowMs())
  send(13)
  t.deepEqual(settle(), [
    'child 5 gets 13',
    'late 6 gets 13',
    ...[10, 11, 12, 13].map((sequence) => `late 6 gets ${sequence}`),
  ])
  router.onTrunkKeyframe(LATE, 6, 1, nowMs())
  t.deepEqual(settle(), ['up keyframe 4.1'])
})

test('so does a worker whose first viewer comes late', (t) => {
  const { router, send, settle, nowMs } = start()
  router.onTrunkWant(CHILD, 5, 0b010)
  send(10, true)
  send(11)
  settle()
  router.onWorkerWant(0, CAMERA, 0b010)
  router.onWorkerKeyframe(0, CAMERA, 1, nowMs())
  t.deepEqual(settle(), ['worker 0 gets 10', 'worker 0 gets 11'])
})

test('who has had the layer all along, and asks, is asking for a new keyframe', (t) => {
  const { router, send, settle, nowMs } = start()
  router.onTrunkWant(CHILD, 5, 0b010)
  send(10, true)
  send(11)
  settle()
  router.onTrunkKeyframe(CHILD, 5, 1, nowMs())
  t.deepEqual(settle(), ['up keyframe 4.1'])
})

test('with a hole in the cache a late child gets the picture, and a new one is asked for', (t) => {
  const { router, send, settle, nowMs } = start()
  router.onTrunkWant(CHILD, 5, 0b010)
  send(10, true)
  send(11)
  send(13)
  settle()
  router.onTrunkWant(LATE, 6, 0b010)
  router.onTrunkKeyframe(LATE, 6, 1, nowMs())
  t.deepEqual(settle(), ['late 6 gets 10', 'up keyframe 4.1'])
})

test('what nobody wanted for a while is not continued by what comes later', (t) => {
  const { router, send, settle, nowMs } = start()
  router.onTrunkWant(CHILD, 5, 0b010)
  send(10, true)
  router.onTrunkWant(CHILD, 5, 0)
  settle()
  router.onTrunkWant(LATE, 6, 0b010)
  router.onTrunkKeyframe(LATE, 6, 1, nowMs())
  t.deepEqual(settle(), ['up keyframe 4.1'])
})

test('a thread keeps so many caches and no more, and has them back', (t) => {
  const allowance = new CacheAllowance(ROUTE_CACHES_MAX)
  const all = Array.from({ length: ROUTE_CACHES_MAX + 1 }, () => new HandoffCache(allowance))
  const frame = picture(1, true)
  for (const caches of all) caches.onFrame(1, frame, 0, frame.length, 0)
  t.true(all[0]!.has(1))
  t.false(all.at(-1)!.has(1))
  all[0]!.clear(0b010)
  all.at(-1)!.onFrame(1, frame, 0, frame.length, 0)
  t.true(all.at(-1)!.has(1))
  const audio = picture(2, true)
  audio[3] = 0
  all[1]!.clear(-1)
  all[1]!.onFrame(1, audio, 0, audio.length, 0)
  t.false(all[1]!.has(1))
})
