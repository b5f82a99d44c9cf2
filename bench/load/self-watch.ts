/**
 * The load watches itself: how late its own ticks are, how much of its core it uses, what its
 * sockets lost. A load that was too slow says so, and the run is void: what it measured would be
 * its own fault. Pure; the process feeds it.
 */
import type { Histogram } from 'hdr-histogram-js'
import { newHistogram, percentileMs, recordMs } from './histograms.ts'

/**
 * Sites that are in are judged by what they see; while a crowd joins, its own handshakes use the
 * core by right.
 */
export type SelfPhase = 'joining' | 'steady'

/** Above these the process was too slow. The share is of the one core that its thread can have. */
const LATENESS_P99_MS_MAX = 25
const CPU_SHARE_MAX = { steady: 0.9, joining: Number.POSITIVE_INFINITY }
/**
 * While sites join, handshakes of tens of ms stand in each other's way: joins are timed from
 * outside of them.
 */
const LATENESS_FACTOR = { steady: 1, joining: 10 }

/**
 * Datagrams that the load's own sockets may lose: a tenth of the smallest loss that a criterion
 * asks for.
 */
const SOCKET_DROPS_RATIO_MAX = 0.0001

type Phase = { lateness: Histogram; busySeconds: number; seconds: number; shareMax: number }

const newPhase = (): Phase => ({
  lateness: newHistogram(),
  busySeconds: 0,
  seconds: 0,
  shareMax: 0,
})

/** One per process. */
export class SelfWatch {
  readonly #phases: Record<SelfPhase, Phase> = { joining: newPhase(), steady: newPhase() }
  #latestMaxMs = 0
  drops = 0

  /** A tick came `lateMs` after its time. */
  tick(phase: SelfPhase, lateMs: number): void {
    recordMs(this.#phases[phase].lateness, Math.max(0, lateMs))
    if (lateMs > this.#latestMaxMs) this.#latestMaxMs = lateMs
  }

  /** The thread was busy for `busySeconds` of the last `seconds`. */
  used(phase: SelfPhase, { busySeconds, seconds }: { busySeconds: number; seconds: number }): void {
    const one = this.#phases[phase]
    one.busySeconds += busySeconds
    one.seconds += seconds
    one.shareMax = Math.max(one.shareMax, busySeconds / Math.max(seconds, 1e-3))
  }

  /** Longest lateness since the last call. */
  takeLatenessMaxMs(): number {
    const maxMs = this.#latestMaxMs
    this.#latestMaxMs = 0
    return maxMs
  }

  /** `packets`: all that was received, to which the drops are put in proportion. */
  figures(packets: number): Record<string, number> {
    const figures: Record<string, number> = { 'load.socketDrops': this.drops }
    figures['load.socketDrops.ratio'] = this.drops / Math.max(1, packets + this.drops)
    for (const phase of ['joining', 'steady'] as const) {
      const { lateness, busySeconds, seconds, shareMax } = this.#phases[phase]
      if (lateness.totalCount === 0) continue
      figures[`load.${phase}.latenessP99Ms`] = percentileMs(lateness, 99)
      figures[`load.${phase}.latenessMaxMs`] = percentileMs(lateness, 100)
      figures[`load.${phase}.cpuShare`] = busySeconds / Math.max(seconds, 1e-3)
      figures[`load.${phase}.cpuShareMax`] = shareMax
    }
    return figures
  }
}

/** Judges figures as `SelfWatch.figures` makes them. */
export function judgeSelf(
  figures: Record<string, number>,
  latenessMsMax = LATENESS_P99_MS_MAX,
): { valid: boolean; reasons: string[] } {
  const reasons: string[] = []
  for (const phase of ['steady', 'joining'] as const) {
    const lateMsMax = latenessMsMax * LATENESS_FACTOR[phase]
    const shareMax = CPU_SHARE_MAX[phase]
    const lateMs = figures[`load.${phase}.latenessP99Ms`] ?? 0
    const share = figures[`load.${phase}.cpuShare`] ?? 0
    const when = phase === 'steady' ? 'with all in' : 'while sites joined'
    if (lateMs > lateMsMax)
      reasons.push(
        `the load itself was late ${when}: p99 ${lateMs.toFixed(0)} ms, ${lateMsMax} at most`,
      )
    if (share > shareMax)
      reasons.push(
        `the load used ${(share * 100).toFixed(0)} % of its core ${when}, ${shareMax * 100} at most`,
      )
  }
  const ratio = figures['load.socketDrops.ratio'] ?? 0
  if (ratio > SOCKET_DROPS_RATIO_MAX)
    reasons.push(`the load's own sockets overflowed: ${figures['load.socketDrops']} datagrams`)
  return { valid: reasons.length === 0, reasons }
}
