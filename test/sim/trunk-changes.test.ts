/**
 * What a trunk's estimate makes of links that change and are shared: the cases of RFC 8867 §5 (in
 * reduced form where many flows are asked for), the falls and rises of issue 4, outages. Each over
 * three seeds.
 */
import test from 'ava'
import type { LinkSettings } from '../../bench/link/index.ts'
import {
  meanOf,
  p95Of,
  reachedAfterMs,
  type SharedLinePlan,
  type SharedLineResult,
  simulateSharedLine,
} from './shared-line.ts'

const SEEDS = [1, 2, 3]
const LAYERS = [60e3, 180e3, 580e3, 1.55e6]

/** Emulates RFC 8867 §4: 30 ms (default) each way, 300 ms of tail-drop queue. */
function line(rateBps: number, settings: Partial<LinkSettings> = {}) {
  const down = { rateBps, queueMs: 300, delayMs: 30, ...settings }
  return { down, up: down }
}

function overSeeds(
  plan: Omit<SharedLinePlan, 'seed'>,
  look: (result: SharedLineResult, seed: number) => void,
): void {
  for (const seed of SEEDS) look(simulateSharedLine({ ...plan, seed }), seed)
}

type Window = readonly [number, number]

function shareOf({ flows }: SharedLineResult, index: number, rateBps: number, window: Window) {
  return meanOf(flows[index]!.arrivedBps, window) / rateBps
}

test('RFC 8867 §5.1, variable capacity 1, 2.5, 0.6, 1 Mbit/s: each used to 90 % from 5 s on, queue p95 under 120 ms', (t) => {
  const changes = [
    { atMs: 40_000, down: { rateBps: 2.5e6 } },
    { atMs: 60_000, down: { rateBps: 0.6e6 } },
    { atMs: 80_000, down: { rateBps: 1e6 } },
  ]
  const phases: [number, Window][] = [
    [1e6, [5_000, 40_000]],
    [2.5e6, [45_000, 60_000]],
    [0.6e6, [65_000, 80_000]],
    [1e6, [85_000, 110_000]],
  ]
  overSeeds({ ...line(1e6), changes, trunks: [{}], durationMs: 110_000 }, (result, seed) => {
    for (const [rateBps, window] of phases) {
      const used = shareOf(result, 0, rateBps, window)
      t.true(used >= 0.9, `seed ${seed}, ${rateBps}: used ${used}`)
      const queueMs = p95Of(result.flows[0]!.queueMs, window)
      t.true(queueMs <= 120, `seed ${seed}, ${rateBps}: queue ${queueMs} ms`)
    }
  })
})

test('RFC 8867 §5.2, two flows on 4, 2, 3.5, 1, 2 Mbit/s: together 85 %, neither below a fifth', (t) => {
  const rates = [4e6, 2e6, 3.5e6, 1e6, 2e6]
  const changes = rates
    .map((rateBps, i) => ({ atMs: i * 25_000, down: { rateBps } }))
    .filter(({ atMs }) => atMs > 0)
  const trunks = [{}, {}]
  overSeeds({ ...line(4e6), changes, trunks, durationMs: 125_000 }, (result, seed) => {
    rates.forEach((rateBps, i) => {
      const window: Window = [i * 25_000 + 6_000, (i + 1) * 25_000]
      const shares = [0, 1].map((flow) => shareOf(result, flow, rateBps, window))
      const told = `seed ${seed}, ${rateBps}: ${shares}`
      t.true(shares[0]! + shares[1]! >= 0.85, told)
      t.true(Math.min(...shares) >= 0.2, told)
    })
  })
})

test('RFC 8867 §5.3, a congested way back of 64 kbit/s that a download fills: 80 % used', (t) => {
  const way = { ...line(1e6), up: { rateBps: 64e3, queueMs: 300, delayMs: 30, lossRatio: 0.05 } }
  overSeeds({ ...way, trunks: [{}], durationMs: 60_000 }, (result, seed) => {
    const used = shareOf(result, 0, 1e6, [20_000, 60_000])
    t.true(used >= 0.8, `seed ${seed}: ${used}`)
  })
})

test('RFC 8867 §5.4, three flows, each 20 s later: together 85 %, each at least a sixth', (t) => {
  const trunks = [{}, { startMs: 20_000 }, { startMs: 40_000 }]
  overSeeds({ ...line(3.5e6), trunks, durationMs: 140_000 }, (result, seed) => {
    const window: Window = [60_000, 140_000]
    const shares = trunks.map((_, flow) => shareOf(result, flow, 3.5e6, window))
    t.true(shares.reduce((a, b) => a + b) >= 0.85, `seed ${seed}: ${shares}`)
    t.true(Math.min(...shares) >= 1 / 6, `seed ${seed}: ${shares}`)
  })
})

test('RFC 8867 §5.5, five flows of 60 to 460 ms of round trip: together 85 %, Jain 0.7, none below 6 %', (t) => {
  const trunks = [0, 50, 100, 150, 200].map((extraDelayMs, i) => ({
    startMs: i * 10_000,
    extraDelayMs,
  }))
  overSeeds({ ...line(4e6), trunks, durationMs: 200_000 }, (result, seed) => {
    const shares = trunks.map((_, flow) => shareOf(result, flow, 4e6, [60_000, 200_000]))
    const sum = shares.reduce((a, b) => a + b)
    const jain = sum ** 2 / (shares.length * shares.reduce((a, b) => a + b * b, 0))
    t.true(sum >= 0.85, `seed ${seed}: ${shares}`)
    t.true(jain >= 0.7, `seed ${seed}: Jain ${jain}, ${shares}`)
    t.true(Math.min(...shares) >= 0.06, `seed ${seed}: ${shares}`)
  })
})

