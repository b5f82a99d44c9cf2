/**
 * One way of one link, as it is kept, and how it travels to the node above: an array of numbers, since a thin link
 * carries it every few seconds.
 *
 *   [estimate bit/s, used bit/s, loss 1/10,000, residual loss 1/10,000, queue ms, [share bit/s by class],
 *    [[class, mode, reason, count, keyframe interval ms, missing bit/s] ...]]
 */
import * as v from 'valibot'
import { STATUS_SHED_MAX } from '../../config/limits.ts'
import { TRUNK_CLASSES, type TrunkReport } from '../trunk/contract.ts'
import type { DirectionStatus, ShedSummary } from './trunk-status.ts'

const MODES = ['full', 'keyframes', 'off'] as const
const REASONS = ['bandwidth', 'pre-empted'] as const
const RATIO = 10_000
const COUNT_MAX = 65_535
const MS_MAX = 3_600_000
const BPS_MAX = 1_000_000_000_000

const natural = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most))
const bps = natural(BPS_MAX)
const shed = v.tuple([
  natural(TRUNK_CLASSES.length - 1),
  natural(MODES.length - 1),
  natural(REASONS.length - 1),
  natural(COUNT_MAX),
  natural(MS_MAX),
  bps,
])

/** Checks what came; bounded. */
export const DIRECTION = v.tuple([
  bps,
  bps,
  natural(RATIO),
  natural(RATIO),
  natural(MS_MAX),
  v.pipe(v.array(bps), v.length(TRUNK_CLASSES.length)),
  v.pipe(v.array(shed), v.maxLength(STATUS_SHED_MAX)),
])
export type DirectionFields = v.InferOutput<typeof DIRECTION>

/** Before anything was measured. */
export function emptyDirection(): DirectionStatus {
  return {
    estimateBps: 0,
    usedBps: 0,
    lossRatio: 0,
    residualRatio: 0,
    queueDelayMs: 0,
    shares: TRUNK_CLASSES.map(() => 0),
    shed: [],
  }
}

/** As it crosses a trunk: whole numbers within their bounds. */
export function writeDirection(direction: DirectionStatus): DirectionFields {
  const { estimateBps, usedBps, lossRatio, residualRatio, queueDelayMs, shares } = direction
  return [
    whole(estimateBps, BPS_MAX),
    whole(usedBps, BPS_MAX),
    whole(lossRatio * RATIO, RATIO),
    whole(residualRatio * RATIO, RATIO),
    whole(queueDelayMs, MS_MAX),
    shares.map((share) => whole(share, BPS_MAX)),
    direction.shed
      .slice(0, STATUS_SHED_MAX)
      .map((entry) => [
        TRUNK_CLASSES.indexOf(entry.class),
        MODES.indexOf(entry.mode),
        REASONS.indexOf(entry.reason),
        whole(entry.count, COUNT_MAX),
        whole(entry.keyframeIntervalMs, MS_MAX),
        whole(entry.missingBps, BPS_MAX),
      ]),
  ]
}

/** The inverse, of what `DIRECTION` has checked. */
export function readDirection(fields: DirectionFields): DirectionStatus {
  const [estimateBps, usedBps, loss, residual, queueDelayMs, shares, sheds] = fields
  return {
    estimateBps,
    usedBps,
    lossRatio: loss / RATIO,
    residualRatio: residual / RATIO,
    queueDelayMs,
    shares,
    shed: sheds.map(([classIndex, mode, reason, count, keyframeIntervalMs, missingBps]) => ({
      class: TRUNK_CLASSES[classIndex]!,
      mode: MODES[mode]!,
      reason: REASONS[reason]!,
      count,
      keyframeIntervalMs,
      missingBps,
    })),
  }
}

/** Streams below what is wanted of them, those alike in one entry, most important class first. */
export function summarizeShed(streams: TrunkReport['streams']): ShedSummary[] {
  const entries = new Map<string, ShedSummary>()
  for (const stream of streams) {
    const { reason, mode, keyframeIntervalMs, missingBps } = stream
    if (reason !== 'bandwidth' && reason !== 'pre-empted') continue
    const key = `${TRUNK_CLASSES.indexOf(stream.class)} ${MODES.indexOf(mode)} ${reason}`
    const known = entries.get(key)
    if (known === undefined) {
      const entry = { class: stream.class, mode, reason, count: 1, keyframeIntervalMs, missingBps }
      entries.set(key, entry)
      continue
    }
    known.count += 1
    known.missingBps += missingBps
    known.keyframeIntervalMs = Math.max(known.keyframeIntervalMs, keyframeIntervalMs)
  }
  const keys = [...entries.keys()].sort()
  return keys.map((key) => entries.get(key)!).slice(0, STATUS_SHED_MAX)
}

function whole(value: number, most: number): number {
  return value > 0 ? Math.min(most, Math.round(value)) : 0
}
