import { readFileSync } from 'node:fs'
import test from 'ava'
import {
  Defragmenter,
  FeedbackReader,
  FRAME_DEMAND,
  FRAME_FEEDBACK,
  FRAME_FRAGMENT,
  FRAME_HOLD,
  FRAME_KEYFRAME,
  FRAME_KNOWN,
  FRAME_LEVELS,
  FRAME_MEDIA,
  FRAME_NACK,
  FRAME_PADDING,
  FRAME_STATUS,
  FrameReader,
  frameKind,
  MEDIA_FLAGGED,
  MEDIA_FULL,
  MEDIA_NEXT,
  MEDIA_SHORT,
  MediaContext,
  MediaFrame,
  mediaForm,
  PairReader,
  RangeReader,
  readStatus,
  StatusFrame,
  WireReader,
  writeCame,
  writeFeedbackHead,
  writeFragmentHead,
  writeFrameHead,
  writeMediaHead,
  writeMissing,
  writePair,
  writeRanges,
  writeStatus,
  writeVarint,
} from './index.ts'

const PAGE = readFileSync(new URL('../../docs/RELAY-WIRE.md', import.meta.url), 'utf8')

/** The bytes in the page's table of examples whose description begins so. */
function example(begin: string): string {
  const row = PAGE.split('\n').find((line) => line.startsWith(`| ${begin}`))
  return (/`([0-9a-f ]+)` \|$/.exec(row ?? '')?.[1] ?? 'none').replaceAll(' ', '')
}

function framed(kind: number, body: Uint8Array): string {
  const out = new Uint8Array(body.length + 8)
  const at = writeFrameHead(out, 0, kind, body.length)
  out.set(body, at)
  return Buffer.from(out.subarray(0, at + body.length)).toString('hex')
}

function bodyOf(write: (out: Uint8Array) => number): Uint8Array {
  const out = new Uint8Array(100)
  return out.slice(0, write(out))
}

/** The first frame of these bytes, ready to be read. */
function open(hex: string): { type: number; form: number; reader: WireReader } {
  const bytes = Buffer.from(hex, 'hex')
  const frames = new FrameReader()
  frames.begin(bytes, 0, bytes.length)
  if (!frames.next()) throw new Error('no frame')
  const reader = new WireReader()
  reader.begin(bytes, frames.start, frames.end)
  return { type: frames.type, form: frames.form, reader }
}

function media(fields: Partial<MediaFrame>): MediaFrame {
  return Object.assign(new MediaFrame(), fields)
}

function mediaHex(frame: MediaFrame, payload: string): string {
  const bytes = Buffer.from(payload, 'hex')
  const body = bodyOf((out) => {
    const at = writeMediaHead(out, 0, frame)
    out.set(bytes, at)
    return at + bytes.length
  })
  return framed(frameKind(FRAME_MEDIA, frame.form), body)
}

const VOICE = { keyframe: true, frameStart: true, temporalSwitch: true }

test('media: a short form, and what follows it', (t) => {
  const voice = media({ ...VOICE, streamId: 7, sequence: 0x51234, timestamp: 0xffabcdef })
  voice.form = mediaForm(voice)
  t.is(voice.form, MEDIA_SHORT)
  t.is(mediaHex(voice, 'f80102'), '0d09071234abcdeff80102')
  t.is(mediaHex(voice, 'f80102'), example('MEDIA SHORT'))
  const next = '0c03f80304'
  t.is(next, example('MEDIA NEXT'))
  const context = new MediaContext()
  const read = new MediaFrame()
  const first = open(example('MEDIA SHORT'))
  t.true(context.read(read, first.form, first.reader))
  t.like(read, {
    streamId: 7,
    sequence: 0x1234,
    timestamp: 0xabcdef,
    keyframe: true,
    marker: false,
  })
  const second = open(next)
  t.is(second.form, MEDIA_NEXT)
  t.true(context.read(read, second.form, second.reader))
  // 20 ms of Opus are 960 ticks.
  t.like(read, { streamId: 7, sequence: 0x1235, timestamp: 0xabcdef + 960, codec: 0 })
})

