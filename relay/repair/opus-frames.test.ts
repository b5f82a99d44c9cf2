import test from 'ava'
import fc from 'fast-check'
import { opusDurationTicks } from '../../core/media/rtp/index.ts'
import { AudioMerger, AudioSplitter, OpusFrames } from './index.ts'

/** SILK wide band, 20 ms, mono: configuration 9. */
const TOC = 9 << 3

function framesOf(bytes: number[]): OpusFrames | undefined {
  const frames = new OpusFrames()
  return frames.append(Uint8Array.from(bytes), 0, bytes.length) ? frames : undefined
}

function written(frames: OpusFrames, first = 0, count = frames.count): number[] {
  const out = new Uint8Array(5_000)
  return [...out.subarray(2, frames.write(out, 2, first, count))]
}

test('code 0 is one frame, also an empty one', (t) => {
  t.deepEqual(written(framesOf([TOC, 1, 2, 3])!), [TOC, 1, 2, 3])
  t.deepEqual(written(framesOf([TOC])!), [TOC])
})

test('code 1 is two frames of the same size (R3)', (t) => {
  t.deepEqual(written(framesOf([TOC | 1, 1, 2, 3, 4])!), [TOC | 1, 1, 2, 3, 4])
  t.is(framesOf([TOC | 1, 1, 2, 3]), undefined)
})

test('code 2 says the first size, in one byte or two (R4)', (t) => {
  t.deepEqual(written(framesOf([TOC | 2, 1, 7, 8, 9])!), [TOC | 2, 1, 7, 8, 9])
  const long = [TOC | 2, 252, 0, ...Array.from({ length: 252 }, () => 5), 6]
  t.deepEqual(written(framesOf(long)!), long)
  t.is(framesOf([TOC | 2]), undefined)
  t.is(framesOf([TOC | 2, 252]), undefined)
  t.is(framesOf([TOC | 2, 3, 1, 2]), undefined)
})

test('code 3: equal sizes divide the rest (R6), padding is dropped', (t) => {
  t.deepEqual(written(framesOf([TOC | 3, 3, 1, 2, 3])!), [TOC | 3, 3, 1, 2, 3])
  t.deepEqual(written(framesOf([TOC | 3, 0x43, 2, 1, 2, 3, 0, 0])!), [TOC | 3, 3, 1, 2, 3])
  t.is(framesOf([TOC | 3, 3, 1, 2]), undefined)
  const padded = [TOC | 3, 0x43, 255, 1, 1, 2, 3, ...Array.from({ length: 255 }, () => 0)]
  t.deepEqual(written(framesOf(padded)!), [TOC | 3, 3, 1, 2, 3])
})

test('code 3: varied sizes stand before the frames (R7)', (t) => {
  t.deepEqual(written(framesOf([TOC | 3, 0x83, 0, 2, 5, 6, 7])!), [TOC | 3, 0x83, 0, 2, 5, 6, 7])
  t.is(framesOf([TOC | 3, 0x83, 2]), undefined)
  t.is(framesOf([TOC | 3, 0x83, 2, 2, 5, 6, 7]), undefined)
})

test('code 3: no frame at all, or more than 120 ms (R5), or padding that leaves the packet, is not Opus', (t) => {
  t.is(framesOf([TOC | 3]), undefined)
  t.is(framesOf([TOC | 3, 0]), undefined)
  t.is(framesOf([TOC | 3, 7]), undefined)
  t.not(framesOf([TOC | 3, 6]), undefined)
  t.is(framesOf([TOC | 3, 0x41, 9, 1]), undefined)
  t.is(framesOf([TOC | 3, 0x41, 255]), undefined)
})

test('a frame longer than 1275 bytes is not Opus (R2)', (t) => {
  const of = (length: number) => framesOf([TOC, ...Array.from({ length }, () => 1)])
  t.not(of(1_275), undefined)
  t.is(of(1_276), undefined)
})

test('only packets of one configuration and channel count are joined, up to 120 ms', (t) => {
  const frames = framesOf([TOC, 1])!
  const append = (...bytes: number[]) => frames.append(Uint8Array.from(bytes), 0, bytes.length)
  t.false(append(TOC + 8, 2))
  t.false(append(TOC | 4, 2))
  t.true(append(TOC | 1, 2, 3))
  t.true(append(TOC | 3, 3, 4, 5, 6))
  t.false(append(TOC, 7))
  t.deepEqual(written(frames), [TOC | 3, 6, 1, 2, 3, 4, 5, 6])
  t.is(opusDurationTicks(Uint8Array.from(written(frames)), 0, 8), 5_760)
})

