import test from 'ava'
import fc from 'fast-check'
import {
  AUDIO_COPIES_WAITING_MAX,
  AUDIO_COPY_STREAMS_MAX,
  SENT_BYTES_KEPT,
  SENT_DATAGRAMS_KEPT,
  SENT_FRAMES_KEPT,
  SENT_KEPT_MS,
} from '../../config/limits.ts'
import { AudioCopies, SentFrames } from './index.ts'

/** All copies that are due, as stream:first byte. */
function taken(copies: AudioCopies, nowMs: number): string[] {
  const list: string[] = []
  while (copies.take(nowMs)) list.push(`${copies.streamId}:${copies.bytes[copies.start]}`)
  return list
}

function store(copies: AudioCopies, streamId: number, value: number, nowMs: number): void {
  copies.store(streamId, Uint8Array.of(0, value, 1, 2), 1, 4, 20, nowMs)
}

test('each audio frame is copied as many frames later as the plan says, by stream', (t) => {
  const copies = new AudioCopies()
  copies.configure([2, 5])
  const seen: string[][] = []
  for (let frame = 0; frame < 8; frame++) {
    store(copies, 1, frame, frame * 20)
    if (frame % 2 === 0) store(copies, 2, 100 + frame, frame * 20)
    seen.push(taken(copies, frame * 20))
  }
  t.deepEqual(
    seen.map((list) => list.filter((copy) => copy.startsWith('1:')).join(' ')),
    ['', '', '1:0', '1:1', '1:2', '1:3 1:0', '1:4 1:1', '1:5 1:2'],
  )
  t.true(seen.flat().includes('2:100'))
})

test('the last words before a silence have their copies too', (t) => {
  const copies = new AudioCopies()
  copies.configure([2, 4])
  store(copies, 1, 7, 1_000)
  t.is(copies.nextDeadlineMs(), 1_030)
  t.deepEqual(taken(copies, 1_049), [])
  t.deepEqual(taken(copies, 1_050), ['1:7'])
  t.deepEqual(taken(copies, 1_089), [])
  t.deepEqual(taken(copies, 1_090), ['1:7'])
  t.is(copies.nextDeadlineMs(), Number.POSITIVE_INFINITY)
  store(copies, 1, 8, 5_000)
  t.deepEqual(taken(copies, 5_000), [])
})

test('without distances nothing is kept, and what waited is forgotten', (t) => {
  const copies = new AudioCopies()
  copies.configure([1])
  store(copies, 1, 1, 0)
  store(copies, 1, 2, 20)
  copies.configure([])
  store(copies, 1, 3, 40)
  t.deepEqual(taken(copies, 40), [])
})

test('copies of too many streams, or that nobody takes, push the oldest out', (t) => {
  const copies = new AudioCopies()
  copies.configure([1])
  for (let streamId = 1; streamId <= AUDIO_COPY_STREAMS_MAX + 1; streamId++) {
    store(copies, streamId, streamId % 200, streamId)
  }
  store(copies, 1, 50, 100)
  // Stream 1 was forgotten with its frame, stream 2 for it: nothing of 1 can be due.
  t.false(taken(copies, 0).some((copy) => copy.startsWith('1:')))
  for (let frame = 0; frame < AUDIO_COPIES_WAITING_MAX * 3; frame++) {
    store(copies, 3 + (frame % 30), frame % 200, 200)
  }
  t.true(taken(copies, 200).length <= AUDIO_COPIES_WAITING_MAX)
})

test('a copy is never anything but a frame that was stored', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.integer({ min: 1, max: 1_400 }), gapMs: fc.nat(60) }), {
        maxLength: 200,
      }),
      fc.integer({ min: 1, max: 31 }),
      (frames, distance) => {
        const copies = new AudioCopies()
        copies.configure([distance])
        let nowMs = 0
        frames.forEach(({ size, gapMs }, place) => {
          nowMs += gapMs
          const bytes = new Uint8Array(size).fill(place)
          copies.store(1, bytes, 0, size, 20, nowMs)
          while (copies.take(nowMs)) {
            const copy = copies.bytes.subarray(copies.start, copies.end)
            t.is(copy.length, frames[copy[0]!]!.size)
            t.true(copy.every((byte) => byte === copy[0]))
          }
        })
        t.pass()
      },
    ),
  )
})

function framesOf(sent: SentFrames, index: number, nowMs: number, rttMs = 100): string[] {
  const count = sent.find(index, nowMs, rttMs)
  return Array.from({ length: count }, (_, place) => {
    sent.frame(place)
    return `${sent.rank}:${Buffer.from(sent.bytes.subarray(sent.start, sent.end)).toString('hex')}`
  })
}

test('frames of a datagram are found again with their rank', (t) => {
  const sent = new SentFrames()
  sent.begin(2 ** 40, 0)
  sent.add(1, Uint8Array.of(9, 1, 2, 9), 1, 3)
  sent.add(4, Uint8Array.of(3), 0, 1)
  sent.begin(2 ** 40 + 1, 0)
  sent.add(0, Uint8Array.of(5), 0, 1)
  t.deepEqual(framesOf(sent, 2 ** 40, 10), ['1:0102', '4:03'])
  t.deepEqual(framesOf(sent, 2 ** 40 + 1, 10), ['0:05'])
  t.deepEqual(framesOf(sent, 2 ** 40 + 2, 10), [])
  t.deepEqual(framesOf(sent, -1, 10), [])
  t.deepEqual(framesOf(sent, Number.NaN, 10), [])
})

test('the same is not sent again within a round trip, nor when it is old', (t) => {
  const sent = new SentFrames()
  sent.begin(1, 0)
  sent.add(0, Uint8Array.of(5), 0, 1)
  t.is(framesOf(sent, 1, 10).length, 1)
  t.is(framesOf(sent, 1, 99).length, 0)
  t.is(framesOf(sent, 1, 100).length, 1)
  t.is(framesOf(sent, 1, SENT_KEPT_MS).length, 1)
  t.is(framesOf(sent, 1, SENT_KEPT_MS + 101).length, 0)
})

test('history forgets the oldest by datagrams, frames and bytes, and never hands out others', (t) => {
  const many = (count: number, frames: number, size: number) => {
    const sent = new SentFrames()
    for (let index = 0; index < count; index++) {
      sent.begin(index, 0)
      const bytes = new Uint8Array(size).fill(index & 0xff)
      for (let place = 0; place < frames; place++) sent.add(0, bytes, 0, size)
    }
    let found = 0
    for (let index = 0; index < count; index++) {
      const there = sent.find(index, 0, 0)
      found += there > 0 ? 1 : 0
      for (let place = 0; place < there; place++) {
        sent.frame(place)
        const frame = sent.bytes.subarray(sent.start, sent.end)
        if (frame.length !== size || frame[0] !== (index & 0xff)) t.fail()
      }
    }
    return found
  }
  t.is(many(SENT_DATAGRAMS_KEPT + 9, 1, 1), SENT_DATAGRAMS_KEPT)
  t.is(many(SENT_DATAGRAMS_KEPT, 4, 1), SENT_FRAMES_KEPT / 4)
  const byBytes = many(SENT_DATAGRAMS_KEPT, 1, 1_000)
  t.true(byBytes > SENT_BYTES_KEPT / 1_000 - 3 && byBytes <= SENT_BYTES_KEPT / 1_000)
})