test('media: the head of an Opus packet of 32 kbit/s takes at most eight bytes', (t) => {
  const voice = media({ ...VOICE, streamId: 7, sequence: 1, timestamp: 2 })
  voice.form = mediaForm(voice)
  t.is(mediaHex(voice, 'f8'.padEnd(160, '0')).length / 2, 80 + 8)
})

test('media: full and flagged forms', (t) => {
  const full = media({
    ...VOICE,
    form: MEDIA_FULL,
    streamId: 300,
    codec: 2,
    layer: 2,
    run: 1,
    sequence: 70_000,
    timestamp: 0x89abcdef,
  })
  t.is(mediaHex(full, '9080'), '0f0fac02260a010001117089abcdef9080')
  t.is(mediaHex(full, '9080'), example('MEDIA FULL'))
  const flagged = media({
    form: MEDIA_FLAGGED,
    streamId: 5,
    codec: 2,
    layer: 1,
    marker: true,
    temporalLayer: 2,
    sequence: 9,
    timestamp: 3_000,
  })
  t.is(mediaForm(flagged), MEDIA_FLAGGED)
  t.is(mediaHex(flagged, '80'), '0e09051109' + '0009000bb880')
  t.is(mediaHex(flagged, '80'), example('MEDIA FLAGGED'))
  for (const frame of [full, flagged]) {
    const { form, reader } = open(example(frame === full ? 'MEDIA FULL' : 'MEDIA FLAGGED'))
    const read = new MediaFrame()
    t.true(new MediaContext().read(read, form, reader))
    const { payloadStart, payloadEnd, ...rest } = read
    t.like(frame, rest)
    t.is(payloadEnd - payloadStart, frame === full ? 2 : 1)
  }
})

test('status', (t) => {
  const status = new StatusFrame()
  Object.assign(status, { streamId: 2, layer: 1, bitrateBps: 450_000, hasSize: true })
  Object.assign(status, { widthPx: 640, heightPx: 360, hasNumbers: true })
  Object.assign(status, { sequence: 258, timestamp: 90_000 })
  const body = bodyOf((out) => writeStatus(out, 0, status))
  t.is(framed(frameKind(FRAME_STATUS, 0), body), '141102259423' + '8005e802' + '000000010200015f90')
  t.is(framed(frameKind(FRAME_STATUS, 0), body), example('STATUS'))
  const read = new StatusFrame()
  t.true(readStatus(read, open(example('STATUS')).reader))
  t.deepEqual({ ...read }, { ...status })
  Object.assign(status, { hasClock: true, ntpMs: 1_700_000_000_123.25, clockTimestamp: 5 })
  Object.assign(status, { hasShares: true, temporalMax: 2 })
  status.shares.set([100, 180, 255, 255])
  const whole = bodyOf((out) => writeStatus(out, 0, status))
  const reader = new WireReader()
  reader.begin(whole, 0, whole.length)
  t.true(readStatus(read, reader))
  t.deepEqual({ ...read }, { ...status })
})

test('levels, demand, acknowledgement, keyframe requests', (t) => {
  const levels = bodyOf((out) => writePair(out, writePair(out, 0, 1, 30), 200, 127))
  t.is(framed(frameKind(FRAME_LEVELS, 0), levels), '1c05011ec8017f')
  t.is(framed(frameKind(FRAME_LEVELS, 0), levels), example('LEVELS'))
  const demand = bodyOf((out) => {
    const at = writeVarint(out, writeVarint(out, 0, 1), 3)
    return writePair(out, writePair(out, at, 4, 3), 9, 0)
  })
  t.is(framed(frameKind(FRAME_DEMAND, 0), demand), example('DEMAND'))
  const known = bodyOf((out) => writeVarint(out, 0, 3))
  t.is(framed(frameKind(FRAME_KNOWN, 0), known), example('KNOWN'))
  const keyframe = bodyOf((out) => writePair(out, 0, 4, 2))
  t.is(framed(frameKind(FRAME_KEYFRAME, 0), keyframe), example('KEYFRAME'))
  const pairs = new PairReader()
  const { reader } = open(example('LEVELS'))
  t.true(pairs.next(reader))
  t.like(pairs, { streamId: 1, value: 30 })
  t.true(pairs.next(reader))
  t.like(pairs, { streamId: 200, value: 127 })
  t.false(pairs.next(reader))
})

