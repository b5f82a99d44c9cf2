/**
 * Brings series with times of their own onto the common times of one plot, and thins them when they
 * are too long: each pair of points then is the lowest and the highest of its time, in the order in
 * which they came, so that no peak and no dip is lost. Pure.
 */

/** Samples by time, ascending; NaN where nothing was measured. */
export type Samples = { atS: readonly number[]; values: readonly number[] }

/** A time without samples longer than this many usual intervals is drawn as a gap. */
const GAP_INTERVALS = 3

export type Resampled = { atS: number[]; values: (number | null)[][]; isThinned: boolean }

/** All of `lines` over the same times, at most `pointsMax` (2 at least) of them. */
export function resample(lines: readonly Samples[], pointsMax: number): Resampled {
  const first = lines[0]
  if (first === undefined) return { atS: [], values: [], isThinned: false }
  const isShared = lines.every((line) => sameTimes(line.atS, first.atS))
  if (isShared && first.atS.length <= pointsMax)
    return {
      atS: first.atS.map(roundTime),
      values: lines.map(({ values }) => values.map(roundValue)),
      isThinned: false,
    }
  const endS = Math.max(...lines.map(({ atS }) => atS.at(-1) ?? 0))
  const startS = Math.min(...lines.map(({ atS }) => atS[0] ?? endS))
  const intervalS = Math.min(...lines.map(({ atS }) => usualInterval(atS)))
  const wanted = Math.floor((endS - startS) / intervalS + 1.5)
  const isThinned = wanted > pointsMax || lines.some(({ atS }) => atS.length > pointsMax)
  if (!Number.isFinite(wanted)) return { atS: [], values: lines.map(() => []), isThinned: false }
  const count = isThinned ? pointsMax & ~1 : wanted
  const stepS = count < 2 ? 1 : (endS - startS) / (count - 1)
  const atS = Array.from({ length: count }, (_, index) => startS + index * stepS)
  const values = lines.map((line) =>
    isThinned ? envelope(line, { atS, stepS }) : interpolated(line, atS),
  )
  return {
    atS: atS.map(roundTime),
    values: values.map((list) => list.map(roundValue)),
    isThinned,
  }
}

function sameTimes(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((time, index) => time === b[index]))
}

/** Median of the times between samples; infinite when there are fewer than two. */
function usualInterval(atS: readonly number[]): number {
  const steps = atS
    .slice(1)
    .map((time, index) => time - (atS[index] ?? time))
    .filter((step) => step > 0)
    .sort((a, b) => a - b)
  return steps[steps.length >> 1] ?? (atS.length === 1 ? 1 : Number.POSITIVE_INFINITY)
}

function envelope({ atS: times, values }: Samples, grid: { atS: number[]; stepS: number }) {
  const result: number[] = new Array(grid.atS.length).fill(Number.NaN)
  const startS = grid.atS[0] ?? 0
  const pairs = grid.atS.length / 2
  const low = new Array<number>(pairs).fill(-1)
  const high = new Array<number>(pairs).fill(-1)
  times.forEach((time, index) => {
    const value = values[index] ?? Number.NaN
    if (Number.isNaN(value)) return
    const pair = Math.min(pairs - 1, Math.floor((time - startS) / (2 * grid.stepS)))
    if ((low[pair] ?? -1) < 0 || value < (values[low[pair] ?? 0] ?? 0)) low[pair] = index
    if ((high[pair] ?? -1) < 0 || value > (values[high[pair] ?? 0] ?? 0)) high[pair] = index
  })
  for (let pair = 0; pair < pairs; pair += 1) {
    const ends = [low[pair] ?? -1, high[pair] ?? -1].sort((a, b) => a - b)
    if ((ends[0] ?? -1) < 0) continue
    result[2 * pair] = values[ends[0] ?? 0] ?? Number.NaN
    result[2 * pair + 1] = values[ends[1] ?? 0] ?? Number.NaN
  }
  return result
}

/** Between two samples the straight line, over a gap nothing. */
function interpolated({ atS: times, values }: Samples, grid: readonly number[]): number[] {
  const gapS = usualInterval(times) * GAP_INTERVALS
  let at = 0
  return grid.map((time) => {
    while (at + 1 < times.length && (times[at + 1] ?? 0) <= time) at += 1
    const before = times[at] ?? Number.NaN
    const after = times[at + 1]
    const value = values[at] ?? Number.NaN
    if (before > time + 1e-9) return Number.NaN
    if (after === undefined) return time - before > gapS / GAP_INTERVALS ? Number.NaN : value
    if (after - before > gapS) return time - before < 1e-9 ? value : Number.NaN
    const share = (time - before) / (after - before)
    return share < 1e-9 ? value : value + share * ((values[at + 1] ?? Number.NaN) - value)
  })
}

/** Four digits are more than a plot can show. */
export function roundValue(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : null
}

function roundTime(time: number): number {
  return Math.round(time * 1000) / 1000
}
