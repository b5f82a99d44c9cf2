/**
 * What a trunk's estimate makes of links that stay as they are: each row states the share of the
 * line that must be used, and the queue that 95 % of the time must not exceed, from 20 s on. Each
 * over three seeds.
 */
import test from 'ava'
import { type LinkSettings, PROFILES } from '../../bench/link/index.ts'
import {
  meanOf,
  p95Of,
  reachedAfterMs,
  type SharedLinePlan,
  type SharedLineResult,
  simulateSharedLine,
} from './shared-line.ts'

const SEEDS = [1, 2, 3]

/** Bursts of 2.5 datagrams on average, mostly 1 to 4, all of them lost. */
function bursts(lossRatio: number): Partial<LinkSettings> {
  const badToGood = 0.4
  const goodToBad = (lossRatio * badToGood) / (1 - lossRatio)
  return { burstLoss: { goodToBad, badToGood, lossRatioGood: 0, lossRatioBad: 1 } }
}

/** The same loss and delay both ways; what comes back meets no other traffic. */
function line(rateBps: number, settings: Partial<LinkSettings> = {}) {
  const down = { rateBps, queueMs: 300, delayMs: 30, ...settings }
  return { down, up: { ...down, rateBps: Math.max(rateBps, 128_000) } }
}

type Row = {
  of: string
  line: { down: Partial<LinkSettings>; up: Partial<LinkSettings> }
  /** Share of the line's rate, at least. */
  used: number
  /** At most. */
  queueMs: number
  /** From the start until 80 % is used, at most. */
  foundMs: number
}

const ROWS: Row[] = [
  { of: '64 kbit/s', line: line(64e3), used: 0.93, queueMs: 250, foundMs: 2000 },
  { of: '256 kbit/s', line: line(256e3), used: 0.95, queueMs: 150, foundMs: 2000 },
  { of: '1 Mbit/s', line: line(1e6), used: 0.95, queueMs: 100, foundMs: 3000 },
  { of: '8 Mbit/s', line: line(8e6), used: 0.95, queueMs: 120, foundMs: 5000 },
  {
    of: '512 kbit/s with 20 ms of jitter',
    line: line(512e3, { jitterMs: 20 }),
    used: 0.95,
    queueMs: 120,
    foundMs: 3000,
  },
  {
    of: '512 kbit/s with two seconds of buffer',
    line: line(512e3, { queueMs: 2000 }),
    used: 0.93,
    queueMs: 100,
    foundMs: 3000,
  },
  {
    of: '500 kbit/s with a queue of three packets',
    line: { ...line(500e3), down: { rateBps: 500e3, queueBytes: 3000, delayMs: 30 } },
    used: 0.88,
    queueMs: 60,
    foundMs: 5000,
  },
  {
    of: '1 Mbit/s that loses a tenth',
    line: line(1e6, { lossRatio: 0.1 }),
    used: 0.9,
    queueMs: 120,
    foundMs: 12000,
  },
  {
    of: '1 Mbit/s that loses a fifth',
    line: line(1e6, { lossRatio: 0.2 }),
    used: 0.88,
    queueMs: 120,
    foundMs: 15000,
  },
  {
    of: '512 kbit/s that loses 5 % in bursts',
    line: line(512e3, bursts(0.05)),
    used: 0.88,
    queueMs: 150,
    foundMs: 12000,
  },
  {
    of: '512 kbit/s that loses 10 % in bursts',
    line: line(512e3, bursts(0.1)),
    used: 0.85,
    queueMs: 200,
    foundMs: 12000,
  },
  {
    of: '256 kbit/s over 600 ms',
    line: line(256e3, { delayMs: 300 }),
    used: 0.9,
    queueMs: 280,
    foundMs: 3000,
  },
  {
    of: '256 kbit/s over 600 ms that loses 5 % in bursts',
    line: line(256e3, { delayMs: 300, ...bursts(0.05) }),
    used: 0.85,
    queueMs: 300,
    foundMs: 5000,
  },
  {
    of: '256 kbit/s over 600 ms that loses 10 % in bursts',
    line: line(256e3, { delayMs: 300, ...bursts(0.1) }),
    used: 0.82,
    queueMs: 300,
    foundMs: 5000,
  },
  {
    of: '2 Mbit/s over 600 ms that loses one in 200',
    line: { down: PROFILES.vsat.down, up: PROFILES.vsat.up },
    used: 0.9,
    queueMs: 200,
    foundMs: 8000,
  },
  {
    of: '64 kbit/s that loses a tenth',
    line: line(64e3, { lossRatio: 0.1 }),
    used: 0.85,
    queueMs: 290,
    foundMs: 3000,
  },
]

const STEADY = [20_000, 90_000] as const

for (const { of, line: ends, used, queueMs, foundMs } of ROWS) {
  test(`${of}: ${used * 100} % used, queue p95 under ${queueMs} ms, found within ${foundMs / 1000} s`, (t) => {
    const { rateBps = 0 } = ends.down
    overSeeds({ ...ends, trunks: [{}], durationMs: 90_000 }, ({ flows }, seed) => {
      const flow = flows[0]!
      const share = meanOf(flow.arrivedBps, STEADY) / rateBps
      t.true(share >= used, `seed ${seed}: used ${share}`)
      const queue = p95Of(flow.queueMs, STEADY)
      t.true(queue <= queueMs, `seed ${seed}: queue ${queue} ms`)
      const found = reachedAfterMs(flow.arrivedBps, 0.8 * rateBps, 0)
      t.true(found <= foundMs, `seed ${seed}: found after ${found} ms`)
    })
  })
}

test('layers on a line with room are all sent, and the line is not filled for its own sake', (t) => {
  const trunks = [{ stepsBps: [60e3, 180e3, 580e3, 1.55e6] }]
  overSeeds({ ...line(8e6), trunks, durationMs: 60_000 }, ({ flows }, seed) => {
    const flow = flows[0]!
    t.true(reachedAfterMs(flow.step, 3, 0) <= 4000, `seed ${seed}: last layer`)
    t.true(Math.min(...flow.step.slice(50)) === 3, `seed ${seed}: a layer was dropped`)
    t.true(meanOf(flow.sentBps, STEADY) < 1.7e6, `seed ${seed}: padding`)
  })
})

function overSeeds(
  plan: Omit<SharedLinePlan, 'seed'>,
  look: (result: SharedLineResult, seed: number) => void,
): void {
  for (const seed of SEEDS) look(simulateSharedLine({ ...plan, seed }), seed)
}
