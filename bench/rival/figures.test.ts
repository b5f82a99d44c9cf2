import test from 'ava'
import type { ForwardRow } from '../forward/index.ts'
import { encodeHistogram, newHistogram, recordMs } from '../load/index.ts'
import { rivalFigures, rivalSeries } from './figures.ts'
import type { Leg, RivalServer } from './legs.ts'

type Row = { packets: number; cpuSeconds: number; latenciesMs: number[]; expected?: number }

function leg(server: RivalServer, round: number, { latenciesMs, ...row }: Row): Leg {
  const histogram = newHistogram()
  for (const ms of latenciesMs) recordMs(histogram, ms)
  const { packets, cpuSeconds, expected = packets } = row
  const latency = encodeHistogram(histogram)
  const counted = { packets, cpuSeconds, expected, latency, published: 750, seconds: 10 }
  const measured: ForwardRow = {
    server,
    step: 300,
    receivers: 300,
    atMs: 1_060_000,
    counted,
    packetsPerSecond: packets / 10,
    cpuShare: cpuSeconds / 10,
    packetsPerCpuSecond: packets / cpuSeconds,
    latencyMs: { p50: 0, p95: 0, p99: 0, max: 0 },
    lossRatio: 0,
    samples: latenciesMs.length,
    bytesPerReceiver: server === 'janus' ? 160_000 : 120_000,
    loadCpuShare: 0.5,
    othersCores: 0.02,
    joins: {
      joined: 300,
      failed: 0,
      seconds: 3,
      steps: { doorMs: 0, joinMs: 0, offerMs: 0, iceMs: 0, dtlsMs: 0 },
      whyFailed: [],
    },
  }
  return { server, round, rows: [measured] }
}

const LIMITS = { othersCoresMax: 0.15, framesPerSecond: 25 }

const ABAB = [
  leg('nhipcau', 1, { packets: 100_000, cpuSeconds: 1, latenciesMs: [2, 2, 2] }),
  leg('janus', 1, { packets: 100_000, cpuSeconds: 2, latenciesMs: [10, 10, 10] }),
  leg('nhipcau', 2, { packets: 100_000, cpuSeconds: 3, latenciesMs: [4] }),
  leg('janus', 2, { packets: 90_000, cpuSeconds: 2, expected: 100_000, latenciesMs: [80] }),
]

test('counts of the rounds are added before they are divided', (t) => {
  const { figures, reasons } = rivalFigures(ABAB, LIMITS)
  t.is(figures['nhipcau.n300.packetsPerCpuSecond'], 50_000)
  t.is(figures['janus.n300.packetsPerCpuSecond'], 47_500)
  t.is(figures['janus.n300.lossRatio'], 0.05)
  t.is(figures['nhipcau.n300.lossRatio'], 0)
  t.deepEqual(reasons, [])
})

test('percentiles come from the rounds together', (t) => {
  const { figures, histograms } = rivalFigures(ABAB, LIMITS)
  const isNear = (name: string, ms: number) => Math.abs((figures[name] ?? 0) - ms) < ms / 500
  t.true(isNear('janus.n300.latency.p50Ms', 10))
  t.true(isNear('janus.n300.latency.p99Ms', 80))
  t.true(isNear('nhipcau.n300.latency.p99Ms', 4))
  t.is(Object.keys(histograms).length, 2)
})

test('a ratio is ours over theirs, and says how far the rounds lie apart', (t) => {
  const { figures } = rivalFigures(ABAB, LIMITS)
  t.is(figures['ratio.n300.packetsPerCpuSecond'], 50_000 / 47_500)
  t.is(figures['ratio.n300.packetsPerCpuSecondMax'], 2)
  t.is(figures['ratio.n300.packetsPerCpuSecondMin'], 100_000 / 3 / 45_000)
  t.is(figures['ratio.n300.memory'], 0.75)
})

test('a step that one of them did not reach has no ratio', (t) => {
  const { figures } = rivalFigures(ABAB.slice(0, 1), LIMITS)
  t.false(Object.keys(figures).some((name) => name.startsWith('ratio.')))
})

test('a busy load, one that sends too little, a busy machine and a broken leg each make the run void, and say where', (t) => {
  const busy = leg('janus', 1, { packets: 1, cpuSeconds: 1, latenciesMs: [1] })
  busy.rows[0]!.loadCpuShare = 0.99
  busy.rows[0]!.othersCores = 0.8
  busy.rows[0]!.counted.published = 700
  const broken: Leg = { server: 'nhipcau', round: 2, rows: [], problem: 'process ended with 1' }
  t.deepEqual(rivalFigures([busy, broken], LIMITS).reasons, [
    'janus, round 1, 300 receivers: the load had no core left',
    'janus, round 1, 300 receivers: the load sent 700 of 750 packets',
    'janus, round 1, 300 receivers: other processes took 0.80 of a core',
    'nhipcau, round 2: process ended with 1',
  ])
})

test('each leg is a line of its own over time, a point for each step', (t) => {
  const series = rivalSeries(ABAB, 1_000_000)
  const names = series.map(({ id }) => id)
  t.true(names.includes('steps.packetsPerCpuSecond.janus-2'))
  t.is(new Set(names).size, names.length)
  const one = series.find(({ id }) => id === 'steps.packetsPerCpuSecond.janus-2')
  t.deepEqual(one?.atS, [60])
  t.deepEqual(one?.values, [45_000])
})