for (const [name, ends, least] of [
  ['2 Mbit/s', line(2e6), 0.25],
  ['512 kbit/s', line(512e3), 0.2],
  ['2 Mbit/s with 100 ms of queue', line(2e6, { queueMs: 100 }), 0.25],
  ['1 Mbit/s with a second of queue', line(1e6, { queueMs: 1000 }), 0.15],
] as const) {
  test(`RFC 8867 §5.6, ${name} beside a long download: ${least * 100} % at least, 85 % within 5 s of its end`, (t) => {
    const { rateBps = 0 } = ends.down
    const tcp = [{ startMs: 20_000, endMs: 80_000 }]
    overSeeds({ ...ends, trunks: [{}], tcp, durationMs: 110_000 }, (result, seed) => {
      const beside = shareOf(result, 0, rateBps, [30_000, 80_000])
      t.true(beside >= least, `seed ${seed}: ${beside}`)
      t.true(meanOf(result.downloads[0]!, [30_000, 80_000]) > 0.25 * rateBps, `seed ${seed}: it`)
      const after = shareOf(result, 0, rateBps, [85_000, 110_000])
      t.true(after >= 0.85, `seed ${seed}: after ${after}`)
    })
  })
}

// Too short to be told from a line that has become slower; what matters is that sound is never crushed.
test('RFC 8867 §5.7, short downloads come and go: sound always passes, a tenth of 2 Mbit/s at least', (t) => {
  const tcp = Array.from({ length: 12 }, (_, i) => ({
    startMs: 20_000 + i * 5_000,
    endMs: 20_000 + i * 5_000 + 2_000 + (i % 3) * 1_500,
  }))
  overSeeds({ ...line(2e6), trunks: [{}], tcp, durationMs: 80_000 }, (result, seed) => {
    const used = shareOf(result, 0, 2e6, [20_000, 80_000])
    t.true(used >= 0.1, `seed ${seed}: ${used}`)
    for (let atMs = 20_000; atMs < 78_000; atMs += 500) {
      const bps = meanOf(result.flows[0]!.arrivedBps, [atMs, atMs + 2_000])
      t.true(bps >= 20e3, `seed ${seed}: ${bps} at ${atMs}`)
    }
  })
})

test('RFC 8867 §5.8, a flow pauses for 20 s: the other takes 85 %, and a quarter is its own again within 8 s', (t) => {
  const trunks = [{ pauseMs: [40_000, 60_000] as const }, { startMs: 5_000 }]
  overSeeds({ ...line(2e6), trunks, durationMs: 100_000 }, (result, seed) => {
    const other = shareOf(result, 1, 2e6, [45_000, 60_000])
    t.true(other >= 0.85, `seed ${seed}: ${other}`)
    const back = shareOf(result, 0, 2e6, [68_000, 100_000])
    t.true(back >= 0.25, `seed ${seed}: ${back}`)
    t.true(shareOf(result, 1, 2e6, [68_000, 100_000]) >= 0.25, `seed ${seed}`)
  })
})

for (const [name, ends] of [
  ['', line(2e6)],
  [' with a tenth lost', line(2e6, { lossRatio: 0.1 })],
  [' over 600 ms', line(2e6, { delayMs: 300, lossRatio: 0.005 })],
] as const) {
  test(`2 Mbit/s, 256 kbit/s, 2 Mbit/s${name}: queue under 300 ms 5 s after, 80 % used between, the last layer within 10 s`, (t) => {
    const changes = [
      { atMs: 30_000, down: { rateBps: 256e3 } },
      { atMs: 60_000, down: { rateBps: 2e6 } },
    ]
    for (const trunk of [{}, { stepsBps: LAYERS }]) {
      const plan = { ...ends, changes, trunks: [trunk], durationMs: 80_000 }
      overSeeds(plan, (result, seed) => {
        const flow = result.flows[0]!
        const told = `seed ${seed}, ${JSON.stringify(trunk)}`
        const queueMs = p95Of(flow.queueMs, [35_000, 60_000])
        t.true(queueMs < 300, `${told}: queue ${queueMs}`)
        // A sender in layers sends 180 of 256 kbit/s at best.
        const used = shareOf(result, 0, 256e3, [35_000, 60_000])
        t.true(used >= ('stepsBps' in trunk ? 0.6 : 0.8), `${told}: used ${used}`)
        const rise = reachedAfterMs(flow.estimateBps, 1.55e6, 60_000)
        t.true(rise <= 10_000, `${told}: after ${rise} ms`)
      })
    }
  })

  test(`an outage of 10 s of 2 Mbit/s${name}: 48 kbit/s again within 2 s, the last layer within 10 s`, (t) => {
    const changes = [
      { atMs: 30_000, down: { up: false }, up: { up: false } },
      { atMs: 40_000, down: { up: true }, up: { up: true } },
    ]
    for (const trunk of [{}, { stepsBps: LAYERS }]) {
      const plan = { ...ends, changes, trunks: [trunk], durationMs: 60_000 }
      overSeeds(plan, ({ flows }, seed) => {
        const flow = flows[0]!
        const told = `seed ${seed}, ${JSON.stringify(trunk)}`
        const audio = reachedAfterMs(flow.arrivedBps, 48e3, 40_000)
        t.true(audio <= 2_000, `${told}: audio after ${audio} ms`)
        const rise = reachedAfterMs(flow.estimateBps, 1.55e6, 40_000)
        t.true(rise <= 10_000, `${told}: after ${rise} ms`)
      })
    }
  })
}
