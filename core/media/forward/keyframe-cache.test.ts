import test from 'ava'
import fc from 'fast-check'
import { KEYFRAME_CACHE_PACKETS_MAX, KEYFRAME_FRESH_MS } from '../../../config/limits.ts'
import { KeyframeCache } from './index.ts'

const PLENTY = 10_000_000

type Given = {
  sequence: number
  picture: number
  isKey?: boolean
  isStart?: boolean
  size?: number
  epoch?: number
}

function put(cache: KeyframeCache, given: Given, nowMs = 0): void {
  const { sequence, picture, isKey = false, isStart = true, size = 4, epoch = 1 } = given
  const bytes = new Uint8Array(size + 1)
  bytes[1] = sequence & 0xff
  const packet = {
    sequence,
    epoch,
    timestamp: picture * 3_600,
    keyframe: isKey,
    frameStart: isStart,
  }
  cache.onPacket(packet, bytes, 1, 1 + size, nowMs)
}

function replay(cache: KeyframeCache, nowMs = 0, bytesMax = PLENTY): [string, number[]] {
  const out: number[] = []
  const what = cache.replay(nowMs, bytesMax, (bytes, start) => out.push(bytes[start]!))
  return [what, out]
}

/** A keyframe of two packets, then pictures of one. */
function filled(followers: number): KeyframeCache {
  const cache = new KeyframeCache()
  put(cache, { sequence: 100, picture: 1, isKey: true })
  put(cache, { sequence: 101, picture: 1, isStart: false })
  for (let i = 0; i < followers; i++) put(cache, { sequence: 102 + i, picture: 2 + i })
  return cache
}

test('a late viewer gets the keyframe and all since', (t) => {
  t.deepEqual(replay(new KeyframeCache()), ['none', []])
  t.deepEqual(replay(filled(3), 60_000), ['live', [100, 101, 102, 103, 104]])
  t.deepEqual(replay(filled(0)), ['live', [100, 101]])
})

test('nothing is kept before the first keyframe, and a new one replaces the old', (t) => {
  const cache = new KeyframeCache()
  put(cache, { sequence: 99, picture: 0 })
  t.deepEqual(replay(cache), ['none', []])
  const next = filled(3)
  put(next, { sequence: 105, picture: 5, isKey: true })
  t.deepEqual(replay(next), ['live', [105]])
})

test('with a hole behind it the keyframe is handed out alone, while it is fresh', (t) => {
  const cache = filled(1)
  put(cache, { sequence: 104, picture: 4 })
  t.deepEqual(replay(cache, KEYFRAME_FRESH_MS), ['still', [100, 101]])
  t.deepEqual(replay(cache, KEYFRAME_FRESH_MS + 1), ['none', []])
  put(cache, { sequence: 103, picture: 3 })
  t.deepEqual(replay(cache, KEYFRAME_FRESH_MS + 1), ['live', [100, 101, 102, 103, 104]])
})

test('a keyframe with a hole, or one whose end nobody saw, is not handed out', (t) => {
  const hole = new KeyframeCache()
  put(hole, { sequence: 100, picture: 1, isKey: true })
  put(hole, { sequence: 102, picture: 1, isStart: false })
  put(hole, { sequence: 103, picture: 2 })
  t.deepEqual(replay(hole), ['none', []])
  const tail = new KeyframeCache()
  put(tail, { sequence: 100, picture: 1, isKey: true })
  put(tail, { sequence: 102, picture: 2 })
  t.deepEqual(replay(tail), ['none', []])
})

test('what the link cannot carry at once is cut to the keyframe, or to nothing', (t) => {
  const cache = filled(10)
  t.is(cache.usedBytes, 48)
  t.deepEqual(replay(cache, 0, 47), ['still', [100, 101]])
  t.deepEqual(replay(cache, 0, 7), ['none', []])
})

test('more than the cache holds leaves the keyframe alone', (t) => {
  const packets = filled(KEYFRAME_CACHE_PACKETS_MAX)
  t.deepEqual(replay(packets), ['still', [100, 101]])
  const bytes = filled(1)
  for (let i = 0; i < 500; i++) put(bytes, { sequence: 103 + i, picture: 3 + i, size: 1_400 })
  t.deepEqual(replay(bytes), ['still', [100, 101]])
  put(bytes, { sequence: 800, picture: 900, isKey: true })
  t.deepEqual(replay(bytes), ['live', [800 & 0xff]])
})

test('a restarted source begins with nothing', (t) => {
  const cache = filled(3)
  put(cache, { sequence: 5, picture: 1, epoch: 2 })
  t.deepEqual(replay(cache), ['none', []])
  put(cache, { sequence: 6, picture: 2, epoch: 2, isKey: true })
  t.deepEqual(replay(cache), ['live', [6]])
})

test('a live replay has no hole and begins with a keyframe, whatever comes in which order', (t) => {
  const packet = fc.record({
    step: fc.integer({ min: -4, max: 6 }),
    isKey: fc.boolean(),
    size: fc.integer({ min: 1, max: 1_500 }),
  })
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 400 }), (packets) => {
      const cache = new KeyframeCache()
      const keys = new Map<number, boolean>()
      let sequence = 70_000
      for (const { step, isKey, size } of packets) {
        sequence = Math.max(70_000, sequence + step)
        if (!keys.has(sequence)) keys.set(sequence, isKey)
        put(cache, { sequence, picture: sequence, isKey: keys.get(sequence)!, size })
        const [what, out] = replay(cache)
        if (what !== 'live') continue
        out.forEach((low, place) => {
          if (low !== ((out[0]! + place) & 0xff)) t.fail()
        })
      }
      t.pass()
    }),
  )
})
