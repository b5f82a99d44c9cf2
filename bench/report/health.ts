/**
 * How a line, a node and a group of sites did, in one word; docs/BENCH.md has the rule from
 * HEALTH_RULE. A line is judged by what happened on it, a group by what its sites saw: a lossy line
 * is not the server's fault, what sites see of it may be. Pure.
 */
import type { Health, Outcome } from './page-model.ts'
import type { LinkDirectionReport, LinkReport, RunReport, SiteReport } from './report.ts'

/** Above these a line is strained or bad; whichever is worst counts. */
export const HEALTH_RULE = {
  /** Datagrams that found the queue full, of those offered: we sent more than the line carries. */
  overflowRatio: { strained: 0.002, bad: 0.02 },
  /** Datagrams lost in all. */
  lossRatio: { strained: 0.02, bad: 0.1 },
  /** Longest wait in the queue at some time of at least a hundredth of the samples. */
  queueMs: { strained: 200, bad: 1_000 },
  /** Sites of a group that have something wrong; one that is not in makes it bad. */
  sufferingRatio: { strained: 0, bad: 0.05 },
} as const

const ORDER: readonly Health[] = ['idle', 'good', 'strained', 'bad']

/** The worst of several; idle when there are none. */
export function worstHealth(list: readonly Health[]): Health {
  return ORDER[Math.max(0, ...list.map((health) => ORDER.indexOf(health)))] ?? 'idle'
}

function grade(value: number, bounds: { strained: number; bad: number }): Health {
  if (value > bounds.bad) return 'bad'
  return value > bounds.strained ? 'strained' : 'good'
}

export type DirectionSummary = {
  lossRatio: number
  overflowRatio: number
  queueMsMax: number
  meanBps: number
  health: Health
}

/** One direction of a line over the whole run. */
export function summarize({ packets, lost, overflowed, series }: LinkDirectionReport) {
  const offered = Math.max(1, packets)
  const lossRatio = (lost + overflowed) / offered
  const overflowRatio = overflowed / offered
  const queueMs = highBut1Percent(series.queueMs)
  const health =
    packets === 0
      ? 'idle'
      : worstHealth([
          grade(overflowRatio, HEALTH_RULE.overflowRatio),
          grade(lossRatio, HEALTH_RULE.lossRatio),
          grade(queueMs, HEALTH_RULE.queueMs),
        ])
  const meanBps = mean(series.bitrateBps)
  return { lossRatio, overflowRatio, queueMsMax: queueMs, meanBps, health }
}

/** The highest, but for the topmost hundredth. */
function highBut1Percent(values: readonly number[]): number {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? 0
}

function mean(values: readonly number[]): number {
  const known = values.filter((value) => Number.isFinite(value))
  return known.length === 0 ? 0 : known.reduce((sum, value) => sum + value, 0) / known.length
}

/** Both directions, the worse of them. */
export function healthOfLink({ up, down }: LinkReport): Health {
  return worstHealth([summarize(up).health, summarize(down).health])
}

/** Whether something was wrong with it. */
export function isSuffering({ joined, why }: SiteReport): boolean {
  return !joined || why.length > 0
}

/** Of some sites together. */
export function healthOfSites(sites: readonly SiteReport[]): Health {
  if (sites.length === 0) return 'idle'
  if (sites.some(({ joined }) => !joined)) return 'bad'
  return grade(sites.filter(isSuffering).length / sites.length, HEALTH_RULE.sufferingRatio)
}

/**
 * The verdict over the whole run: what did not come to its end or is void comes before any
 * criterion.
 */
export function outcomeOf({ ended, validity, criteria }: RunReport): Outcome {
  if (ended === 'failed') return 'broken'
  if (!validity.valid) return 'void'
  if (ended === 'interrupted') return 'interrupted'
  if (criteria.length === 0) return 'none'
  if (criteria.some(({ verdict }) => verdict === 'fail')) return 'fail'
  return criteria.every(({ verdict }) => verdict === 'pass') ? 'pass' : 'unknown'
}
