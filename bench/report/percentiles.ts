/**
 * HDR histograms of a report as curves and tables. A report may come from anywhere: a histogram is
 * unpacked only within its bound, and one that is none is left out. Pure.
 */
import { inflateSync } from 'node:zlib'
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'
import {
  REPORT_HISTOGRAM_BYTES_MAX,
  REPORT_HISTOGRAM_UNPACKED_BYTES_MAX,
} from '../../config/limits.ts'
import { CURVE_PERCENTILES } from './curve-columns.ts'
import type { Curve } from './page-model.ts'

/** Points of the curve for each tenth of what is left (90 %, 99 %, ...). */
const POINTS_PER_DECADE = 12
/** Cookie and length in front of the packed part. */
const HEADER_BYTES = 8

/** The histogram, or undefined when the text is none or beyond its bounds. */
export function readHistogram(encoded: string): Histogram | undefined {
  if (encoded.length > REPORT_HISTOGRAM_BYTES_MAX) return undefined
  try {
    const packed = Buffer.from(encoded, 'base64').subarray(HEADER_BYTES)
    inflateSync(packed, { maxOutputLength: REPORT_HISTOGRAM_UNPACKED_BYTES_MAX })
    return decodeFromCompressedBase64(encoded)
  } catch {
    return undefined
  }
}

const GROUP = /^group\.([^.]+)\.(.+)$/
/** Steps of joining are lines of one figure; by group they are in the report only. */
const STEP = /^join\.([^.]+)$/

/** Curves of all histograms of one run; those without a count are left out. */
export function curvesOf(histograms: Readonly<Record<string, string>>, run: number): Curve[] {
  const curves = Object.entries(histograms).flatMap(([name, encoded]) => {
    const histogram = readHistogram(encoded)
    if (histogram === undefined || histogram.totalCount === 0) return []
    const [, group = '', base = name] = GROUP.exec(name) ?? []
    const step = STEP.exec(base)?.[1]
    if (step !== undefined && group !== '') return []
    const place = step === undefined ? { name: base, group } : { name: 'join.steps', group: step }
    return [{ ...place, run, ...pointsOf(histogram) }]
  })
  // All before its groups; otherwise as they came.
  return curves.sort((a, b) => Number(a.group !== '') - Number(b.group !== ''))
}

function pointsOf(histogram: Histogram): Pick<Curve, 'count' | 'x' | 'ms' | 'table'> {
  const count = histogram.totalCount
  const last = Math.ceil(Math.log10(Math.max(10, count)) * POINTS_PER_DECADE)
  const x = Array.from({ length: last + 1 }, (_, index) => index / POINTS_PER_DECADE)
  const msAt = (percentile: number): number => rounded(histogram.getValueAtPercentile(percentile))
  return {
    count,
    x: x.map((value) => Math.round(value * 1000) / 1000),
    ms: x.map((value) => msAt(100 * (1 - 10 ** -value))),
    table: [...CURVE_PERCENTILES.map(msAt), rounded(histogram.maxValue)],
  }
}

function rounded(us: number): number {
  return Number((us / 1000).toPrecision(4))
}
