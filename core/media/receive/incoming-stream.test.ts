import test from 'ava'
import fc from 'fast-check'
import { NACK_BATCH_MAX, NACK_GAP_MAX } from '../../../config/limits.ts'
import { ReportBlock, RtcpWriter, SenderReport, setNtpTime } from '../rtcp/index.ts'
import { DROP_CODE, MediaPacket, parseRtp, RtpPacket, SequenceUnwrapper } from '../rtp/index.ts'
import { audioSection, type PacketFields, packetBytes, videoSection } from './generated-source.ts'
import { RECEIVED_MEDIA, RECEIVED_NOTHING, RECEIVED_PADDING, StreamTable } from './index.ts'

const OFFSET = 7
const KEYFRAME = [0x10, 0x00, 1, 2]
const DELTA = [0x10, 0x01, 1, 2]

/** One stream behind its table, fed with packets; `out` is what the last one became. */
function createFeed(sections = [videoSection({ ssrcs: [{ ssrc: 10, rtxSsrc: 11 }] })]) {
  const table = new StreamTable(sections)
  const packet = new RtpPacket()
  const out = new MediaPacket()
  const feed = (fields: PacketFields, nowMs = 0): number => {
    const bytes = packetBytes(fields, OFFSET)
    if (!parseRtp(packet, bytes, OFFSET, bytes.length)) throw new Error('bad packet in a test')
    const stream = table.resolve(packet, nowMs)
    return stream === undefined ? -table.dropCode : stream.receive(packet, nowMs, out)
  }
  return { table, out, feed }
}

function media(sequenceNumber: number, more: Partial<PacketFields> = {}): PacketFields {
  return { ssrc: 10, payloadType: 96, sequenceNumber, payload: DELTA, ...more }
}

function rtx(sequenceNumber: number, original: number, payload: number[] = DELTA): PacketFields {
  const body = [original >>> 8, original & 0xff, ...payload]
  return { ssrc: 11, payloadType: 97, sequenceNumber, payload: body }
}

test('what comes out is a bare header right before the payload', (t) => {
  const { feed, out } = createFeed()
  const fields = media(65_535, {
    timestamp: 4_294_967_295,
    marker: true,
    csrcs: [1, 2],
    extensions: [
      [1, [48]],
      [5, [1, 2, 3]],
    ],
    paddingBytes: 9,
    payload: KEYFRAME,
  })
  t.is(feed(fields, 123.5), RECEIVED_MEDIA)
  t.like(out, {
    sequence: 0x1ffff,
    epoch: 1,
    timestamp: 4_294_967_295,
    marker: true,
    payloadType: 96,
    codec: 'vp8',
    keyframe: true,
    frameStart: true,
    late: false,
    arrivalMs: 123.5,
  })
  const plain = packetBytes(
    media(65_535, { timestamp: 4_294_967_295, marker: true, payload: KEYFRAME }),
    0,
  )
  t.deepEqual(out.bytes.slice(out.start, out.end), plain)
})

test('numbers go on over the wrap, and late ones keep their place', (t) => {
  const { feed, out } = createFeed()
  t.is(feed(media(65_534)), RECEIVED_MEDIA)
  t.is(feed(media(0)), RECEIVED_MEDIA)
  t.is(out.sequence, 0x20000)
  t.false(out.late)
  t.is(feed(media(65_535)), RECEIVED_MEDIA)
  t.is(out.sequence, 0x1ffff)
  t.true(out.late)
  t.is(feed(media(65_535)), -DROP_CODE.duplicate)
})

test('padding-only packets are told apart and keep their number', (t) => {
  const { feed, out, table } = createFeed()
  feed(media(65_535))
  t.is(feed(media(0, { payload: [], paddingBytes: 200 })), RECEIVED_PADDING)
  t.is(out.sequence, 0x20000)
  t.is(out.epoch, 1)
  t.is(feed(media(1)), RECEIVED_MEDIA)
  t.is(table.streams[0]?.paddingCount, 1)
  t.is(table.streams[0]?.nacks?.pendingCount, 0)
})

test('a recovered packet comes out as a late original', (t) => {
  const { feed, out, table } = createFeed()
  feed(media(65_534))
  feed(media(1))
  t.is(feed(rtx(0, 65_535)), RECEIVED_MEDIA)
  t.like(out, { sequence: 0x1ffff, late: true, payloadType: 96, timestamp: 0 })
  t.deepEqual([...out.bytes.subarray(out.start + 12, out.end)], DELTA)
  t.deepEqual(out.bytes.slice(out.start, out.end), packetBytes(media(65_535), 0))
  t.is(feed(rtx(1, 65_535)), RECEIVED_NOTHING, 'twice is once')
  t.is(feed(media(65_535)), -DROP_CODE.duplicate)
  t.is(table.streams[0]?.nacks?.pendingCount, 1)
})

