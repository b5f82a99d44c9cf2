import test from 'ava'
import fc from 'fast-check'
import {
  FEEDBACK_GAP_MAX,
  FEEDBACK_REWIND_MAX,
  RTCP_FEEDBACK_WRITTEN_MAX,
} from '../../../config/limits.ts'
import { type RtcpHandler, RtcpParser, RtcpWriter, type TransportFeedback } from '../rtcp/index.ts'
import { TransportFeedbackGenerator } from './transport-feedback-generator.ts'

type Status = { number: number; ticks: number | undefined }

const ignore = () => {}

/** Collects what is due as [number, ticks] per message. */
function collect(generator: TransportFeedbackGenerator, nowMs: number, limit = 1_400): Status[][] {
  const out = new Uint8Array(60_000)
  const writer = new RtcpWriter()
  const messages: Status[][] = []
  writer.reset(out, 0, limit)
  if (!generator.collect(nowMs, writer)) return messages
  const handler: RtcpHandler = {
    onSenderReport: ignore,
    onReportBlock: ignore,
    onCname: ignore,
    onBye: ignore,
    onNack: ignore,
    onPli: ignore,
    onFir: ignore,
    onRemb: ignore,
    onTransportFeedback: (feedback: TransportFeedback) => {
      const statuses: Status[] = []
      while (feedback.next()) {
        const ticks = feedback.received ? feedback.arrivalTicks : undefined
        statuses.push({ number: feedback.sequenceNumber, ticks })
      }
      messages.push(statuses)
    },
  }
  if (new RtcpParser(handler).parse(out, 0, writer.end) !== 0) throw new Error('refused')
  return messages
}

function numbersOf(messages: Status[][]): number[] {
  return messages.flat().map(({ number }) => number)
}

test('feedback comes every 50 ms while traffic flows, and not without', (t) => {
  const generator = new TransportFeedbackGenerator(1, 2)
  t.is(generator.nextDeadlineMs(), Infinity)
  const sent: number[] = []
  for (let nowMs = 0; nowMs <= 300; nowMs += 5) {
    generator.onPacket(nowMs / 5, nowMs)
    if (nowMs >= generator.nextDeadlineMs() && collect(generator, nowMs).length > 0)
      sent.push(nowMs)
  }
  t.deepEqual(sent, [10, 60, 110, 160, 210, 260])
  t.is(collect(generator, 310).length, 1)
  t.is(generator.nextDeadlineMs(), Infinity)
})

test('arrivals are honest to 250 us and the lost are reported lost, over the wrap', (t) => {
  const generator = new TransportFeedbackGenerator(1, 2)
  generator.onPacket(65_534, 1_000)
  generator.onPacket(65_535, 1_000.5)
  generator.onPacket(2, 1_003.25)
  generator.onPacket(1, 1_007.9)
  t.deepEqual(collect(generator, 1_060), [
    [
      { number: 65_534, ticks: 4_000 },
      { number: 65_535, ticks: 4_002 },
      { number: 0, ticks: undefined },
      { number: 1, ticks: 4_032 },
      { number: 2, ticks: 4_013 },
    ],
  ])
})

test('consecutive feedback goes on where the last one ended', (t) => {
  const generator = new TransportFeedbackGenerator(1, 2)
  generator.onPacket(65_535, 0)
  t.deepEqual(numbersOf(collect(generator, 50)), [65_535])
  generator.onPacket(2, 60)
  t.deepEqual(
    collect(generator, 110)[0]?.map(({ number, ticks }) => [number, ticks]),
    [
      [0, undefined],
      [1, undefined],
      [2, 240],
    ],
  )
})

test('what comes after it was reported lost is reported again as received', (t) => {
  const generator = new TransportFeedbackGenerator(1, 2)
  generator.onPacket(65_535, 0)
  generator.onPacket(1, 1)
  collect(generator, 50)
  generator.onPacket(0, 55)
  t.deepEqual(collect(generator, 110)[0], [
    { number: 0, ticks: 220 },
    { number: 1, ticks: 4 },
  ])
})

