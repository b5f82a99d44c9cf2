/** What is answered at each degree of shortage, and by whom it is felt first. */
import test from 'ava'
import { TRUNK_CLASSES, type TrunkClass } from '../trunk/contract.ts'
import { allocateTrunk, type TrunkBudget, type TrunkStream } from './index.ts'
import { bareBudget, CAMERA, picture, voice } from './sample-streams.ts'

function share(budget: TrunkBudget, name: TrunkClass): number {
  return Math.round(budget.shares[TRUNK_CLASSES.indexOf(name)]!)
}

test('everything that fits is sent, layer by layer as it is wanted', (t) => {
  const heard = voice(30_000)
  const main = picture(CAMERA, { wantedMask: 0b101 })
  const budget = bareBudget(2_000_000)
  allocateTrunk([main, heard], budget, 0)
  t.like(heard, { mode: 'full', sentMask: 1, reason: 'none', missingBps: 0 })
  t.like(main, { mode: 'full', sentMask: 0b101, temporal: 3, ceiling: 2, reason: 'none' })
  t.is(share(budget, 'stage-audio'), 30_000)
  t.is(share(budget, 'main-base'), 60_000)
  t.is(share(budget, 'enhancement'), 1_090_000)
  t.is(Math.round(budget.spentBps), 1_180_000)
  t.is(Math.round(budget.wantedBps), 1_180_000)
})

test('the ladder of a camera: half the frames, a lower layer, fewer frames, a picture now and then, nothing', (t) => {
  const steps: string[] = []
  for (let availableBps = 1_300_000; availableBps >= 0; availableBps -= 1_000) {
    const main = picture(CAMERA)
    allocateTrunk([main], bareBudget(availableBps), 0)
    const { mode, sentMask, temporal, keyframeIntervalMs } = main
    const step =
      mode === 'full'
        ? `layers ${sentMask.toString(2)} temporal ${temporal}`
        : `${mode} ${keyframeIntervalMs}`
    if (steps.at(-1) !== step) steps.push(step)
  }
  t.deepEqual(steps, [
    'layers 100 temporal 3',
    'layers 100 temporal 1',
    'layers 10 temporal 3',
    'layers 10 temporal 1',
    'layers 1 temporal 3',
    'layers 1 temporal 1',
    'layers 1 temporal 0',
    'keyframes 2000',
    'keyframes 3000',
    'keyframes 5000',
    'keyframes 7000',
    'keyframes 10000',
    'off 0',
  ])
})

test('a screen keeps its letters and gives up its motion', (t) => {
  const steps: string[] = []
  for (let availableBps = 1_100_000; availableBps >= 150_000; availableBps -= 1_000) {
    const slides = picture([200_000, 1_000_000], { use: 'screen' })
    allocateTrunk([slides], bareBudget(availableBps), 0)
    const step = `layers ${slides.sentMask.toString(2)} temporal ${slides.temporal}`
    if (steps.at(-1) !== step) steps.push(step)
  }
  t.deepEqual(steps, [
    'layers 10 temporal 3',
    'layers 10 temporal 1',
    'layers 10 temporal 0',
    'layers 1 temporal 3',
    'layers 1 temporal 1',
  ])
})

test('as a link gets thinner, enhancement goes first, then frames, then tiles, then motion; audio stays', (t) => {
  const seen = (availableBps: number): string[] => {
    const heard = voice(24_000)
    const main = picture([150_000, 500_000])
    const tile = picture([100_000], { place: 'other' })
    allocateTrunk([tile, main, heard], bareBudget(availableBps), 0)
    return [heard, main, tile].map((s) =>
      s.mode === 'full' ? `${s.sentMask}/${s.temporal}` : s.mode,
    )
  }
  t.deepEqual(seen(700_000), ['1/3', '2/3', '1/3'])
  t.deepEqual(seen(500_000), ['1/3', '2/1', '1/3'])
  t.deepEqual(seen(290_000), ['1/3', '1/3', '1/3'])
  t.deepEqual(seen(155_000), ['1/3', '1/1', '1/0'])
  t.deepEqual(seen(100_000), ['1/3', '1/0', 'keyframes'])
  t.deepEqual(seen(84_500), ['1/3', '1/0', 'off'])
  t.deepEqual(seen(60_000), ['1/3', 'keyframes', 'keyframes'])
  t.deepEqual(seen(26_000), ['1/3', 'off', 'off'])
})

test('what is wanted above the ceiling is answered with the ceiling', (t) => {
  const main = picture(CAMERA, { wantedMask: 0b101 })
  allocateTrunk([main], bareBudget(660_000), 0)
  t.like(main, { sentMask: 0b11, ceiling: 1, layerWanted: 2, reason: 'bandwidth' })
  t.is(main.missingBps, 150_000 * 0.6 + 1_000_000 * 0.6 - 650_000)
})

test('a stream that nobody wants, or that does not flow, costs nothing and says why', (t) => {
  const unwanted = picture(CAMERA, { wantedMask: 0 })
  const still = picture([0, 0, 0])
  const budget = bareBudget(10_000_000)
  allocateTrunk([unwanted, still], budget, 0)
  t.like(unwanted, { mode: 'off', sentMask: 0, reason: 'not-wanted', layerWanted: -1 })
  t.like(still, { reason: 'not-flowing', grantedBps: 0, sentMask: 0b100, mode: 'full' })
  t.is(budget.spentBps, 0)
})

