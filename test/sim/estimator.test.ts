import test from 'ava'
import { PROFILES } from '../../bench/link/index.ts'
import { type FlowOptions, mean, simulateFlow } from './paced-sender.ts'

const SEEDS = [1, 2, 3]

function overSeeds(
  options: Omit<FlowOptions, 'seed'>,
  look: (samples: ReturnType<typeof simulateFlow>, seed: number) => void,
): void {
  for (const seed of SEEDS) look(simulateFlow({ ...options, seed }), seed)
}

const MEGABIT = { rateBps: 1e6, queueBytes: 37_500, delayMs: 30 }

test('a free megabit is found within 10 s and used without a standing queue', (t) => {
  overSeeds({ down: MEGABIT, up: { delayMs: 30 }, durationMs: 60_000 }, (samples, seed) => {
    const used = mean(samples, 'arrivedBps', [10_000, 60_000])
    const queueMs = mean(samples, 'queueMs', [10_000, 60_000])
    t.true(used > 700_000, `seed ${seed}: ${used}`)
    t.true(queueMs < 80, `seed ${seed}: queue ${queueMs} ms`)
  })
})

test('a fall from 2 Mbit/s to 300 kbit/s is answered within 2 s', (t) => {
  const options = {
    down: { rateBps: 2e6, queueBytes: 75_000, delayMs: 30 },
    up: { delayMs: 30 },
    durationMs: 50_000,
    changes: [{ atMs: 30_000, down: { rateBps: 300_000, queueBytes: 11_250 } }],
  }
  overSeeds(options, (samples, seed) => {
    t.true(mean(samples, 'estimateBps', [20_000, 30_000]) > 1_200_000, `seed ${seed}`)
    const after = mean(samples, 'estimateBps', [32_000, 34_000])
    t.true(after < 330_000, `seed ${seed}: ${after}`)
    t.true(mean(samples, 'arrivedBps', [34_000, 50_000]) > 180_000, `seed ${seed}`)
  })
})

for (const lossRatio of [0.1, 0.2]) {
  test(`a constant random loss of ${lossRatio * 100} % does not drive it to the floor`, (t) => {
    const down = { ...MEGABIT, lossRatio }
    overSeeds({ down, up: { delayMs: 30 }, durationMs: 90_000 }, (samples, seed) => {
      const used = mean(samples, 'estimateBps', [30_000, 90_000])
      t.true(used > 500_000, `seed ${seed}: ${used}`)
      t.true(mean(samples, 'queueMs', [30_000, 90_000]) < 120, `seed ${seed}`)
    })
  })
}

test('600 ms of RTT does not starve it', (t) => {
  const { down, up } = PROFILES.vsat
  overSeeds({ down, up, durationMs: 90_000 }, (samples, seed) => {
    const used = mean(samples, 'arrivedBps', [30_000, 90_000])
    t.true(used > 1_000_000, `seed ${seed}: ${used}`)
  })
})

test('a queue too short to show delay is answered by its loss', (t) => {
  const down = { rateBps: 500_000, queueBytes: 3000, delayMs: 30 }
  overSeeds({ down, up: { delayMs: 30 }, durationMs: 60_000 }, (samples, seed) => {
    const sent = mean(samples, 'sentBps', [20_000, 60_000])
    const arrived = mean(samples, 'arrivedBps', [20_000, 60_000])
    t.true(arrived > 250_000, `seed ${seed}: ${arrived}`)
    t.true(arrived / sent > 0.85, `seed ${seed}: ${arrived / sent}`)
  })
})

test('a sender in steps climbs by probes to what the link carries, and back after a squeeze', (t) => {
  const options = {
    down: { rateBps: 3e6, queueBytes: 112_500, delayMs: 20 },
    up: { delayMs: 20 },
    durationMs: 70_000,
    stepsBps: [150_000, 500_000, 1_700_000],
    changes: [
      { atMs: 20_000, down: { rateBps: 400_000, queueBytes: 12_500 } },
      { atMs: 35_000, down: { rateBps: 3e6, queueBytes: 112_500 } },
    ],
  }
  overSeeds(options, (samples, seed) => {
    t.true(mean(samples, 'sentBps', [12_000, 20_000]) > 1_500_000, `seed ${seed}: start`)
    const squeezed = mean(samples, 'sentBps', [24_000, 35_000])
    t.true(squeezed < 400_000, `seed ${seed}: squeezed ${squeezed}`)
    const again = mean(samples, 'sentBps', [60_000, 70_000])
    t.true(again > 1_500_000, `seed ${seed}: again ${again}`)
  })
})

test('when feedback ends the estimate falls, and it recovers with it', (t) => {
  const options = {
    down: MEGABIT,
    up: { delayMs: 30 },
    durationMs: 60_000,
    changes: [
      { atMs: 20_000, down: { up: false } },
      { atMs: 30_000, down: { up: true } },
    ],
  }
  overSeeds(options, (samples, seed) => {
    t.true(mean(samples, 'estimateBps', [28_000, 30_000]) < 300_000, `seed ${seed}`)
    const again = mean(samples, 'arrivedBps', [50_000, 60_000])
    t.true(again > 600_000, `seed ${seed}: ${again}`)
  })
})
