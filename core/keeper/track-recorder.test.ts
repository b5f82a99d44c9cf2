import test from 'ava'
import fc from 'fast-check'
import { SEGMENT_CAMERA_MS, SEGMENT_HOLD_MS } from '../../config/limits.ts'
import type { MediaPacket } from '../media/rtp/index.ts'
import { mediaPacket, type PictureFields, picturePackets } from './segment.fixture.ts'
import { type SegmentDraft, TrackRecorder } from './track-recorder.ts'

const WALL_OFFSET_MS = 1_780_000_000_000

function start(use: 'microphone' | 'camera') {
  const segments: SegmentDraft[] = []
  const asked: number[] = []
  let nowMs = 1_000
  const clock = { isKnown: false, ntpMsAt: () => Number.NaN, timestampAt: () => Number.NaN }
  const recorder = new TrackRecorder({
    use,
    codec: use === 'microphone' ? 'opus' : 'vp8',
    clock: () => clock,
    wallOffsetMs: () => WALL_OFFSET_MS,
    onSegment: (draft) => segments.push(draft),
    onKeyframeWanted: () => asked.push(nowMs),
  })
  const give = (packet: MediaPacket, isPadding = false): void =>
    recorder.onPacket(packet, { levelDbov: 20, isPadding, nowMs })
  const pass = (ms: number): void => {
    nowMs += ms
    if (recorder.nextDeadlineMs() <= nowMs) recorder.onDeadline(nowMs)
  }
  return { recorder, segments, asked, give, pass, now: () => nowMs }
}

const sound = (index: number, epoch = 0): MediaPacket =>
  mediaPacket({
    sequence: 65_500 + index,
    timestamp: 0xfffffff0 + index * 960,
    payload: Uint8Array.of(0xf8, 0xff, index & 0xff),
    epoch,
  })

/** Picture `index` at 25/s, two packets each. */
const picture = (index: number, more: Partial<PictureFields> = {}): MediaPacket[] =>
  picturePackets({
    sequence: 100 + index * 2,
    timestamp: index * 3_600,
    isKey: index === 0,
    tl0: index & 0xff,
    ...more,
  })

test('sound is cut every two seconds, over the wraps of numbers and timestamps', (t) => {
  const { recorder, segments, give, pass } = start('microphone')
  for (let index = 0; index < 250; index++) {
    give(sound(index))
    pass(20)
  }
  recorder.end()
  t.deepEqual(
    segments.map(({ frames, gapBefore, incomplete }) => [frames.length, gapBefore, incomplete]),
    [
      [100, true, false],
      [100, false, false],
      [50, false, false],
    ],
  )
  t.is(segments[0]?.durationTicks, 96_000)
  t.is(segments[0]?.startMs, WALL_OFFSET_MS + 1_000)
  t.true(Math.abs(segments[1]!.startMs - segments[0]!.startMs - 2_000) < 1)
  t.deepEqual(
    segments.flatMap(({ frames }) => frames.map(({ bytes }) => bytes[2]!)),
    Array.from({ length: 250 }, (_, index) => index),
  )
})

test('property: packets in any order within the time of waiting make the same sound', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 12 }), { minLength: 220, maxLength: 220 }), (delays) => {
      const { recorder, segments, give, pass } = start('microphone')
      const order = delays
        .map((delay, index) => ({ at: index + delay, index }))
        .sort((one, other) => one.at - other.at || one.index - other.index)
      for (const { index } of order) {
        give(sound(index))
        pass(20)
      }
      recorder.end()
      const got = segments.flatMap(({ frames }) => frames.map(({ bytes }) => bytes[2]!))
      return (
        segments.every(({ incomplete }) => !incomplete) &&
        JSON.stringify(got) === JSON.stringify(delays.map((_, index) => index))
      )
    }),
    { numRuns: 50 },
  )
  t.pass()
})

test('sound that never came leaves a mark where it is missing', (t) => {
  const { segments, give, pass } = start('microphone')
  for (let index = 0; index < 200; index++) {
    if (index !== 30) give(sound(index))
    pass(20)
  }
  pass(SEGMENT_HOLD_MS)
  t.true(segments[0]?.incomplete)
  t.is(segments[0]?.frames.length, 99)
  t.deepEqual(
    segments[0]?.frames.flatMap(({ gapBefore }, index) => (gapBefore ? [index] : [])),
    [30],
  )
  t.is(segments[0]?.frames[30]?.offsetTicks, 31 * 960)
})

test('a source that begins anew ends its segment, and what follows continues nothing', (t) => {
  const { recorder, segments, give, pass } = start('microphone')
  for (let index = 0; index < 20; index++) {
    give(sound(index))
    pass(20)
  }
  give(sound(5_000, 1))
  recorder.end()
  t.deepEqual(
    segments.map(({ frames, gapBefore }) => [frames.length, gapBefore]),
    [
      [20, true],
      [1, true],
    ],
  )
})

