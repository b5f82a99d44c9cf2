import test from 'ava'
import fc from 'fast-check'
import { RtcpPacketConverter, type RtcpTransportLayerFeedback, type TransportWideCC } from 'werift'
import { RTCP_FEEDBACK_WRITTEN_MAX } from '../../../config/limits.ts'
import { type FeedbackSource, RtcpParser, RtcpWriter } from './index.ts'
import { createRecorder } from './recorder.ts'

function sourceOf(baseSequence: number, arrivals: number[]): FeedbackSource {
  return {
    senderSsrc: 1,
    mediaSsrc: 2,
    baseSequence,
    feedbackCount: 255,
    fallbackTicks: 512,
    arrivalTicks: Float64Array.from(arrivals),
    statusCount: arrivals.length,
  }
}

function write(source: FeedbackSource, limit = 1_500): Uint8Array | undefined {
  const out = new Uint8Array(1_500).fill(0xff)
  const writer = new RtcpWriter()
  writer.reset(out, 0, limit)
  return writer.transportFeedback(source) ? out.subarray(0, writer.end) : undefined
}

function statusesOf(bytes: Uint8Array): [number, boolean, number][] {
  const recorder = createRecorder()
  const code = new RtcpParser(recorder).parse(bytes, 0, bytes.length)
  if (code !== 0) throw new Error(`refused with ${code}`)
  return recorder.calls[0]?.[2] as [number, boolean, number][]
}

/** A step: lost, on time, late, or before the one before. */
const step = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: -300, max: 300 }),
  fc.integer({ min: 256, max: 32_767 }),
)

test('any arrivals come out as they were', (t) => {
  const statuses = fc.array(fc.tuple(step, fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    maxLength: 40,
  })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65_535 }), statuses, (base, runs) => {
      let ticks = 100_000
      const arrivals = runs
        .flatMap(([delta, length]) => new Array<number | undefined>(length).fill(delta))
        .slice(0, RTCP_FEEDBACK_WRITTEN_MAX)
        .map((delta) => {
          if (delta === undefined) return -1
          ticks += Math.max(delta, -ticks)
          return ticks
        })
      const bytes = write(sourceOf(base, arrivals))
      if (bytes === undefined) return t.fail('refused')
      t.is(bytes.length % 4, 0)
      const expected = arrivals.map((arrival, index) => [
        (base + index) & 0xffff,
        arrival >= 0,
        Math.max(0, arrival),
      ])
      t.deepEqual(statusesOf(bytes), expected as [number, boolean, number][])
    }),
    { numRuns: 300 },
  )
})

test('werift reads the deltas and the lost ones that we write', (t) => {
  const bytes = write(sourceOf(65_530, [256, 260, -1, -1, 700, 690, 700, -1, 701, 702, 703]))
  const [packet] = RtcpPacketConverter.deSerialize(Buffer.from(bytes ?? []))
  const theirs = (packet as RtcpTransportLayerFeedback).feedback as TransportWideCC
  t.is(theirs.baseSequenceNumber, 65_530)
  t.is(theirs.packetStatusCount, 11)
  t.is(theirs.referenceTime, 1)
  t.deepEqual(
    theirs.recvDeltas.map(({ delta }) => delta / 250),
    [0, 4, 440, -10, 10, 1, 1, 1],
  )
})

test('long runs cost two bytes, mixed small ones a bit each', (t) => {
  t.is(write(sourceOf(0, [0, ...new Array(399).fill(-1)]))?.length, 28)
  const everySecond = Array.from({ length: 28 }, (_, index) => (index % 2 === 0 ? index : -1))
  t.is(write(sourceOf(0, everySecond))?.length, 20 + 4 + 14 + 2)
})

test('the worst feedback of the largest size fits in 1,100 bytes', (t) => {
  const arrivals = Array.from({ length: RTCP_FEEDBACK_WRITTEN_MAX }, (_, index) => index * 300)
  const bytes = write(sourceOf(0, arrivals))
  t.true(bytes !== undefined && bytes.length <= 1_100)
  t.is(write(sourceOf(0, [...arrivals, 1])), undefined)
  t.is(write(sourceOf(0, arrivals), 500), undefined)
})

test('a delta beyond 16 bits, or nothing to say, is refused', (t) => {
  t.truthy(write(sourceOf(0, [0, 32_767])))
  t.is(write(sourceOf(0, [0, 32_768])), undefined)
  t.truthy(write(sourceOf(0, [32_768, 0])))
  t.is(write(sourceOf(0, [40_000, 0])), undefined)
  t.is(write(sourceOf(0, [])), undefined)
})

test('where all are lost the reference time is the one given', (t) => {
  const bytes = write(sourceOf(9, [-1, -1, -1]))
  t.deepEqual([...(bytes?.subarray(16, 20) ?? [])], [0, 0, 2, 255])
})

test('reference time wraps at 24 bits', (t) => {
  const ticks = 0x100_0000 * 256 + 5
  const bytes = write(sourceOf(0, [ticks]))
  t.deepEqual([...(bytes?.subarray(16, 20) ?? [])], [0, 0, 0, 255])
})
