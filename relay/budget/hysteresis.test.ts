/** Levels over time: down at once, up when it lasts, and no unrest at a noisy estimate. */
import test from 'ava'
import { allocateTrunk, type TrunkBudget, type TrunkStream } from './index.ts'
import { bareBudget, CAMERA, picture, voice } from './sample-streams.ts'

const TICK_MS = 100

/** Allocates every 100 ms from `fromMs` for `forMs`; returns how often the picture changed. */
function run(
  {
    streams,
    budget,
    watched,
  }: { streams: TrunkStream[]; budget: TrunkBudget; watched: TrunkStream },
  { fromMs, forMs, rateAt }: { fromMs: number; forMs: number; rateAt: (nowMs: number) => number },
): number {
  let changes = 0
  let before = levelOf(watched)
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += TICK_MS) {
    budget.availableBps = rateAt(nowMs)
    allocateTrunk(streams, budget, nowMs)
    const level = levelOf(watched)
    if (level !== before) changes += 1
    before = level
  }
  return changes
}

function levelOf({ mode, sentMask, temporal }: TrunkStream): string {
  return `${mode} ${sentMask} ${temporal}`
}

test('down at once, up after the rate has been there for two seconds', (t) => {
  const main = picture(CAMERA)
  const scene = { streams: [main], budget: bareBudget(0), watched: main }
  run(scene, { fromMs: 0, forMs: 1_000, rateAt: () => 2_000_000 })
  t.is(main.sentMask, 4)
  run(scene, { fromMs: 1_000, forMs: 20_000, rateAt: () => 200_000 })
  t.is(main.sentMask, 1)
  run(scene, { fromMs: 21_000, forMs: 1_900, rateAt: () => 2_000_000 })
  t.is(main.sentMask, 1)
  run(scene, { fromMs: 22_900, forMs: 300, rateAt: () => 2_000_000 })
  t.is(main.sentMask, 4)
})

test('a level that fits without margin is not climbed to, and is kept when it is there', (t) => {
  const main = picture(CAMERA)
  const scene = { streams: [main], budget: bareBudget(0), watched: main }
  run(scene, { fromMs: 0, forMs: 1_000, rateAt: () => 510_000 })
  t.like(main, { sentMask: 2, temporal: 3 })
  run(scene, { fromMs: 1_000, forMs: 1_000, rateAt: () => 200_000 })
  run(scene, { fromMs: 2_000, forMs: 60_000, rateAt: () => 510_000 })
  t.like(main, { sentMask: 2, temporal: 1 })
})

for (const [name, rateAt] of [
  ['white noise', (i: number) => 1 + 0.2 * (noise(i) - 0.5)],
  ['a slow wave', (i: number) => 1 + 0.1 * Math.sin(i / 150)],
] as const) {
  test(`an estimate that swings by a tenth around a step changes the picture rarely: ${name}`, (t) => {
    for (const aroundBps of [60_000, 150_000, 300_000, 500_000, 575_000, 1_000_000]) {
      const main = picture(CAMERA)
      const heard = voice(24_000)
      const scene = { streams: [main, heard], budget: bareBudget(0), watched: main }
      const changes = run(scene, {
        fromMs: 0,
        forMs: 600_000,
        rateAt: (nowMs) => (24_000 + aroundBps) * rateAt(nowMs / TICK_MS),
      })
      t.true(changes <= 40, `${changes} changes in 10 minutes around ${aroundBps}`)
    }
  })
}

test('levels that do not last are tried ever more rarely', (t) => {
  const main = picture(CAMERA)
  const scene = { streams: [main], budget: bareBudget(0), watched: main }
  const rateAt = (nowMs: number): number => (nowMs % 12_000 < 6_000 ? 900_000 : 550_000)
  t.true(run(scene, { fromMs: 0, forMs: 600_000, rateAt }) <= 16)
  t.like(main, { sentMask: 0b10, temporal: 3 })
})

test('what did not last on a thin line is not held against a wide one', (t) => {
  const main = picture(CAMERA)
  const scene = { streams: [main], budget: bareBudget(0), watched: main }
  // A minute of climbing and falling makes the wait long.
  const rateAt = (nowMs: number): number => (nowMs % 12_000 < 6_000 ? 240_000 : 60_000)
  run(scene, { fromMs: 0, forMs: 90_000, rateAt })
  run(scene, { fromMs: 90_000, forMs: 3_000, rateAt: () => 2_000_000 })
  t.is(main.sentMask, 4)
})

