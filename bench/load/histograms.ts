/**
 * HDR histograms by name, in microseconds. What is asked of all groups is merged from what each
 * group counted; nothing here averages a percentile.
 */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js'

const HIGHEST_US = 60_000_000

/** Three digits, 1 us..60 s. */
export function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: 3,
  })
}

/** Counts a time; below 1 us and above 60 s it counts as these. */
export function recordMs(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.min(HIGHEST_US, Math.max(1, Math.round(ms * 1000))))
}

/** Of `histogram`, ms; 0 when it is empty. */
export function percentileMs(histogram: Histogram, percentile: number): number {
  return histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percentile) / 1000
}

/** Base64 of the compressed V2 encoding. */
export function encodeHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram)
}

/** The sum of encoded histograms. Throws on text that is none. */
export function mergeEncoded(encoded: readonly string[]): Histogram {
  const sum = newHistogram()
  for (const text of encoded) sum.add(decodeFromCompressedBase64(text))
  return sum
}

/** One per process: `of(group, name)` to record into, `all()` in the end. */
export class HistogramBook {
  readonly #byGroup = new Map<string, Map<string, Histogram>>()

  /** The histogram of one name and group, made when it is first asked for. */
  of(group: string, name: string): Histogram {
    let names = this.#byGroup.get(group)
    if (names === undefined) {
      names = new Map()
      this.#byGroup.set(group, names)
    }
    let histogram = names.get(name)
    if (histogram === undefined) {
      histogram = newHistogram()
      names.set(name, histogram)
    }
    return histogram
  }

  /** `name` over all groups, and `group.<id>.<name>` of each; empty ones are left out. */
  all(): Map<string, Histogram> {
    const all = new Map<string, Histogram>()
    for (const [group, names] of this.#byGroup) {
      for (const [name, histogram] of names) {
        if (histogram.totalCount === 0) continue
        all.set(`group.${group}.${name}`, histogram)
        const sum = all.get(name) ?? newHistogram()
        sum.add(histogram)
        all.set(name, sum)
      }
    }
    return all
  }
}

/**
 * Percentiles of a histogram as figures: `join` gives `join.p50Ms`, `group.x.join` gives
 * `group.x.join.p50Ms`.
 */
export function histogramFigures(name: string, histogram: Histogram): Record<string, number> {
  return {
    [`${name}.p50Ms`]: percentileMs(histogram, 50),
    [`${name}.p95Ms`]: percentileMs(histogram, 95),
    [`${name}.p99Ms`]: percentileMs(histogram, 99),
    [`${name}.maxMs`]: histogram.totalCount === 0 ? 0 : histogram.maxValue / 1000,
    [`${name}.count`]: histogram.totalCount,
  }
}
