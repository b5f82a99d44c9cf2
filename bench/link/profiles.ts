/**
 * Links as they exist in the field, each direction with its numbers. `down` is towards the site,
 * `up` from it. Queues are what such equipment has: short on fibre, bloated on old DSL and mobile
 * networks.
 */
import { type LinkSettings, PERFECT } from './settings.ts'

/** Both directions of a link, and what it stands for. */
export type LinkProfile = { about: string; down: LinkSettings; up: LinkSettings }

/** Profiles by name. */
export const PROFILES = {
  perfect: { about: 'no impairment', down: PERFECT, up: PERFECT },
  fibre: {
    about: 'province hospital on fibre: 100 / 100 Mbit/s, 10 ms RTT',
    down: shaped({ rateBps: 100e6, queueMs: 50, delayMs: 5, jitterMs: 1 }),
    up: shaped({ rateBps: 100e6, queueMs: 50, delayMs: 5, jitterMs: 1 }),
  },
  adsl: {
    about: 'old copper: 8 / 0.64 Mbit/s, 40 ms RTT, 0.1 % loss, 300 ms of queue',
    down: shaped({ rateBps: 8e6, queueMs: 300, delayMs: 20, jitterMs: 5, lossRatio: 0.001 }),
    up: shaped({ rateBps: 640e3, queueMs: 300, delayMs: 20, jitterMs: 5, lossRatio: 0.001 }),
  },
  '3g': {
    about: 'mobile: 1.5 / 0.4 Mbit/s, 120 ms RTT with 40 ms of jitter, bursts of loss (1 %)',
    down: mobile({ rateBps: 1.5e6, queueMs: 600, delayMs: 60, jitterMs: 40 }),
    up: mobile({ rateBps: 400e3, queueMs: 600, delayMs: 60, jitterMs: 40 }),
  },
  '2g': {
    about: 'EDGE: 120 / 40 kbit/s, 500 ms RTT with 120 ms of jitter, bursts of loss (1 %)',
    down: mobile({ rateBps: 120e3, queueMs: 1500, delayMs: 250, jitterMs: 120 }),
    up: mobile({ rateBps: 40e3, queueMs: 1500, delayMs: 250, jitterMs: 120 }),
  },
  vsat: {
    about: 'geostationary satellite: 2 / 0.5 Mbit/s, 600 ms RTT, 0.5 % loss',
    down: shaped({ rateBps: 2e6, queueMs: 400, delayMs: 300, jitterMs: 10, lossRatio: 0.005 }),
    up: shaped({ rateBps: 500e3, queueMs: 400, delayMs: 300, jitterMs: 10, lossRatio: 0.005 }),
  },
  district: {
    about: 'district centre: 512 kbit/s both ways, 60 ms RTT, 0.5 % loss',
    down: shaped({ rateBps: 512e3, queueMs: 300, delayMs: 30, jitterMs: 10, lossRatio: 0.005 }),
    up: shaped({ rateBps: 512e3, queueMs: 300, delayMs: 30, jitterMs: 10, lossRatio: 0.005 }),
  },
  commune: {
    about: 'commune post: 64 kbit/s both ways, 150 ms RTT, 2 % loss',
    down: shaped({ rateBps: 64e3, queueMs: 500, delayMs: 75, jitterMs: 20, lossRatio: 0.02 }),
    up: shaped({ rateBps: 64e3, queueMs: 500, delayMs: 75, jitterMs: 20, lossRatio: 0.02 }),
  },
} as const satisfies Record<string, LinkProfile>

/** Name of a profile. */
export type ProfileName = keyof typeof PROFILES

type Shape = {
  rateBps: number
  queueMs: number
  delayMs: number
  jitterMs: number
  lossRatio?: number
}

function shaped({ rateBps, queueMs, delayMs, jitterMs, lossRatio = 0 }: Shape): LinkSettings {
  // A queue holds at least two full packets, or a slow link could never send one behind another.
  const queueBytes = Math.max(3000, Math.round((rateBps / 8000) * queueMs))
  return { ...PERFECT, rateBps, queueBytes, delayMs, jitterMs, lossRatio }
}

/**
 * Loss in bursts of five packets on average, 1 % in all: good state 99 %, half of the bad state
 * lost.
 */
function mobile(shape: Shape): LinkSettings {
  const burstLoss = { goodToBad: 0.004, badToGood: 0.2, lossRatioGood: 0, lossRatioBad: 0.5 }
  return { ...shaped(shape), burstLoss }
}
