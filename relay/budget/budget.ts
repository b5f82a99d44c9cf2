/**
 * What one trunk may spend in one direction, and how it was spent. Owned by a TrunkEnd; reused between allocations.
 */
import { TRUNK_CLASSES } from '../trunk/contract.ts'
import type { AudioLimits } from './audio.ts'
import { type Purse, TURN_STARTS } from './fill.ts'
import type { CostFactors } from './ladder.ts'
import type { TrunkStream } from './stream.ts'

/**
 * How audio is packed when it weighs on the link, for the sender's bundler and for the publishers (through the SDK).
 */
export type AudioShape = {
  /** How long audio may wait for company in a datagram, ms: 20 (as it comes), 40, 60 or 100. */
  bundleMs: number
  /** Granted of `TrunkBudget.audioRedundancyRatio`. */
  redundancyRatio: number
  /** What publishers should be asked for: Opus packet time (20, 40 or 60 ms) ... */
  packetTimeMs: number
  /** ... mean rate (`maxaveragebitrate`), 0 = as they like ... */
  bitrateBpsMax: number
  /** ... and silence that is not sent. */
  dtx: boolean
}

export type TrunkBudget = {
  // In.
  /** The estimate: bit/s of UDP payload and headers that the path takes now. */
  availableBps: number
  /** What the control flow (log, demand, pages) wants of it. */
  controlBps: number
  /** What catch-up would take. */
  catchUpBps: number
  /** From relay/repair: copies of audio (0.5 = half as much again) and parity over base layers. */
  audioRedundancyRatio: number
  baseParityRatio: number
  /** IP, UDP, RTP, bundle and tag of one datagram; and how many bytes of frames it carries at most. */
  datagramOverheadBytes: number
  mtuBytes: number

  // Out.
  /** Granted bit/s by class, in the order of TRUNK_CLASSES; control and catch-up are told here alone. */
  readonly shares: Float64Array
  spentBps: number
  /** What everything wanted would cost, without catch-up: for the estimator's prober. */
  wantedBps: number
  readonly audio: AudioShape

  // The budget's own.
  readonly hold: BudgetHold
}

/** What hysteresis and the passes keep in a budget; no meaning outside of this folder. */
export type BudgetHold = {
  /** Most important first, and the roster that it was made of. */
  readonly order: TrunkStream[]
  readonly roster: TrunkStream[]
  readonly purse: Purse
  readonly factors: CostFactors
  readonly limits: AudioLimits
  readonly audioLoad: { voices: number; payloadBps: number }
  /** See audio.ts; the one in use, and since when a dearer one would have fitted (-1 = does not). */
  audioPacking: number
  audioFitsSinceMs: number
  /** Since when publishers could be let go higher; -1 = cannot. */
  easedSinceMs: number
}

/** Nothing to spend and nothing wanted. Headers as over IPv4 (28 bytes) with RTP, bundle and tag. */
export function createTrunkBudget(): TrunkBudget {
  const order: TrunkStream[] = []
  return {
    availableBps: 0,
    controlBps: 0,
    catchUpBps: 0,
    audioRedundancyRatio: 0,
    baseParityRatio: 0,
    datagramOverheadBytes: 28 + 12 + 12,
    mtuBytes: 1_200,
    shares: new Float64Array(TRUNK_CLASSES.length),
    spentBps: 0,
    wantedBps: 0,
    audio: { bundleMs: 20, redundancyRatio: 0, packetTimeMs: 20, bitrateBpsMax: 0, dtx: false },
    hold: {
      order,
      roster: [],
      purse: { order, starts: new Uint16Array(2 * TURN_STARTS), leftBps: 0, from: 0, to: 0 },
      factors: { headers: 1, base: 1 },
      limits: { firmBps: 0, roomyBps: 0, picturesWanted: false },
      audioLoad: { voices: 0, payloadBps: 0 },
      audioPacking: -1,
      audioFitsSinceMs: -1,
      easedSinceMs: -1,
    },
  }
}