test('what is not Opus never throws and changes nothing', (t) => {
  const out = new Uint8Array(9_000)
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (packets) => {
      const frames = new OpusFrames()
      for (const packet of packets) {
        const before = frames.count > 0 ? written(frames) : []
        if (!frames.append(packet, 0, packet.length)) {
          t.deepEqual(frames.count > 0 ? written(frames) : [], before)
        } else t.true(opusDurationTicks(packet, 0, packet.length) > 0)
      }
      if (frames.count > 0) t.true(frames.write(out, 0, 0, frames.count) > 0)
    }),
    { numRuns: 2_000 },
  )
})

const packetsOf = fc.record({
  configuration: fc.integer({ min: 0, max: 31 }),
  stereo: fc.boolean(),
  payloads: fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 6 }),
})

test('what is merged and split again is what came: bytes, sequences, timestamps', (t) => {
  fc.assert(
    fc.property(
      packetsOf,
      fc.integer({ min: 1, max: 6 }),
      ({ configuration, stereo, payloads }, target) => {
        const toc = (configuration << 3) | (stereo ? 4 : 0)
        const merger = new AudioMerger()
        merger.configure(target)
        const ticks = opusDurationTicks(Uint8Array.of(toc), 0, 1)
        const came = payloads.map((payload, place) => ({
          sequence: 70_000 + place,
          timestamp: (0xffff_ff00 + place * ticks) >>> 0,
          bytes: [toc, ...payload],
        }))
        const left: typeof came = []
        const out = new Uint8Array(5_000)
        const part = new Uint8Array(2_000)
        const take = () => {
          const end = merger.take(out, 0)
          const splitter = new AudioSplitter()
          t.true(splitter.open(out, 0, end, merger.takenCount))
          for (let place = 0; place < merger.takenCount; place++) {
            left.push({
              sequence: merger.sequence + place,
              timestamp: (merger.timestamp + place * splitter.packetTicks) >>> 0,
              bytes: [...part.subarray(0, splitter.write(part, 0, place))],
            })
          }
        }
        for (const { sequence, timestamp, bytes } of came) {
          const packet = { sequence, timestamp, marker: false }
          if (!merger.push(packet, Uint8Array.from(bytes), 0, bytes.length, 0)) {
            take()
            t.true(merger.push(packet, Uint8Array.from(bytes), 0, bytes.length, 0))
          }
          if (merger.isFull) take()
        }
        if (merger.packetCount > 0) take()
        t.deepEqual(left, came)
      },
    ),
    { numRuns: 500 },
  )
})

test('a gap, a jump of the timestamp, a marker or another configuration ends a merge', (t) => {
  const bytes = Uint8Array.of(TOC, 1)
  const after = (
    packet: { sequence: number; timestamp: number; marker: boolean },
    next = bytes,
  ) => {
    const merger = new AudioMerger()
    merger.configure(3)
    t.true(merger.push({ sequence: 5, timestamp: 100, marker: true }, bytes, 0, 2, 1_000))
    t.is(merger.nextDeadlineMs(), 1_030)
    return merger.push(packet, next, 0, next.length, 1_020)
  }
  t.true(after({ sequence: 6, timestamp: 1_060, marker: false }))
  t.false(after({ sequence: 7, timestamp: 1_060, marker: false }))
  t.false(after({ sequence: 6, timestamp: 1_061, marker: false }))
  t.false(after({ sequence: 6, timestamp: 1_060, marker: true }))
  t.false(after({ sequence: 6, timestamp: 1_060, marker: false }, Uint8Array.of(TOC + 8, 1)))
  t.false(after({ sequence: 6, timestamp: 1_060, marker: false }, Uint8Array.of(TOC | 1, 1, 2)))
})

test('a merged packet cannot be split into parts that it does not have', (t) => {
  const splitter = new AudioSplitter()
  const bytes = Uint8Array.of(TOC | 3, 3, 1, 2, 3)
  t.true(splitter.open(bytes, 0, 5, 3))
  t.is(splitter.packetTicks, 960)
  t.false(splitter.open(bytes, 0, 5, 2))
  t.false(splitter.open(bytes, 0, 5, 0))
  t.false(splitter.open(bytes, 0, 5, 4))
})
