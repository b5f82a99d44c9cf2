/** What becomes of audio when even audio does not fit. */
import test from 'ava'
import { allocateTrunk, createTrunkBudget, type TrunkBudget } from './index.ts'
import { picture, voice } from './sample-streams.ts'

function thinBudget(availableBps: number, audioRedundancyRatio = 0): TrunkBudget {
  return Object.assign(createTrunkBudget(), { availableBps, audioRedundancyRatio })
}

test('headers are merged away first, then redundancy is given up, then voices from the last', (t) => {
  const at = (availableBps: number): string => {
    const voices = [voice(16_000), voice(16_000), voice(16_000)]
    const budget = thinBudget(availableBps, 1)
    allocateTrunk(voices, budget, 0)
    const { bundleMs, redundancyRatio } = budget.audio
    return `${bundleMs} ms, ${redundancyRatio}, ${voices.filter((v) => v.mode === 'full').length}`
  }
  t.is(at(200_000), '20 ms, 1, 3')
  t.is(at(110_000), '40 ms, 1, 3')
  t.is(at(104_000), '60 ms, 1, 3')
  t.is(at(80_000), '60 ms, 0.5, 3')
  t.is(at(60_000), '60 ms, 0, 3')
  t.is(at(53_000), '100 ms, 0, 3')
  t.is(at(40_000), '100 ms, 0, 2')
  t.is(at(25_000), '100 ms, 0, 1')
  t.is(at(5_000), '100 ms, 0, 1')
})

test('over 64 kbit/s with a voice twice over there is still a picture now and then', (t) => {
  const heard = voice(20_000)
  const main = picture([150_000])
  const budget = thinBudget(64_000, 1)
  budget.controlBps = 3_000
  allocateTrunk([heard, main], budget, 0)
  t.is(heard.mode, 'full')
  t.is(main.mode, 'keyframes')
  t.true(main.keyframeIntervalMs <= 10_000)
  t.is(budget.audio.redundancyRatio, 1)
  t.is(budget.audio.bundleMs, 60)
  t.true(budget.spentBps <= 64_000)
})

test('publishers are asked for less by what there is, not by what they send: no seesaw', (t) => {
  const voices = [voice(32_000), voice(32_000)]
  const budget = thinBudget(40_000)
  allocateTrunk(voices, budget, 0)
  t.deepEqual(budget.audio.bitrateBpsMax, 12_000)
  t.is(budget.audio.packetTimeMs, 40)
  t.true(budget.audio.dtx)
  for (const v of voices) v.layers[0]!.bitrateBps = 12_000
  for (let nowMs = 100; nowMs < 60_000; nowMs += 100) {
    allocateTrunk(voices, budget, nowMs)
    t.is(budget.audio.bitrateBpsMax, 12_000)
  }
  t.deepEqual(
    voices.map((v) => v.mode),
    ['full', 'full'],
  )
  budget.availableBps = 1_000_000
  allocateTrunk(voices, budget, 60_000)
  t.is(budget.audio.bitrateBpsMax, 12_000)
  allocateTrunk(voices, budget, 70_000)
  t.deepEqual(budget.audio, {
    bundleMs: 20,
    redundancyRatio: 0,
    packetTimeMs: 20,
    bitrateBpsMax: 0,
    dtx: false,
  })
})

test('a voice that was left out is back within a second after there is room', (t) => {
  const voices = [voice(24_000), voice(24_000)]
  const budget = thinBudget(36_000)
  allocateTrunk(voices, budget, 0)
  t.deepEqual(
    voices.map((v) => v.mode),
    ['full', 'off'],
  )
  t.is(voices[1]!.reason, 'bandwidth')
  budget.availableBps = 200_000
  for (let nowMs = 100; nowMs <= 800; nowMs += 100) allocateTrunk(voices, budget, nowMs)
  t.deepEqual(
    voices.map((v) => v.mode),
    ['full', 'full'],
  )
})

test('the voice of an emergency takes the place of another room', (t) => {
  const cast = voice(24_000, { room: 1 })
  const budget = thinBudget(36_000)
  allocateTrunk([cast], budget, 0)
  t.is(cast.mode, 'full')
  const call = voice(24_000, { room: 2, emergency: true })
  allocateTrunk([cast, call], budget, 100)
  t.is(call.mode, 'full')
  t.like(cast, { mode: 'off', reason: 'pre-empted' })
  allocateTrunk([cast], budget, 200)
  t.like(cast, { mode: 'full', reason: 'none' })
})

test('a pause in speech does not give its rate away at once', (t) => {
  const heard = voice(24_000)
  const budget = thinBudget(200_000)
  allocateTrunk([heard], budget, 0)
  heard.layers[0]!.bitrateBps = 1_000
  allocateTrunk([heard], budget, 1_000)
  t.true(heard.grantedBps > 18_000)
  allocateTrunk([heard], budget, 60_000)
  t.is(heard.grantedBps, 1_000)
})
