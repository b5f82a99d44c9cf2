/** The last minutes of every stream's figures, for the charts. Pure and bounded. */
import type { StreamQuality, StreamStatistics } from '../sdk/index.ts'

/** One figure every 2 s: five minutes. */
export const SAMPLES_MAX = 150
/** Streams remembered at a time. */
export const STREAMS_MAX = 40

export type Sample = {
  atSeconds: number
  bitrateKbps: number
  lossPercent: number
  rttMs: number
  layer: number | null
}

export type StreamHistory = ReadonlyMap<string, readonly Sample[]>

type Addition = {
  statistics: readonly StreamStatistics[]
  quality: readonly StreamQuality[]
  nowMs: number
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))

/** The history with one more sample for each stream; the oldest samples, and silent streams, fall out. */
export const remember = (history: StreamHistory, addition: Addition): StreamHistory => {
  const layers = new Map(addition.quality.map(({ mid, spatialLayer }) => [mid, spatialLayer]))
  const next = new Map<string, readonly Sample[]>()
  for (const stream of addition.statistics.slice(0, STREAMS_MAX)) {
    const layer = layers.get(stream.mid) ?? stream.spatialLayer
    const sample: Sample = {
      atSeconds: Math.round(addition.nowMs / 1_000),
      bitrateKbps: round(stream.bitrateBps / 1_000, 1),
      lossPercent: round(stream.lossRatio * 100, 1),
      rttMs: Math.round(stream.rttMs),
      layer: layer < 0 ? null : layer,
    }
    next.set(stream.mid, [...(history.get(stream.mid) ?? []), sample].slice(-SAMPLES_MAX))
  }
  return next
}