test('redundant sound fills what was lost', (t) => {
  const { recorder, segments, give, pass } = start('microphone')
  give(sound(0))
  pass(40)
  // RFC 2198: the block before, three bytes and 960 ticks old, then the primary.
  const payload = Uint8Array.from([0x80 | 111, (960 >> 6) & 0xff, ((960 & 0x3f) << 2) & 0xff, 3])
  const blocks = Uint8Array.from([...payload, 111, 0xf8, 0xff, 1, 0xf8, 0xff, 2])
  give(
    mediaPacket({ codec: 'red', sequence: 65_502, timestamp: 0xfffffff0 + 1_920, payload: blocks }),
  )
  recorder.end()
  t.deepEqual(
    segments[0]?.frames.map(({ bytes, offsetTicks }) => [bytes[2], offsetTicks]),
    [
      [0, 0],
      [1, 960],
      [2, 1_920],
    ],
  )
  t.false(segments[0]?.incomplete)
})

test('a picture runs from keyframe to keyframe, and one is asked for only when none comes', (t) => {
  const { recorder, segments, asked, give, pass } = start('camera')
  let index = 0
  const show = (count: number, keyAt = -1): void => {
    for (let step = 0; step < count; step++, index++) {
      const isKey = index === 0 || step === keyAt
      for (const packet of picture(index, { isKey })) give(packet)
      pass(40)
    }
  }
  show(60)
  // Of its own accord, after 2.4 s.
  show(1, 0)
  t.deepEqual(asked, [])
  show(Math.ceil(SEGMENT_CAMERA_MS / 40) + 2)
  t.is(asked.length, 1)
  show(1, 0)
  recorder.end()
  t.deepEqual(
    segments.map(({ frames }) => frames[0]?.keyframe),
    [true, true, true],
  )
  t.is(segments[0]?.frames.length, 60)
  t.like(segments[0], { widthPx: 320, heightPx: 180, incomplete: false })
  // Descriptors are off, parts are joined.
  t.is(segments[0]?.frames[0]?.bytes.length, 10 + 20 + 20)
  t.is(segments[0]?.frames[1]?.bytes.length, 3 + 20 + 20)
})

test('before the first keyframe nothing is kept, and one is asked for', (t) => {
  const { recorder, segments, asked, give } = start('camera')
  for (const packet of picture(5)) give(packet)
  for (const packet of picture(6, { isKey: true })) give(packet)
  recorder.end()
  t.is(asked.length, 1)
  t.is(segments.length, 1)
  t.is(segments[0]?.frames.length, 1)
})

test('a broken picture of the base takes what follows with it, until a keyframe', (t) => {
  const { recorder, segments, give } = start('camera')
  for (let index = 0; index < 20; index++) {
    const packets = picture(index, { isKey: index === 0 || index === 15 })
    for (const packet of index === 10 ? packets.slice(1) : packets) give(packet)
  }
  recorder.end()
  const frames = segments.flatMap((segment) => segment.frames)
  t.is(frames.length, 10 + 5)
  t.true(frames[10]?.keyframe)
  t.true(frames[10]?.gapBefore)
  t.true(segments.some(({ incomplete }) => incomplete))
})

test('a lost picture that nobody refers to takes nothing with it', (t) => {
  const { recorder, segments, give } = start('camera')
  // Layers 0 1 0 1: TL0PICIDX counts the base.
  for (let index = 0; index < 20; index++) {
    const temporalLayer = index % 2
    const tl0 = index >> 1
    const fields = { isKey: index === 0, temporalLayer, tl0, switches: temporalLayer === 1 }
    if (index === 7) continue
    for (const packet of picture(index, fields)) give(packet)
  }
  recorder.end()
  t.is(segments.flatMap((segment) => segment.frames).length, 19)
})

test('two lost pictures of which one is of the base do', (t) => {
  const { recorder, segments, give } = start('camera')
  for (let index = 0; index < 20; index++) {
    const temporalLayer = index % 2
    const fields = { isKey: index === 0, temporalLayer, tl0: index >> 1, switches: true }
    if (index === 7 || index === 8) continue
    for (const packet of picture(index, fields)) give(packet)
  }
  recorder.end()
  t.is(segments.flatMap((segment) => segment.frames).length, 7)
})

test('padding uses up its number and is no loss', (t) => {
  const { recorder, segments, give } = start('camera')
  for (const packet of picture(0)) give(packet)
  give(
    mediaPacket({ codec: 'vp8', sequence: 102, timestamp: 0, payload: Uint8Array.of(1, 1) }),
    true,
  )
  for (const packet of picture(1, { sequence: 103 })) give(packet)
  recorder.end()
  t.is(segments[0]?.frames.length, 2)
  t.false(segments[0]?.incomplete)
})

test('a microphone that falls silent ends its segment, and the next continues it', (t) => {
  const { segments, recorder, give, pass } = start('microphone')
  give(sound(0))
  pass(1_600)
  t.is(segments.length, 1)
  pass(60_000)
  give(mediaPacket({ sequence: 65_501, timestamp: 3_000_000, payload: Uint8Array.of(0xf8, 1, 1) }))
  recorder.end()
  t.is(segments.length, 2)
  t.false(segments[1]?.gapBefore)
})
