/**
 * The audio of a trunk: how it is packed, how much of its redundancy is had, who is heard when not even that fits,
 * and what publishers are asked for. Longer packets come before less redundancy, less redundancy before fewer voices.
 */
import type { TrunkBudget } from './budget.ts'
import { buildAudioLadder } from './ladder.ts'
import { settle } from './settle.ts'
import type { TrunkStream } from './stream.ts'

/** Cheapest first. `bundleMs`: how long audio waits for company; `redundancy`: share of what repair asked for. */
const PACKINGS = [
  { bundleMs: 100, redundancy: 0 },
  { bundleMs: 60, redundancy: 0 },
  { bundleMs: 60, redundancy: 0.5 },
  { bundleMs: 60, redundancy: 1 },
  { bundleMs: 40, redundancy: 1 },
  { bundleMs: 20, redundancy: 1 },
] as const
const BEST_PACKING = PACKINGS.length - 1
/** Packings from here on are a comfort: they leave this share of the link to pictures, when any are wanted. */
const COMFORT_PACKING = 4
const PICTURE_FLOOR_SHARE = 0.2
const PACKING_HOLD_MS = 3_000
const PUBLISHERS_BUNDLE_MS = 60

/** What publishers may be asked to stay below, bit/s: Opus speaks clearly from 12,000 on. */
const CAPS_BPS = [8_000, 10_000, 12_000, 16_000, 20_000, 24_000, 32_000] as const
/** With so much for each nobody is asked anything. */
const UNCAPPED_BPS = 40_000
const EASE_HOLD_MS = 10_000
/** Of what there is, what publishers are asked to fill: their rates swing. */
const CAP_SHARE = 0.9
/** A voice's rate goes up at once and is forgotten by half in this time: nobody knows when a silence ends. */
const PEAK_HALF_MS = 4_000

/** What audio may take, bit/s: with all there is, and with margin. */
export type AudioLimits = { firmBps: number; roomyBps: number; picturesWanted: boolean }

/**
 * @hot Sets `budget.audio`, settles every wanted voice of `hold.order` and returns what they cost together with their
 * datagrams' headers, bit/s. The first voice is sent even beyond the limits.
 */
export function allocateAudio(budget: TrunkBudget, limits: AudioLimits, nowMs: number): number {
  const { order, audioLoad } = budget.hold
  measure(order, audioLoad, nowMs)
  capPublishers(budget, limits.firmBps, nowMs)
  const { bundleMs, redundancy } = PACKINGS[choosePacking(budget, limits, nowMs)]!
  budget.audio.bundleMs = bundleMs
  budget.audio.redundancyRatio = budget.audioRedundancyRatio * redundancy
  if (audioLoad.voices === 0) return 0
  const factor = 1 + budget.audio.redundancyRatio
  const headersBps = datagramsBps(budget, bundleMs)
  for (const stream of order) {
    if (isVoice(stream)) buildAudioLadder(stream, stream.hold.peakBps * factor)
  }
  chooseVoices(order, 'roomyRung', limits.roomyBps - headersBps)
  chooseVoices(order, 'calmRung', limits.firmBps - headersBps)
  chooseVoices(order, 'firmRung', limits.firmBps - headersBps)
  let spentBps = headersBps
  for (const stream of order) {
    if (isVoice(stream))
      spentBps += stream.hold.rungCosts[settle(stream, nowMs, budget.availableBps)]!
  }
  return spentBps
}

/** @hot What audio would cost as it comes, after `allocateAudio`; bit/s. */
export function wantedAudioBps(budget: TrunkBudget): number {
  return packedBps(budget, BEST_PACKING)
}

/** @hot Headers of the datagrams that carry audio, however many voices share them; bit/s. */
export function datagramsBps(budget: TrunkBudget, bundleMs: number): number {
  return (1_000 / bundleMs) * budget.datagramOverheadBytes * 8
}

/** @hot An audio stream that somebody beyond wants. */
export function isVoice(stream: TrunkStream): boolean {
  return stream.kind === 'audio' && stream.wantedMask !== 0
}

function measure(
  order: readonly TrunkStream[],
  load: TrunkBudget['hold']['audioLoad'],
  nowMs: number,
): void {
  load.voices = 0
  load.payloadBps = 0
  for (const stream of order) {
    if (!isVoice(stream)) continue
    const { hold } = stream
    const fadedBps = hold.peakBps * 2 ** ((hold.peakMs - nowMs) / PEAK_HALF_MS)
    hold.peakBps = Math.max(stream.layers[0]!.bitrateBps, fadedBps)
    hold.peakMs = nowMs
    load.voices += 1
    load.payloadBps += hold.peakBps
  }
}