test('an unmeasured stream begins where a guess fits, and with pictures now and then where none does', (t) => {
  const at = (availableBps: number): TrunkStream => {
    const stream = picture([0, 0, 0])
    allocateTrunk([stream], bareBudget(availableBps), 0)
    return stream
  }
  t.like(at(600_000), { mode: 'full', sentMask: 0b10 })
  t.like(at(200_000), { mode: 'full', sentMask: 0b1 })
  t.like(at(50_000), { mode: 'keyframes', sentMask: 0b1, keyframeIntervalMs: 10_000 })
  t.like(at(5_000), { mode: 'off', sentMask: 0 })
})

test('a wanted layer that begins to flow later is let through where a guess fits', (t) => {
  const stream = picture([150_000, 0, 0], { wantedMask: 0b100 })
  allocateTrunk([stream], bareBudget(5_000_000), 0)
  t.is(stream.sentMask, 0b101)
  allocateTrunk([stream], bareBudget(400_000), 0)
  t.is(stream.sentMask, 0b001)
})

test('control has its floor before audio, and catch-up only what nobody else wants', (t) => {
  const heard = voice(60_000)
  const budget = bareBudget(64_000)
  budget.controlBps = 50_000
  budget.catchUpBps = 1_000_000
  allocateTrunk([heard], budget, 0)
  t.is(share(budget, 'control'), 4_000)
  t.is(share(budget, 'catch-up'), 0)
  budget.availableBps = 210_000
  allocateTrunk([heard], budget, 100)
  t.is(share(budget, 'control'), 50_000)
  t.is(share(budget, 'catch-up'), 90_000)
})

test('slides go before the main picture but leave it a fifth', (t) => {
  const slides = picture([100_000], { use: 'screen', place: 'other' })
  const main = picture([100_000])
  const budget = bareBudget(45_000)
  allocateTrunk([main, slides], budget, 0)
  t.is(slides.mode, 'keyframes')
  t.is(main.mode, 'keyframes')
  t.is(share(budget, 'slides'), 20_000)
  const alone = picture([100_000], { use: 'screen', place: 'other' })
  allocateTrunk([alone], bareBudget(45_000), 0)
  t.is(alone.mode, 'full')
})

test('two rooms share a class alike, however many tiles one of them has', (t) => {
  const many = Array.from({ length: 8 }, () => picture([100_000], { place: 'other', room: 1 }))
  const few = Array.from({ length: 2 }, () => picture([100_000], { place: 'other', room: 2 }))
  allocateTrunk([...many, ...few], bareBudget(8 * 40_000 + 1), 0)
  t.deepEqual(
    few.map((s) => s.mode),
    ['full', 'full'],
  )
  t.is(many.filter((s) => s.mode === 'full').length, 4)
  const [one, two] = [1, 2].map((room) => picture(CAMERA, { room }))
  allocateTrunk([one!, two!], bareBudget(1_000_000), 0)
  t.is(one!.sentMask, two!.sentMask)
})

test('parity is paid by the lowest layer and redundancy by audio', (t) => {
  const heard = voice(20_000)
  const main = picture([100_000, 400_000], { wantedMask: 0b11 })
  const budget = bareBudget(2_000_000)
  budget.audioRedundancyRatio = 1
  budget.baseParityRatio = 0.2
  allocateTrunk([heard, main], budget, 0)
  t.is(share(budget, 'stage-audio'), 40_000)
  t.is(Math.round(main.grantedBps), 520_000)
})

test('an emergency takes a broadcast its pictures at once, says so, and gives them back at once', (t) => {
  const cast = picture([150_000, 600_000], { room: 1 })
  const heard = voice(24_000, { room: 1 })
  const tile = picture([100_000], { room: 1, place: 'other' })
  const budget = bareBudget(660_000)
  const roster = [cast, heard, tile]
  for (let nowMs = 0; nowMs <= 5_000; nowMs += 100) allocateTrunk(roster, budget, nowMs)
  t.like(cast, { sentMask: 2, temporal: 1, reason: 'bandwidth' })
  const patient = picture([200_000, 600_000], { room: 2, emergency: true })
  const surgeon = voice(24_000, { room: 2, emergency: true })
  const both = [...roster, patient, surgeon]
  allocateTrunk(both, budget, 5_100)
  t.like(patient, { sentMask: 2, temporal: 3, reason: 'none' })
  t.like(surgeon, { mode: 'full', reason: 'none' })
  t.like(heard, { mode: 'full', reason: 'none' })
  t.is(cast.mode, 'keyframes')
  t.is(cast.reason, 'pre-empted')
  t.is(tile.reason, 'pre-empted')
  for (let nowMs = 5_200; nowMs <= 9_000; nowMs += 100) allocateTrunk(both, budget, nowMs)
  t.is(cast.reason, 'pre-empted')
  allocateTrunk(roster, budget, 9_100)
  t.like(cast, { sentMask: 2, temporal: 1, reason: 'bandwidth' })
  t.like(tile, { mode: 'full', reason: 'none' })
})

test('a room that becomes an emergency is served at once', (t) => {
  const cast = picture([500_000], { room: 1 })
  const consult = picture([500_000], { room: 2, place: 'other' })
  const budget = bareBudget(600_000)
  for (let nowMs = 0; nowMs <= 3_000; nowMs += 100) allocateTrunk([cast, consult], budget, nowMs)
  t.like(consult, { mode: 'full', temporal: 1, reason: 'bandwidth' })
  consult.emergency = true
  allocateTrunk([cast, consult], budget, 3_100)
  t.like(consult, { mode: 'full', temporal: 3 })
  t.is(cast.reason, 'pre-empted')
  consult.emergency = false
  allocateTrunk([cast, consult], budget, 3_200)
  t.like(cast, { mode: 'full', temporal: 1 })
})
