import test from 'ava'
import fc from 'fast-check'
import { createRandom } from '../../bench/link/index.ts'
import { RELEASE_AUDIO_BYTES_MAX, RELEASE_FRAMES_MAX } from '../../config/limits.ts'
import { ReleaseBuffer } from './index.ts'

type Out = { sequence: number; isLate: boolean; atMs: number }

function bufferInto(out: Out[], kind: 'audio' | 'video', clock: { nowMs: number }): ReleaseBuffer {
  return new ReleaseBuffer({
    outlet: {
      released: (bytes, start, end, isLate) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
        out.push({ sequence: view.getUint32(0), isLate, atMs: clock.nowMs })
      },
    },
    kind,
    clockRate: 48_000,
  })
}

function frame(sequence: number, sizeBytes = 8): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  new DataView(bytes.buffer).setUint32(0, sequence)
  return bytes
}

function start(kind: 'audio' | 'video', holdMs: number, isPaced: boolean) {
  const out: Out[] = []
  const clock = { nowMs: 0 }
  const buffer = bufferInto(out, kind, clock)
  buffer.configure(holdMs, isPaced)
  const push = (sequence: number, index: number, nowMs: number, sizeBytes = 8) => {
    clock.nowMs = nowMs
    buffer.push(
      { sequence, index, tsTicks: sequence * 960 },
      frame(sequence, sizeBytes),
      0,
      sizeBytes,
      nowMs,
    )
  }
  const release = (nowMs: number, settledIndex: number) => {
    clock.nowMs = nowMs
    buffer.release(nowMs, settledIndex)
  }
  const sequences = () => out.map(({ sequence }) => sequence)
  return { out, buffer, push, release, sequences }
}