test('RTX probes use no number of the source, whatever they carry', (t) => {
  const { feed } = createFeed()
  const probe = { ssrc: 11, payloadType: 97, payload: [], paddingBytes: 200 }
  t.is(feed({ ...probe, sequenceNumber: 65_535 }), RECEIVED_NOTHING)
  t.is(feed(rtx(0, 77)), RECEIVED_NOTHING, 'before any media')
  t.is(feed(media(5)), RECEIVED_MEDIA)
  t.is(feed({ ...probe, sequenceNumber: 1, payload: [9], paddingBytes: 3 }), RECEIVED_NOTHING)
  t.is(feed(rtx(2, 5)), RECEIVED_NOTHING, 'what we have already')
  t.is(feed(media(6)), RECEIVED_MEDIA)
})

test('a restart of the source shows as a new epoch', (t) => {
  const { feed, out } = createFeed()
  feed(media(65_535))
  t.is(feed(media(20_000)), -DROP_CODE['sequence-jump'])
  t.is(feed(media(20_001)), RECEIVED_MEDIA)
  t.is(out.epoch, 2)
})

test('payload types and payloads that make no sense are dropped by name', (t) => {
  const { feed } = createFeed()
  t.is(feed(media(1, { payloadType: 50 })), -DROP_CODE['payload-type-unknown'])
  t.is(feed(media(1, { payload: [0x90] })), -DROP_CODE['payload-malformed'])
  t.is(feed(media(2)), RECEIVED_MEDIA)
})

test('H.264 pictures begin where the timestamp changes, once', (t) => {
  const codecs = [
    { codec: 'h264' as const, payloadType: 96, rtxPayloadType: 97, clockRate: 90_000 },
  ]
  const { feed, out } = createFeed([videoSection({ codecs, ssrcs: [{ ssrc: 10 }] })])
  const expected: [number[], number, boolean, boolean][] = [
    [[0x67, 1], 100, true, true],
    [[0x67, 1], 100, false, false],
    [[28, 0x85, 1], 100, false, false],
    [[28, 0x05, 1], 100, false, false],
    [[0x41, 1], 200, false, true],
    [[0x67, 1], 300, true, true],
  ]
  expected.forEach(([payload, timestamp, keyframe, frameStart], index) => {
    t.is(feed(media(index + 1, { payload, timestamp })), RECEIVED_MEDIA)
    t.like(out, { keyframe, frameStart }, `packet ${index}`)
  })
})

test('NACKs are written for what is missing and stop when it is here', (t) => {
  const { feed, table } = createFeed()
  feed(media(65_534))
  const stream = table.streams[0]
  feed(media(2), 0)
  t.is(stream?.nextDeadlineMs(), 10)
  const out = new Uint8Array(200)
  const writer = new RtcpWriter()
  writer.reset(out, 0, 200)
  stream?.collect(9, writer, 1)
  t.true(writer.isEmpty)
  stream?.collect(10, writer, 1)
  t.deepEqual(
    [...out.subarray(0, writer.end)],
    [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 10, 0xff, 0xff, 0, 3],
  )
  feed(rtx(1, 65_535), 60)
  feed(rtx(2, 0), 60)
  feed(media(1), 60)
  t.is(stream?.nextDeadlineMs(), Infinity)
  t.is(stream?.nacks?.rttMs, 50)
})

test('a gap that cannot be repaired asks for a keyframe, and only a keyframe in order ends that', (t) => {
  const { feed, table } = createFeed()
  feed(media(65_000))
  const stream = table.streams[0]
  const next = (65_000 + NACK_GAP_MAX + 2) & 0xffff
  feed(media(next), 100)
  t.true(stream?.keyframes.isWanted)
  const out = new Uint8Array(200)
  const writer = new RtcpWriter()
  writer.reset(out, 0, 200)
  stream?.collect(100, writer, 1)
  t.deepEqual([...out.subarray(0, writer.end)], [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 10])
  feed(rtx(1, 65_001, KEYFRAME), 110)
  t.true(stream?.keyframes.isWanted)
  feed(media((next + 1) & 0xffff, { payload: KEYFRAME }), 120)
  t.false(stream?.keyframes.isWanted)
  t.is(stream?.nextDeadlineMs(), Infinity)
})

test('without nack and pli in the description nothing is asked for', (t) => {
  const feedback = { nack: false, pli: false, transportWide: false, remb: false }
  const { feed, table } = createFeed([videoSection({ feedback, ssrcs: [{ ssrc: 10 }] })])
  feed(media(1))
  feed(media(9))
  feed(media(10 + NACK_GAP_MAX))
  const stream = table.streams[0]
  stream?.requestKeyframe()
  t.is(stream?.nacks, undefined)
  t.is(stream?.nextDeadlineMs(), Infinity)
})