test('duplicates and what is older than the rewind change nothing', (t) => {
  const generator = new TransportFeedbackGenerator(1, 2)
  generator.onPacket(5, 0)
  generator.onPacket(5, 9)
  t.is(collect(generator, 50)[0]?.[0]?.ticks, 0)
  generator.onPacket(5, 60)
  t.is(generator.nextDeadlineMs(), Infinity)
  for (let number = 6; number < 3_000; number++) if (number !== 100) generator.onPacket(number, 70)
  collect(generator, 200, 50_000)
  generator.onPacket(100, 300)
  t.is(generator.nextDeadlineMs(), Infinity)
  t.true(3_000 - 100 > FEEDBACK_REWIND_MAX)
})

test('a long silence, which no delta can express, cuts the feedback in two', (t) => {
  const generator = new TransportFeedbackGenerator(1, 2)
  generator.onPacket(1, 0)
  generator.onPacket(2, 9_000)
  t.deepEqual(collect(generator, 9_050), [
    [{ number: 1, ticks: 0 }],
    [{ number: 2, ticks: 36_000 }],
  ])
})

test('more packets than one message holds become several, and what has no room comes next', (t) => {
  const generator = new TransportFeedbackGenerator(1, 2)
  for (let index = 0; index < 1_000; index++) generator.onPacket((65_000 + index) & 0xffff, index)
  const first = collect(generator, 2_000, 500)
  t.is(first.length, 1)
  t.is(first[0]?.length, RTCP_FEEDBACK_WRITTEN_MAX)
  t.true(generator.nextDeadlineMs() < Infinity)
  const rest = collect(generator, generator.nextDeadlineMs(), 5_000)
  t.is(numbersOf([...first, ...rest]).length, 1_000)
  t.deepEqual(
    numbersOf([...first, ...rest]),
    Array.from({ length: 1_000 }, (_, index) => (65_000 + index) & 0xffff),
  )
})

test('a gap up to the limit is reported in full, a larger one starts anew', (t) => {
  const generator = new TransportFeedbackGenerator(1, 2)
  generator.onPacket(0, 0)
  collect(generator, 50)
  generator.onPacket(FEEDBACK_GAP_MAX, 60)
  const statuses = collect(generator, 110, 50_000).flat()
  t.is(statuses.length, FEEDBACK_GAP_MAX)
  t.is(statuses.filter(({ ticks }) => ticks !== undefined).length, 1)
  generator.onPacket(2 * FEEDBACK_GAP_MAX + 1, 120)
  t.deepEqual(numbersOf(collect(generator, 200, 50_000)), [2 * FEEDBACK_GAP_MAX + 1])
})

test('a sender that counts anew far behind is followed after a few packets', (t) => {
  const generator = new TransportFeedbackGenerator(1, 2)
  generator.onPacket(30_000, 0)
  collect(generator, 50)
  for (let number = 65_530; number < 65_550; number++) generator.onPacket(number & 0xffff, 60)
  t.true(numbersOf(collect(generator, 200, 50_000)).length > 0)
  const behind = new TransportFeedbackGenerator(1, 2)
  behind.onPacket(30_000, 0)
  collect(behind, 50)
  for (let number = 10_000; number < 10_020; number++) behind.onPacket(number, 60)
  t.deepEqual(
    numbersOf(collect(behind, 200)),
    Array.from({ length: 13 }, (_, index) => 10_007 + index),
  )
})

test('any loss and disorder: each arrival is reported with its time, nothing else as received', (t) => {
  const packet = fc.record({
    step: fc.integer({ min: -20, max: 30 }),
    elapsedMs: fc.integer({ min: 0, max: 400 }).map((quarters) => quarters / 4),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 65_535 }),
      fc.array(packet, { maxLength: 300 }),
      (first, packets) => {
        const generator = new TransportFeedbackGenerator(1, 2)
        const arrived = new Map<number, number>()
        const reported = new Map<number, number>()
        let highest = first
        let nowMs = 0
        const drain = () => {
          for (const { number, ticks } of collect(generator, nowMs, 50_000).flat()) {
            if (ticks === undefined) t.false(arrived.has(number))
            else reported.set(number, ticks)
          }
        }
        for (const { step, elapsedMs } of packets) {
          nowMs += elapsedMs
          const number = (highest + step) & 0xffff
          highest = Math.max(highest, highest + step)
          // The very first number is where reporting begins; earlier ones rewind it.
          generator.onPacket(number, nowMs)
          if (!arrived.has(number)) arrived.set(number, nowMs * 4)
          drain()
        }
        nowMs += 100
        drain()
        t.deepEqual(new Map([...reported].sort()), new Map([...arrived].sort()))
      },
    ),
    { numRuns: 200 },
  )
})