test('without a gap frames pass at once and nothing is held', (t) => {
  const { push, sequences, buffer } = start('video', 300, false)
  for (let sequence = 10; sequence < 20; sequence++) push(sequence, sequence, 0)
  t.is(sequences().length, 10)
  t.is(buffer.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})

test('after a gap frames wait until it is filled, and leave in order', (t) => {
  const { push, sequences, buffer } = start('video', 300, false)
  for (const sequence of [1, 2, 4, 6, 5]) push(sequence, sequence, 100)
  t.deepEqual(sequences(), [1, 2])
  t.is(buffer.nextDeadlineMs(), 400)
  push(3, 3, 150)
  t.deepEqual(sequences(), [1, 2, 3, 4, 5, 6])
})

test('a gap is passed when the hold is over, and what comes then is late', (t) => {
  const { push, release, sequences, out, buffer } = start('video', 300, false)
  for (const sequence of [1, 3, 4]) push(sequence, sequence, 100)
  release(399, 0)
  t.deepEqual(sequences(), [1])
  release(400, 0)
  t.deepEqual(sequences(), [1, 3, 4])
  push(2, 2, 500)
  t.deepEqual(out.at(-1), { sequence: 2, isLate: true, atMs: 500 })
  t.is(buffer.lateCount, 1)
})

test('a gap is passed at once when no datagram before is missing any more', (t) => {
  const { push, release, sequences } = start('video', 300, false)
  push(1, 10, 0)
  push(3, 14, 0)
  release(1, 12)
  t.deepEqual(sequences(), [1])
  release(2, 13)
  t.deepEqual(sequences(), [1, 3])
})

test('paced frames leave evenly whatever their transit, and after the hold', (t) => {
  const random = createRandom(4)
  const { push, release, out } = start('audio', 100, true)
  const arrivals = Array.from({ length: 500 }, (_, sequence) => ({
    sequence,
    atMs: 1_000 + sequence * 20 + Math.floor(random.next() * 90),
  })).sort((a, b) => a.atMs - b.atMs)
  // The shortest transit is known from the start.
  arrivals.unshift({ sequence: 0, atMs: 1_000 })
  for (let nowMs = 1_000; nowMs < 11_300; nowMs += 1) {
    while (arrivals[0] !== undefined && arrivals[0].atMs <= nowMs) {
      const { sequence } = arrivals.shift()!
      if (sequence > 0 || nowMs === 1_000) push(sequence, sequence, nowMs)
    }
    release(nowMs, -1)
  }
  t.is(out.length, 500)
  t.true(out.every(({ isLate, sequence }, place) => !isLate && sequence === place))
  const gaps = out.slice(1).map(({ atMs }, place) => atMs - out[place]!.atMs)
  t.true(Math.max(...gaps) <= 23, `${Math.max(...gaps)}`)
  t.true(Math.min(...gaps) >= 17, `${Math.min(...gaps)}`)
})

test('a lost paced frame holds nobody up', (t) => {
  const { push, release, sequences } = start('audio', 60, true)
  for (const sequence of [0, 1, 3, 4]) push(sequence, sequence, sequence * 20)
  release(60, -1)
  t.deepEqual(sequences(), [0])
  release(139, -1)
  t.deepEqual(sequences(), [0, 1, 3])
})

test('a changed hold moves by a tenth of the time that passes', (t) => {
  const { push, release, buffer, out } = start('audio', 40, true)
  let sequence = 0
  const run = (untilMs: number) => {
    for (let nowMs = sequence * 20; nowMs < untilMs; nowMs += 1) {
      if (nowMs % 20 === 0) push(sequence, sequence++, nowMs)
      release(nowMs, -1)
    }
  }
  run(2_000)
  buffer.configure(140, true)
  run(6_000)
  const gaps = out.slice(1).map(({ atMs }, place) => atMs - out[place]!.atMs)
  t.true(Math.max(...gaps) <= 23)
  t.is(out.at(-1)!.atMs - out.at(-1)!.sequence * 20, 140)
  buffer.configure(0, true)
  run(9_000)
  t.is(out.at(-1)!.atMs - out.at(-1)!.sequence * 20, 0)
  t.deepEqual(
    out.map((entry) => entry.sequence),
    [...out.keys()],
  )
})

test('more than fits goes out early, in order, and a far jump starts anew', (t) => {
  const { push, sequences, buffer } = start('audio', 1_000, false)
  push(0, 0, 0)
  const size = 1_000
  for (let sequence = 2; sequence < 200; sequence++) push(sequence, sequence, 0, size)
  t.true(buffer.heldCount * size <= RELEASE_AUDIO_BYTES_MAX)
  t.deepEqual(
    sequences(),
    [...sequences()].sort((a, b) => a - b),
  )
  push(5_000 + RELEASE_FRAMES_MAX, 300, 0)
  t.is(buffer.heldCount, 1)
  buffer.drain()
  t.is(sequences().length, 200)
})

test('nothing is lost, duplicated or disordered, whatever comes', (t) => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.boolean(),
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 1, max: 1_400 }),
      (seed, isPaced, holdMs, sizeMax) => {
        const random = createRandom(seed)
        const { push, release, buffer, out } = start('video', holdMs, isPaced)
        const pushed = new Set<number>()
        const late: { sequence: number; atMs: number }[] = []
        let nowMs = 0
        let sequence = 1_000
        for (let turn = 0; turn < 600; turn++) {
          nowMs += random.next() * 10
          if (random.next() < 0.03) sequence += Math.floor(random.next() * 700)
          const mine = sequence++
          pushed.add(mine)
          if (random.next() < 0.2) late.push({ sequence: mine, atMs: nowMs + random.next() * 300 })
          else push(mine, turn, nowMs, 4 + Math.floor(random.next() * sizeMax))
          for (const entry of late.splice(0)) {
            if (entry.atMs <= nowMs) push(entry.sequence, turn, nowMs)
            else late.push(entry)
          }
          release(nowMs, random.next() < 0.1 ? turn - 5 : -1)
        }
        for (const entry of late) push(entry.sequence, 600, nowMs)
        buffer.drain()
        t.is(out.length, pushed.size)
        t.is(new Set(out.map((entry) => entry.sequence)).size, pushed.size)
        const inOrder = out.filter(({ isLate }) => !isLate).map((entry) => entry.sequence)
        t.deepEqual(
          inOrder,
          [...inOrder].sort((a, b) => a - b),
        )
      },
    ),
    { numRuns: 150 },
  )
})
