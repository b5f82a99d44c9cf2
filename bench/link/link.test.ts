import test from 'ava'
import fc from 'fast-check'
import { Link, type LinkSettings, PERFECT, PROFILES } from './index.ts'

type Arrival = { packet: number; atMs: number }

/** Offers `count` packets of `sizeBytes` every `intervalMs` and drains the link to its end. */
function drive(
  settings: Partial<LinkSettings>,
  {
    count,
    sizeBytes,
    intervalMs,
    seed = 1,
  }: { count: number; sizeBytes: number; intervalMs: number; seed?: number },
): { arrivals: Arrival[]; link: Link<number> } {
  const link = new Link<number>({ ...PERFECT, ...settings }, seed)
  const arrivals: Arrival[] = []
  const collect = (packet: number, atMs: number) => arrivals.push({ packet, atMs })
  for (let packet = 0; packet < count; packet += 1) {
    link.poll(packet * intervalMs, collect)
    link.send(packet, sizeBytes, packet * intervalMs)
  }
  link.poll(Number.POSITIVE_INFINITY, collect)
  return { arrivals, link }
}

test('a perfect link delivers everything at once and in order', (t) => {
  const { arrivals } = drive({}, { count: 100, sizeBytes: 1000, intervalMs: 1 })
  t.deepEqual(
    arrivals,
    [...Array(100).keys()].map((packet) => ({ packet, atMs: packet })),
  )
})

test('the rate is right to 2 % under overload, and the queue bound decides the delay', (t) => {
  const rateBps = 512_000
  const settings = { rateBps, queueBytes: 19_200, delayMs: 30 }
  const { arrivals } = drive(settings, { count: 20_000, sizeBytes: 972, intervalMs: 5 })
  const spanMs = (arrivals.at(-1)?.atMs ?? 0) - (arrivals[0]?.atMs ?? 0)
  const measuredBps = ((arrivals.length - 1) * 1000 * 8 * 1000) / spanMs
  t.true(Math.abs(measuredBps / rateBps - 1) < 0.02, `${measuredBps}`)
  const delays = arrivals.map(({ packet, atMs }) => atMs - packet * 5)
  const longestMs = Math.max(...delays)
  t.true(longestMs <= 30 + 300 + 1 && longestMs > 30 + 280, `${longestMs}`)
})

test('delay and jitter stay in their bounds, and without reordering order holds', (t) => {
  const settings = { delayMs: 100, jitterMs: 50 }
  const { arrivals, link } = drive(settings, { count: 5000, sizeBytes: 100, intervalMs: 2 })
  t.is(link.counters.reordered, 0)
  for (const { packet, atMs } of arrivals) {
    t.true(atMs - packet * 2 >= 100 && atMs - packet * 2 <= 150)
  }
})

test('with reordering packets overtake each other and are counted', (t) => {
  const settings = { delayMs: 10, jitterMs: 50, reorder: true }
  const { link } = drive(settings, { count: 5000, sizeBytes: 100, intervalMs: 2 })
  t.true(link.counters.reordered > 1000)
})

test('independent loss meets its ratio', (t) => {
  const { link } = drive({ lossRatio: 0.1 }, { count: 50_000, sizeBytes: 100, intervalMs: 1 })
  t.true(Math.abs(link.counters.dropped.lost / 50_000 - 0.1) < 0.005)
})

test('bursty loss meets its ratio and comes in runs', (t) => {
  const burstLoss = { goodToBad: 0.01, badToGood: 0.2, lossRatioGood: 0, lossRatioBad: 1 }
  const { arrivals, link } = drive({ burstLoss }, { count: 50_000, sizeBytes: 100, intervalMs: 1 })
  const expected = 0.01 / 0.21
  t.true(Math.abs(link.counters.dropped.lost / 50_000 - expected) < 0.01)
  const gaps = arrivals.filter(
    ({ packet }, index) => packet - (arrivals[index - 1]?.packet ?? -1) > 1,
  )
  const runLength = link.counters.dropped.lost / gaps.length
  t.true(runLength > 4 && runLength < 6.5, `${runLength}`)
})

