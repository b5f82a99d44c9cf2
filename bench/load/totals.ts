/** Sums of sites (bench/site, PlayerTotals), added up and taken apart. */
import type { PlayerTotals } from '../site/index.ts'

export function newTotals(): PlayerTotals {
  return {
    audioPackets: 0,
    audioLost: 0,
    audioExpected: 0,
    videoPackets: 0,
    videoLost: 0,
    videoExpected: 0,
    receivedBytes: 0,
    sentBytes: 0,
    sentPackets: 0,
    audioFrames: 0,
    audioConcealed: 0,
    framesComplete: 0,
    framesLate: 0,
    freezes: 0,
    frozenMs: 0,
    watchedMs: 0,
    checked: 0,
    checkFailed: 0,
  }
}

/** Names of all sums. */
export const TOTALS = Object.keys(newTotals()) as (keyof PlayerTotals)[]

/** Adds `now - before` to `sum`, then keeps `now` in `before`. */
export function addGrowth(sum: PlayerTotals, now: PlayerTotals, before: PlayerTotals): void {
  for (const key of TOTALS) {
    sum[key] += now[key] - before[key]
    before[key] = now[key]
  }
}

/** Adds `more` to `sum`. */
export function addTotals(sum: PlayerTotals, more: PlayerTotals): void {
  for (const key of TOTALS) sum[key] += more[key]
}

/**
 * Ratios of sums. What had no occasion is left out: a criterion over it is unknown and not passed.
 * `prefix` is '' or ends with a dot.
 */
export function ratioFigures(
  sums: Readonly<Record<string, number>>,
  prefix = '',
): Record<string, number> {
  const of = (key: keyof PlayerTotals) => sums[key] ?? 0
  const figures: Record<string, number> = {}
  const ratio = (name: string, part: number, whole: number): void => {
    if (whole > 0) figures[`${prefix}${name}`] = Math.max(0, part) / whole
  }
  const expected = of('audioExpected') + of('videoExpected')
  ratio('loss.audio.ratio', of('audioLost'), of('audioExpected'))
  ratio('loss.video.ratio', of('videoLost'), of('videoExpected'))
  ratio('loss.ratio', of('audioLost') + of('videoLost'), expected)
  ratio('concealed.ratio', of('audioConcealed'), of('audioFrames'))
  ratio('frozen.ratio', of('frozenMs'), of('watchedMs'))
  ratio('frames.late.ratio', of('framesLate'), of('framesComplete'))
  const packets = of('audioPackets') + of('videoPackets')
  // Packets are counted once; one that came twice was checked twice.
  ratio('checked.ratio', Math.min(of('checked'), packets), packets)
  if (packets > 0) {
    figures[`${prefix}packets`] = packets
    figures[`${prefix}checked.failed`] = of('checkFailed')
  }
  if (of('watchedMs') > 0) {
    figures[`${prefix}frozen.count`] = of('freezes')
    figures[`${prefix}frozen.sumMs`] = of('frozenMs')
  }
  return figures
}
