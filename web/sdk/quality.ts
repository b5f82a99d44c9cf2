/**
 * One honest mark per stream: the server's view and the browser's own, whichever is worse, with the reason that a
 * page can put into words. Pure.
 */
import type { QualityMark, ServerQuality } from './messages.ts'
import type { StreamStatistics } from './statistics.ts'

export type QualityReason =
  | 'none'
  | 'loss'
  | 'bandwidth'
  | 'delay'
  | 'no-packets'
  | 'device-slow'
  | 'freeze'

export type StreamQuality = {
  mid: string
  /** Seen from this browser: `send` is our camera, `receive` is what we see. */
  direction: 'send' | 'receive'
  mark: QualityMark
  reason: QualityReason
  bitrateBps: number
  /** 0..1. */
  lossRatio: number
  rttMs: number
  /** 0 is the smallest picture, -1 when nothing flows or it is not known. */
  spatialLayer: number
}

/** Above these a stream is amber, above the second red. */
const LOSS_RATIO = { amber: 0.03, red: 0.12 }
const RTT_MS = { amber: 500, red: 1_200 }

const RANK: Readonly<Record<QualityMark, number>> = { green: 0, amber: 1, red: 2 }
const REASONS: ReadonlySet<string> = new Set([
  'none',
  'loss',
  'bandwidth',
  'delay',
  'no-packets',
  'device-slow',
  'freeze',
])

type Verdict = { mark: QualityMark; reason: QualityReason }
const GREEN: Verdict = { mark: 'green', reason: 'none' }

const worse = (a: Verdict, b: Verdict): Verdict => (RANK[b.mark] > RANK[a.mark] ? b : a)

const byThreshold = (
  value: number,
  limits: { amber: number; red: number },
  reason: QualityReason,
): Verdict => {
  if (value > limits.red) return { mark: 'red', reason }
  return value > limits.amber ? { mark: 'amber', reason } : GREEN
}

/** What the browser's own figures say. */
const judge = (own: StreamStatistics): Verdict => {
  let verdict = byThreshold(own.lossRatio, LOSS_RATIO, 'loss')
  verdict = worse(verdict, byThreshold(own.rttMs, RTT_MS, 'delay'))
  if (own.freezesNow > 0) verdict = worse(verdict, { mark: 'amber', reason: 'freeze' })
  if (own.limitedBy === 'cpu') verdict = worse(verdict, { mark: 'amber', reason: 'device-slow' })
  if (own.limitedBy === 'bandwidth')
    verdict = worse(verdict, { mark: 'amber', reason: 'bandwidth' })
  return verdict
}

const fromServer = (server: ServerQuality): Verdict => ({
  mark: server.mark,
  reason: REASONS.has(server.reason) ? (server.reason as QualityReason) : 'none',
})

const combineOne = (own: StreamStatistics, server: ServerQuality | undefined): StreamQuality => {
  const verdict = server === undefined ? judge(own) : worse(fromServer(server), judge(own))
  return {
    mid: own.mid,
    direction: own.direction,
    mark: verdict.mark,
    reason: verdict.reason,
    bitrateBps: own.bitrateBps,
    lossRatio: Math.max(own.lossRatio, server?.lossRatio ?? 0),
    rttMs: own.rttMs > 0 ? own.rttMs : (server?.rttMs ?? 0),
    spatialLayer: server?.spatialLayer ?? own.spatialLayer,
  }
}

/** One entry per stream that either side knows, in the order of `own`. */
export const combineQuality = (
  own: readonly StreamStatistics[],
  server: readonly ServerQuality[],
): StreamQuality[] => {
  const serverByMid = new Map(server.map((stream) => [stream.mid, stream]))
  const combined = own.map((stream) => combineOne(stream, serverByMid.get(stream.mid)))
  const known = new Set(own.map((stream) => stream.mid))
  for (const stream of server) {
    if (known.has(stream.mid)) continue
    const verdict = fromServer(stream)
    combined.push({
      mid: stream.mid,
      // The server says "in" for what comes in to it.
      direction: stream.direction === 'in' ? 'send' : 'receive',
      ...verdict,
      bitrateBps: stream.bitrateBps,
      lossRatio: stream.lossRatio,
      rttMs: stream.rttMs,
      spatialLayer: stream.spatialLayer,
    })
  }
  return combined
}

/**
 * One mark for the whole connection: the worst of its streams; a small picture (`minorMids`) that is red makes the
 * whole amber at most. Green when there is no stream.
 */
export const overallQuality = (
  streams: readonly StreamQuality[],
  minorMids: ReadonlySet<string> = new Set(),
): { mark: QualityMark; reason: QualityReason } =>
  streams.reduce<Verdict>((verdict, stream) => {
    const minor = minorMids.has(stream.mid) && stream.mark === 'red'
    return worse(verdict, minor ? { mark: 'amber', reason: stream.reason } : stream)
  }, GREEN)