test('feedback', (t) => {
  const head = { newestIndex: 1_000, heldTicks: 40, newestTicks: 0x010203 }
  const body = bodyOf((out) => {
    let at = writeFeedbackHead(out, 0, head)
    at = writeCame(out, at, 4)
    at = writeMissing(out, at, 2)
    return writeCame(out, at, 5)
  })
  t.is(framed(frameKind(FRAME_FEEDBACK, 0), body), example('FEEDBACK'))
  const feedback = new FeedbackReader()
  t.true(feedback.begin(open(example('FEEDBACK')).reader))
  t.like(feedback, { newestLow: 1_000, heldTicks: 40, newestLowTicks: 0x010203 })
  t.true(feedback.next())
  t.like(feedback, { came: true, count: 1, ticksBefore: 4 })
  t.true(feedback.next())
  t.like(feedback, { came: false, count: 2 })
  t.true(feedback.next())
  t.like(feedback, { came: true, count: 1, ticksBefore: 9 })
  t.false(feedback.next())
})

test('ranges of datagrams to send again', (t) => {
  const first = Float64Array.of(500, 503)
  const last = Float64Array.of(500, 504)
  const body = bodyOf((out) => writeRanges(out, 0, { first, last, count: 2, bytesMax: 90 }))
  t.is(framed(frameKind(FRAME_NACK, 0), body), example('NACK'))
  const ranges = new RangeReader()
  ranges.begin()
  const { reader } = open(example('NACK'))
  // The low 24 bits are of the index nearest to what was sent last.
  const near = 3 * 2 ** 24 + 900
  t.true(ranges.next(reader, near))
  t.like(ranges, { first: 3 * 2 ** 24 + 500, last: 3 * 2 ** 24 + 500 })
  t.true(ranges.next(reader, near))
  t.like(ranges, { first: 3 * 2 ** 24 + 503, last: 3 * 2 ** 24 + 504 })
  t.false(ranges.next(reader, near))
})

test('fragments come together in any order', (t) => {
  const place = { id: 3, part: 1, count: 2, offset: 2 }
  const second = bodyOf((out) => {
    const at = writeFragmentHead(out, 0, place)
    out.set([8, 9], at)
    return at + 2
  })
  t.is(framed(frameKind(FRAME_FRAGMENT, 0), second), example('FRAGMENT'))
  const first = bodyOf((out) => {
    const at = writeFragmentHead(out, 0, { ...place, part: 0, offset: 0 })
    out.set([6, 7], at)
    return at + 2
  })
  const defragmenter = new Defragmenter()
  const reader = new WireReader()
  reader.begin(second, 0, second.length)
  t.false(defragmenter.add(reader))
  reader.begin(first, 0, first.length)
  t.true(defragmenter.add(reader))
  t.deepEqual([...defragmenter.bytes.subarray(0, defragmenter.end)], [6, 7, 8, 9])
})

test('hold times and padding', (t) => {
  const hold = bodyOf((out) => {
    const at = writeVarint(out, writeVarint(out, 0, 80), 600)
    out[at] = 1
    return at + 1
  })
  t.is(framed(frameKind(FRAME_HOLD, 0), hold), example('HOLD'))
  t.is(framed(frameKind(FRAME_PADDING, 0), new Uint8Array(3)), example('PADDING'))
})

test('a frame of a later version is passed over by its length', (t) => {
  const bytes = Buffer.from(`${'fd02aaaa'}${example('KNOWN')}`, 'hex')
  const frames = new FrameReader()
  frames.begin(bytes, 0, bytes.length)
  t.true(frames.next())
  t.is(frames.type, 31)
  t.true(frames.next())
  t.is(frames.type, FRAME_KNOWN)
  t.false(frames.next())
  t.false(frames.isMalformed)
})