test('duplicates are delivered twice and counted', (t) => {
  const { arrivals, link } = drive(
    { duplicateRatio: 0.5 },
    { count: 1000, sizeBytes: 10, intervalMs: 1 },
  )
  t.is(arrivals.length, 1000 + link.counters.duplicates)
  t.true(link.counters.duplicates > 400)
})

test('what is larger than the MTU does not pass', (t) => {
  const { link } = drive({ mtuBytes: 1200 }, { count: 10, sizeBytes: 1201, intervalMs: 1 })
  t.is(link.counters.dropped['too-large'], 10)
})

test('an outage takes what is on its way, and after it the link is empty', (t) => {
  const link = new Link<number>({ ...PERFECT, rateBps: 8000, queueBytes: 10_000, delayMs: 100 }, 1)
  for (let packet = 0; packet < 5; packet += 1) link.send(packet, 72, packet)
  link.change({ up: false }, 5)
  t.is(link.send(9, 72, 10), 'down')
  link.change({ up: true }, 10)
  t.is(link.queuedBytes(10), 0)
  const arrived: number[] = []
  link.send(10, 72, 20)
  link.poll(1e6, (packet) => arrived.push(packet))
  t.deepEqual(arrived, [10])
  t.is(link.counters.dropped.down, 6)
})

test('the same seed gives the same fate, and a new rate does not reshuffle losses', (t) => {
  const fate = (settings: Partial<LinkSettings>, seed: number) =>
    drive(
      { lossRatio: 0.2, ...settings },
      { count: 500, sizeBytes: 50, intervalMs: 10, seed },
    ).arrivals.map(({ packet }) => packet)
  t.deepEqual(fate({}, 7), fate({}, 7))
  t.notDeepEqual(fate({}, 7), fate({}, 8))
  t.deepEqual(fate({}, 7), fate({ rateBps: 1e6, queueBytes: 50_000 }, 7))
})

test('nothing appears or vanishes unaccounted', (t) => {
  const settings = fc.record({
    rateBps: fc.constantFrom(0, 64_000, 512_000),
    queueBytes: fc.integer({ min: 3000, max: 50_000 }),
    delayMs: fc.integer({ min: 0, max: 400 }),
    jitterMs: fc.integer({ min: 0, max: 100 }),
    reorder: fc.boolean(),
    lossRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    duplicateRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    mtuBytes: fc.constantFrom(0, 576, 1200),
  })
  fc.assert(
    fc.property(
      settings,
      fc.integer(),
      fc.integer({ min: 0, max: 1400 }),
      (given, seed, sizeBytes) => {
        const { link } = drive(given, { count: 200, sizeBytes, intervalMs: 3, seed })
        const { packetsIn, packetsOut, duplicates, dropped } = link.counters
        const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0)
        return (
          packetsIn + duplicates === packetsOut + lost &&
          link.nextDeadlineMs() === Number.POSITIVE_INFINITY
        )
      },
    ),
  )
  t.pass()
})

test('settings out of range are refused', (t) => {
  t.throws(() => new Link({ ...PERFECT, lossRatio: 1.1 }, 1), { instanceOf: RangeError })
  t.throws(() => new Link({ ...PERFECT, rateBps: 1000 }, 1), { instanceOf: RangeError })
})

test('every profile keeps its promised rate', (t) => {
  for (const [name, { down }] of Object.entries(PROFILES)) {
    if (down.rateBps === 0) continue
    const intervalMs = (1000 * 8000) / down.rateBps / 2
    const clean = { ...down, lossRatio: 0, burstLoss: undefined, jitterMs: 0 }
    const { arrivals } = drive(clean, { count: 2000, sizeBytes: 972, intervalMs })
    const spanMs = (arrivals.at(-1)?.atMs ?? 0) - (arrivals[0]?.atMs ?? 0)
    const measuredBps = ((arrivals.length - 1) * 8e6) / spanMs
    t.true(Math.abs(measuredBps / down.rateBps - 1) < 0.02, `${name}: ${measuredBps}`)
  }
})