test('the largest NACK fits in the room that the engine gives', (t) => {
  const { feed, table } = createFeed()
  feed(media(1))
  const stream = table.streams[0]
  for (let number = 3; number < 3 + NACK_BATCH_MAX * 4; number += 2) feed(media(number))
  const writer = new RtcpWriter()
  writer.reset(new Uint8Array(1_100), 0, 1_100)
  stream?.requestKeyframe()
  stream?.collect(100, writer, 1)
  t.true(writer.end > 100 && writer.end <= 1_100)
})

test('report blocks: loss, highest number, LSR and DLSR', (t) => {
  const { feed, table } = createFeed()
  feed(media(65_534))
  const stream = table.streams[0]
  const block = new ReportBlock()
  const report = Object.assign(new SenderReport(), { ssrc: 10, rtpTimestamp: 5 })
  setNtpTime(report, 1_700_000_000_500)
  stream?.onSenderReport(report, 1_000)
  stream?.onSenderReport(Object.assign(new SenderReport(), { ssrc: 11 }), 1_400)
  feed(media(1), 1_400)
  t.true(stream?.fillReportBlock(block, 1_500))
  t.like(block, {
    ssrc: 10,
    fractionLost: 128,
    cumulativeLost: 2,
    highestSequence: 0x10001,
    lastSenderReport: (((3_908_988_800 & 0xffff) << 16) | 0x8000) >>> 0,
    delaySinceLastSenderReport: 32_768,
  })
  t.is(stream?.lossRatio, 0.5)
  t.false(stream?.fillRtxReportBlock(block))
  feed(rtx(1, 65_535))
  t.true(stream?.fillRtxReportBlock(block))
  t.like(block, { ssrc: 11, highestSequence: 1, lastSenderReport: 0 })
})

test('jitter is that of RFC 3550, over the wrap of the timestamp', (t) => {
  const { feed, table } = createFeed()
  let timestamp = 4_294_967_296 - 4_500
  for (let index = 0; index < 200; index++) {
    feed(media(index, { timestamp }), 1_000_000 + index * 20 + (index % 2) * 4)
    timestamp = (timestamp + 1_800) % 4_294_967_296
  }
  t.true(Math.abs((table.streams[0]?.jitterMs ?? 0) - 4) < 0.1)
})

test('levels come from the extension, and only where it was negotiated', (t) => {
  const { feed, table } = createFeed([audioSection({ ssrcs: [{ ssrc: 20 }] })])
  const audio = { ssrc: 20, payloadType: 111, payload: [0x78] }
  for (let index = 0; index < 20; index++) {
    const extensions: [number, number[]][] = [[1, [0x80 | 15]]]
    feed({ ...audio, sequenceNumber: index, extensions }, index * 20)
  }
  t.true((table.streams[0]?.level.levelDbov(400) ?? 127) < 20)
  const { feed: feedVideo, table: videoTable } = createFeed()
  feedVideo(media(1, { extensions: [[1, [15]]] }))
  t.is(videoTable.streams[0]?.level.levelDbov(0), 127)
})

test('any loss, disorder, duplication and repair: each number comes out once, in its place', (t) => {
  const kinds = fc.constantFrom('deliver', 'lose', 'delay', 'twice', 'pad', 'repair' as const)
  fc.assert(
    fc.property(
      fc.integer({ min: 65_400, max: 65_535 }),
      fc.array(kinds, { minLength: 1, maxLength: 300 }),
      (first, actions) => {
        const { feed, out } = createFeed()
        const unwrapper = new SequenceUnwrapper()
        const expected = new Set<number>()
        const got: number[] = []
        let rtxNumber = 65_500
        let delayed: number | undefined
        let lost: number | undefined
        const send = (fields: PacketFields) => {
          const received = feed(fields)
          if (received >= RECEIVED_MEDIA) got.push(out.sequence)
        }
        send(media(first))
        expected.add(unwrapper.unwrap(first))
        actions.forEach((action, index) => {
          const number = (first + 1 + index) & 0xffff
          const sequence = unwrapper.unwrap(number)
          if (action === 'lose') lost = number
          else if (action === 'delay') delayed ??= number
          else send(media(number, action === 'pad' ? { payload: [], paddingBytes: 8 } : {}))
          if (action !== 'lose' && action !== 'delay') expected.add(sequence)
          if (action === 'twice') send(media(number))
          if (action === 'repair' && lost !== undefined) {
            send(rtx(rtxNumber++ & 0xffff, lost))
            expected.add(unwrapper.peek(lost))
            lost = undefined
          }
          if (index % 7 === 0 && delayed !== undefined) {
            send(media(delayed))
            expected.add(unwrapper.peek(delayed))
            delayed = undefined
          }
        })
        t.deepEqual([...got].sort(), [...expected].sort())
      },
    ),
    { numRuns: 150 },
  )
})