test('a picture that fell to stills again and again still moves most of the time', (t) => {
  const main = picture(CAMERA)
  const scene = { streams: [main], budget: bareBudget(0), watched: main }
  // As an estimate looks on a lossy satellite: a dip of half a second every ten seconds.
  let moving = 0
  for (let nowMs = 0; nowMs < 300_000; nowMs += TICK_MS) {
    const rateAt = (): number => (nowMs % 10_000 < 500 ? 20_000 : 200_000)
    run(scene, { fromMs: nowMs, forMs: TICK_MS, rateAt })
    if (main.mode === 'full') moving += 1
  }
  t.true(moving / 3_000 > 0.3, `${moving / 3_000}`)
})

test('a picture that has gone comes back a second after there is room', (t) => {
  const main = picture(CAMERA)
  const scene = { streams: [main], budget: bareBudget(0), watched: main }
  run(scene, { fromMs: 0, forMs: 2_000, rateAt: () => 200_000 })
  run(scene, { fromMs: 2_000, forMs: 30_000, rateAt: () => 1_000 })
  t.is(main.mode, 'off')
  run(scene, { fromMs: 32_000, forMs: 1_200, rateAt: () => 200_000 })
  t.is(main.mode, 'full')
})

test('while the ceiling is low the wish for more is remembered, though nobody can ask', (t) => {
  const main = picture(CAMERA)
  const scene = { streams: [main], budget: bareBudget(0), watched: main }
  run(scene, { fromMs: 0, forMs: 1_000, rateAt: () => 200_000 })
  t.like(main, { ceiling: 0, layerWanted: 2 })
  main.wantedMask = 0b1
  run(scene, { fromMs: 1_000, forMs: 10_000, rateAt: () => 200_000 })
  t.like(main, { ceiling: 0, layerWanted: 2, reason: 'bandwidth' })
  run(scene, { fromMs: 11_000, forMs: 2_300, rateAt: () => 2_000_000 })
  t.like(main, { ceiling: 2, sentMask: 0b1 })
  main.wantedMask = 0b100
  run(scene, { fromMs: 13_300, forMs: 10_000, rateAt: () => 2_000_000 })
  t.like(main, { ceiling: 2, sentMask: 0b100, reason: 'none', grantedBps: main.wantedBps })
})

test('a wish that is not renewed when it could be is forgotten', (t) => {
  const main = picture(CAMERA)
  const scene = { streams: [main], budget: bareBudget(0), watched: main }
  run(scene, { fromMs: 0, forMs: 1_000, rateAt: () => 200_000 })
  main.wantedMask = 0b1
  run(scene, { fromMs: 1_000, forMs: 20_000, rateAt: () => 2_000_000 })
  t.like(main, { layerWanted: 0, ceiling: 2, sentMask: 0b1, reason: 'none' })
  run(scene, { fromMs: 21_000, forMs: 20_000, rateAt: () => 300_000 })
  t.like(main, { layerWanted: 0, ceiling: 2, reason: 'none' })
})

test('a larger window is served at once when nothing was refused before', (t) => {
  const main = picture(CAMERA, { wantedMask: 0b1 })
  const scene = { streams: [main], budget: bareBudget(0), watched: main }
  run(scene, { fromMs: 0, forMs: 10_000, rateAt: () => 2_000_000 })
  t.is(main.sentMask, 0b1)
  main.wantedMask = 0b101
  run(scene, { fromMs: 10_000, forMs: 100, rateAt: () => 2_000_000 })
  t.is(main.sentMask, 0b101)
})

test('the next speaker does not wait for what it was refused as a tile', (t) => {
  const one = picture(CAMERA)
  const two = picture(CAMERA, { place: 'other' })
  const scene = { streams: [one, two], budget: bareBudget(0), watched: one }
  run(scene, { fromMs: 0, forMs: 5_000, rateAt: () => 600_000 })
  t.like(one, { sentMask: 0b10 })
  t.like(two, { sentMask: 0b1 })
  one.place = 'other'
  two.place = 'main'
  run(scene, { fromMs: 5_000, forMs: 100, rateAt: () => 600_000 })
  t.like(one, { sentMask: 0b1 })
  t.like(two, { sentMask: 0b10 })
})

/** 0..1, the same for the same number. */
function noise(i: number): number {
  const x = Math.sin(i * 12.9898) * 43_758.5453
  return x - Math.floor(x)
}
