/** Latencies as HDR histograms in whole microseconds: merged, never averaged. */
import { build, type Histogram } from 'hdr-histogram-js'
import type { LatencyHistograms } from './contract.ts'

const US_MAX = 60_000_000

/**
 * Empty ones of 3 digits, 1 us..60 s, for many sites together (70 KB each); 2 digits (10 KB) are
 * enough for one site.
 */
export function createLatencies(digits: 2 | 3 = 3): LatencyHistograms {
  const make = (): Histogram =>
    build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: US_MAX,
      numberOfSignificantValueDigits: digits,
    })
  return { audio: make(), video: make() }
}

/** Counts one latency; what clocks of the kernel make negative is the least that can be told. */
export function recordLatency(histogram: Histogram, latencyMs: number): void {
  histogram.recordValue(Math.min(US_MAX, Math.max(1, Math.round(latencyMs * 1_000))))
}

/** Milliseconds; undefined when nothing was recorded. */
export function percentileMs(histogram: Histogram, percentile: number): number | undefined {
  if (histogram.totalCount === 0) return undefined
  return histogram.getValueAtPercentile(percentile) / 1_000
}
