import test from 'ava'
import fc from 'fast-check'
import { ROOM_START_MS, soundSegment } from './segment.fixture.ts'
import {
  hashOf,
  isSegmentHash,
  readSegment,
  readSegmentHead,
  type SegmentContents,
  writeSegment,
} from './segment-format.ts'

const GOLDEN_SOUND = `
  4e435331 01 01 01 05
  0000019e807aec00 00000000
  0000000000000000000000000000000000000000000000000000000000000000
  00065325e029e000 0000bb80 00000780 0000 0000 00000002
  0008 6769616f2d62616e 0002 7031 000d 4cc3b2205468e1bb8b204d6169 0006 6e6f64652d31
`

const PREVIOUS = 'ab'.repeat(32)

const picture: SegmentContents = soundSegment({
  use: 'camera',
  codec: 'vp8',
  clockRate: 90_000,
  sequence: 7,
  previous: PREVIOUS,
  startMs: ROOM_START_MS + 0.5,
  gapBefore: false,
  incomplete: true,
  widthPx: 320,
  heightPx: 180,
  durationTicks: 7_200,
  frames: [
    {
      ...{ offsetTicks: 0, keyframe: true, gapBefore: false, shown: true },
      ...{ temporalLayer: 0, levelDbov: 127, bytes: Uint8Array.of(1, 2, 3) },
    },
    {
      ...{ offsetTicks: 3_600, keyframe: false, gapBefore: true, shown: false },
      ...{ temporalLayer: 2, levelDbov: 127, bytes: Uint8Array.of(4) },
    },
  ],
})

test('sound has the bytes that docs/SEGMENTS.md shows', (t) => {
  const frames = soundSegment().frames.slice(0, 2)
  const bytes = writeSegment(soundSegment({ frames, durationTicks: 1_920 }))
  const table = '00000000 1e000003 000003c0 1e000003'
  const payloads = 'f8ff00 f8ff01'
  t.is(Buffer.from(bytes).toString('hex'), (GOLDEN_SOUND + table + payloads).replaceAll(/\s/g, ''))
})

test('a picture comes back as it was written', (t) => {
  const bytes = writeSegment(picture)
  const read = readSegment(bytes)
  const { frames: _, ...head } = picture
  t.like(read, { ...head, kind: 'video', durationMs: 80, independent: true })
  t.deepEqual(
    read?.frames.map((frame) => ({ ...frame, bytes: Uint8Array.from(frame.bytes) })),
    picture.frames,
  )
  t.deepEqual(writeSegment(read!), bytes)
  t.true(isSegmentHash(hashOf(bytes)))
})

test('property: what was written is read back, whatever is in it', (t) => {
  const name = fc
    .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
    .filter((text) => !text.includes('\0') && !text.startsWith('\ufeff'))
  fc.assert(
    fc.property(
      name,
      name,
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 40 }),
      fc.nat({ max: 2 ** 40 }),
      (room, participant, payloads, startMs) => {
        const frames = payloads.map((bytes, index) => ({
          ...soundSegment().frames[0]!,
          offsetTicks: index * 960,
          levelDbov: bytes[0]! & 0x7f,
          gapBefore: (bytes[0]! & 1) === 1,
          bytes,
        }))
        const contents = soundSegment({ room, participant, startMs, frames })
        const read = readSegment(writeSegment(contents))
        return (
          read?.room === room &&
          read.participant === participant &&
          read.startMs === startMs &&
          read.frames.every((frame, index) => Buffer.compare(frame.bytes, payloads[index]!) === 0)
        )
      },
    ),
  )
  t.pass()
})

test('property: bytes that are no segment make undefined, never an exception', (t) => {
  const sound = writeSegment(picture)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => readSegment(bytes) === undefined),
  )
  fc.assert(
    fc.property(fc.nat({ max: sound.length - 1 }), fc.nat({ max: 255 }), (at, value) => {
      const altered = sound.slice()
      altered[at] = value
      const read = readSegment(altered)
      // What still is one lies within its bytes.
      return read === undefined || read.frames.every(({ bytes }) => bytes.length > 0)
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(
      fc.nat({ max: sound.length - 1 }),
      (end) => readSegmentHead(sound.slice(0, end)) === undefined,
    ),
  )
  t.pass()
})

for (const [what, change] of [
  ['a first one that has one before it', { sequence: 0, previous: PREVIOUS }],
  ['a later one that has none', { sequence: 3, previous: '' }],
  ['an empty room', { room: '' }],
  ['a picture of a microphone', { codec: 'vp8', clockRate: 90_000 }],
  ['another clock', { clockRate: 8_000 }],
  ['more than its longest time', { durationTicks: 48_000 * 31 }],
] as [string, Partial<SegmentContents>][]) {
  test(`it is none: ${what}`, (t) => {
    t.is(readSegment(writeSegment(soundSegment(change))), undefined)
  })
}

test('what breaks a bound is not written', (t) => {
  t.throws(() => writeSegment(soundSegment({ frames: [] })), { instanceOf: RangeError })
  t.throws(() => writeSegment(soundSegment({ name: 'x'.repeat(600) })), { instanceOf: RangeError })
  const big = { ...soundSegment().frames[0]!, bytes: new Uint8Array(5_000_000) }
  t.throws(() => writeSegment(soundSegment({ frames: [big] })), { instanceOf: RangeError })
})