function packedBps(budget: TrunkBudget, packing: number): number {
  const { voices, payloadBps } = budget.hold.audioLoad
  if (voices === 0) return 0
  const { bundleMs, redundancy } = PACKINGS[packing]!
  const voicesBps = payloadBps * (1 + budget.audioRedundancyRatio * redundancy)
  return voicesBps + datagramsBps(budget, bundleMs)
}

/** The best packing that fits: worse at once, better when it has fitted with margin for a while. */
function choosePacking(budget: TrunkBudget, limits: AudioLimits, nowMs: number): number {
  const { hold } = budget
  const floorBps = limits.picturesWanted ? budget.availableBps * PICTURE_FLOOR_SHARE : 0
  const firm = bestPacking(budget, limits.firmBps, floorBps)
  const present = hold.audioPacking
  if (present < 0 || firm < present) hold.audioPacking = firm
  const roomy = Math.min(firm, bestPacking(budget, limits.roomyBps, floorBps))
  if (roomy <= hold.audioPacking) {
    hold.audioFitsSinceMs = -1
    return hold.audioPacking
  }
  if (hold.audioFitsSinceMs < 0) hold.audioFitsSinceMs = nowMs
  if (nowMs - hold.audioFitsSinceMs >= PACKING_HOLD_MS) {
    hold.audioPacking = roomy
    hold.audioFitsSinceMs = -1
  }
  return hold.audioPacking
}

function bestPacking(budget: TrunkBudget, limitBps: number, floorBps: number): number {
  let packing = BEST_PACKING
  while (packing > 0) {
    const reservedBps = packing >= COMFORT_PACKING ? floorBps : 0
    if (packedBps(budget, packing) <= limitBps - reservedBps) break
    packing -= 1
  }
  return packing
}

/** From what there is, not from what they send: else their obedience would end the request. */
function capPublishers(budget: TrunkBudget, limitBps: number, nowMs: number): void {
  const { audio, hold } = budget
  const { voices } = hold.audioLoad
  const headersBps = datagramsBps(budget, PUBLISHERS_BUNDLE_MS)
  const purseBps = Math.max(0, limitBps - headersBps) * CAP_SHARE
  const eachBps = purseBps / (Math.max(1, voices) * (1 + budget.audioRedundancyRatio))
  const capBps = voices === 0 || eachBps >= UNCAPPED_BPS ? 0 : capBelow(eachBps)
  const isTighter = capBps > 0 && (audio.bitrateBpsMax === 0 || capBps < audio.bitrateBpsMax)
  if (isTighter || capBps === audio.bitrateBpsMax) hold.easedSinceMs = -1
  else if (hold.easedSinceMs < 0) hold.easedSinceMs = nowMs
  const isEased = hold.easedSinceMs >= 0 && nowMs - hold.easedSinceMs >= EASE_HOLD_MS
  if (!isTighter && !isEased) return
  hold.easedSinceMs = -1
  audio.bitrateBpsMax = capBps
  audio.dtx = capBps > 0
  audio.packetTimeMs = packetTimeMsAt(capBps)
}

function capBelow(bitrateBps: number): number {
  let i = CAPS_BPS.length - 1
  while (i > 0 && CAPS_BPS[i]! > bitrateBps) i -= 1
  return CAPS_BPS[i]!
}

function packetTimeMsAt(capBps: number): number {
  if (capBps === 0 || capBps > 16_000) return 20
  return capBps > 10_000 ? 40 : 60
}

/** Voices in order while they fit; calm: as if nobody called from an emergency. */
function chooseVoices(
  order: readonly TrunkStream[],
  field: 'firmRung' | 'roomyRung' | 'calmRung',
  limitBps: number,
): void {
  let leftBps = limitBps
  let isFirst = true
  for (const stream of order) {
    if (!isVoice(stream)) continue
    const { hold } = stream
    const isLeftOut = field === 'calmRung' && stream.emergency
    hold[field] = !isLeftOut && (isFirst || hold.rungCosts[1]! <= leftBps) ? 1 : 0
    if (hold[field] === 0) continue
    isFirst = false
    leftBps -= hold.rungCosts[1]!
  }
}
