import test from 'ava'
import type { RepairPlan } from './index.ts'
import { type Loss, type Outcome, simulateTrunk } from './simulated-trunk.fixture.ts'

const percent = (ratio: number) => `${(ratio * 100).toFixed(2)} %`

/** The worst of three seeds, each figure for itself. */
function worst(loss: Loss, rttMs: number, plan?: RepairPlan): Outcome {
  const outcomes = [1, 2, 3].map((seed) =>
    simulateTrunk({
      loss,
      rttMs,
      seed,
      seconds: 90,
      rateBps: 256_000,
      ...(plan === undefined ? {} : { plan }),
    }),
  )
  const most = (figure: (outcome: Outcome) => number) => Math.max(...outcomes.map(figure))
  return {
    ...outcomes[0]!,
    audioLossRatio: most((outcome) => outcome.audioLossRatio),
    videoLossRatio: most((outcome) => outcome.videoLossRatio),
    freezeRatio: most((outcome) => outcome.freezeRatio),
    audioDelayMs: most((outcome) => outcome.audioDelayMs),
    overheadRatio: most((outcome) => outcome.overheadRatio),
  }
}

function describe(outcome: Outcome): string {
  const { audioLossRatio, videoLossRatio, freezeRatio, audioDelayMs, overheadRatio } = outcome
  return `audio lost ${percent(audioLossRatio)}, video lost ${percent(videoLossRatio)}, frozen ${percent(freezeRatio)}, audio +${audioDelayMs} ms, overhead ${percent(overheadRatio)}`
}

/** Asking again with all the time that redundancy has, and nothing else. */
const NACK_ALONE: RepairPlan = {
  nack: 'all',
  audioDistances: [],
  audioMerge: 1,
  parityEvery: 0,
  parityWindow: 0,
  isParityForAudio: false,
  audioHoldMs: 195,
  videoHoldMs: 745,
  isVideoPaced: true,
  audioResidualRatio: 0,
}

for (const kind of ['gilbert', 'one-to-four'] as const) {
  for (const [ratio, audioLossMax] of [
    [0.05, 0.01],
    [0.1, 0.02],
  ] as const) {
    for (const rttMs of [60, 140, 600, 700]) {
      test(`bursts (${kind}) of ${percent(ratio)} at ${rttMs} ms: audio loses under ${percent(audioLossMax)}, the picture stands under 5 % of time`, (t) => {
        const outcome = worst({ ratio, kind }, rttMs)
        t.log(describe(outcome))
        t.true(outcome.audioLossRatio < audioLossMax)
        t.true(outcome.freezeRatio < 0.05)
        // Beside 24 kbit/s of audio and 140 of video, 256 kbit/s have room for this much.
        t.true(outcome.overheadRatio < 0.9)
        t.true(outcome.plan.audioHoldMs <= 215)
      })
    }
  }
}

test('asking again alone leaves audio at 600 ms as lossy as the link is', (t) => {
  const outcome = worst({ ratio: 0.1, kind: 'one-to-four' }, 600, NACK_ALONE)
  t.log(describe(outcome))
  t.true(outcome.audioLossRatio > 0.07)
  t.true(outcome.freezeRatio > 0.05)
})

test('a clean link costs nothing and holds nothing', (t) => {
  const outcome = worst({ ratio: 0, kind: 'gilbert' }, 600)
  t.is(outcome.overheadRatio, 0)
  t.is(outcome.audioLossRatio, 0)
  t.is(outcome.audioDelayMs, 0)
})

test('at 20 % in bursts people still understand each other', (t) => {
  const outcome = worst({ ratio: 0.2, kind: 'gilbert' }, 600)
  t.log(describe(outcome))
  t.true(outcome.audioLossRatio < 0.03)
})
