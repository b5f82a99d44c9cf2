/**
 * From `RTCPeerConnection.getStats()` to rates per stream: bits per second, loss, round trip, layers. Pure: two
 * reports and the time between them. Field names of W3C webrtc-stats.
 */

export type LayerStatistics = {
  /** `q`, `h`, `f`, or empty when there is one layer only. */
  rid: string
  bitrateBps: number
  heightPx: number
  framesPerSecond: number
}

export type StreamStatistics = {
  mid: string
  kind: 'audio' | 'video'
  direction: 'send' | 'receive'
  bitrateBps: number
  /** 0..1 in the last interval. */
  lossRatio: number
  rttMs: number
  jitterMs: number
  framesPerSecond: number
  widthPx: number
  heightPx: number
  /** Freezes in the last interval. */
  freezesNow: number
  /** Decoded (received) or encoded (sent) frames since the beginning. */
  frames: number
  limitedBy: 'none' | 'cpu' | 'bandwidth' | 'other'
  /** Highest layer that is sent now, 0 lowest; -1 when nothing flows or received. */
  spatialLayer: number
  /** Only for what is sent. */
  layers: LayerStatistics[]
}

type Entry = Record<string, unknown> & { id: string; type: string }

/** One reading; keep it for the next call. */
export type Reading = { nowMs: number; entries: Map<string, Entry> }

export type StatsReport = { forEach(callback: (entry: unknown) => void): void }

const number = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

export const read = (report: StatsReport, nowMs: number): Reading => {
  const entries = new Map<string, Entry>()
  report.forEach((entry) => {
    const typed = entry as Entry
    entries.set(typed.id, typed)
  })
  return { nowMs, entries }
}

type Interval = { before: Reading | undefined; now: Reading }

/** Growth of a counter since the last reading; a counter that began anew counts from zero. */
const growth = (interval: Interval, entry: Entry, field: string): number => {
  const before = interval.before?.entries.get(entry.id)
  if (before === undefined) return 0
  return Math.max(0, number(entry[field]) - number(before[field]))
}

const rate = (interval: Interval, entry: Entry, field: string): number => {
  const elapsedMs = interval.now.nowMs - (interval.before?.nowMs ?? interval.now.nowMs)
  return elapsedMs <= 0 ? 0 : (growth(interval, entry, field) * 1_000) / elapsedMs
}

const transportRttMs = (reading: Reading): number => {
  for (const entry of reading.entries.values()) {
    if (entry.type === 'candidate-pair' && entry.nominated === true && entry.state === 'succeeded')
      return number(entry.currentRoundTripTime) * 1_000
  }
  return 0
}

const receiving = (interval: Interval, entry: Entry, rttMs: number): StreamStatistics => {
  const received = growth(interval, entry, 'packetsReceived')
  const lost = growth(interval, entry, 'packetsLost')
  return {
    mid: text(entry.mid),
    kind: entry.kind === 'audio' ? 'audio' : 'video',
    direction: 'receive',
    bitrateBps: Math.round(rate(interval, entry, 'bytesReceived') * 8),
    lossRatio: received + lost === 0 ? 0 : lost / (received + lost),
    rttMs,
    jitterMs: number(entry.jitter) * 1_000,
    framesPerSecond: number(entry.framesPerSecond),
    widthPx: number(entry.frameWidth),
    heightPx: number(entry.frameHeight),
    freezesNow: growth(interval, entry, 'freezeCount'),
    frames: number(entry.framesDecoded),
    limitedBy: 'none',
    spatialLayer: -1,
    layers: [],
  }
}

const LIMITS: ReadonlySet<string> = new Set(['cpu', 'bandwidth', 'other'])

const limitOf = (entries: readonly Entry[]): StreamStatistics['limitedBy'] => {
  for (const entry of entries) {
    const reason = text(entry.qualityLimitationReason)
    if (LIMITS.has(reason)) return reason as StreamStatistics['limitedBy']
  }
  return 'none'
}

const RID_ORDER = ['q', 'h', 'f']

const sending = (
  interval: Interval,
  entries: readonly Entry[],
  rttMs: number,
): StreamStatistics => {
  const layers = entries
    .map((entry) => ({
      rid: text(entry.rid),
      bitrateBps: Math.round(rate(interval, entry, 'bytesSent') * 8),
      heightPx: number(entry.frameHeight),
      framesPerSecond: number(entry.framesPerSecond),
    }))
    .sort((a, b) => RID_ORDER.indexOf(a.rid) - RID_ORDER.indexOf(b.rid))
  const remotes = entries.map((entry) => interval.now.entries.get(text(entry.remoteId)))
  const largest = entries.reduce((a, b) => (number(b.frameWidth) > number(a.frameWidth) ? b : a))
  return {
    mid: text(largest.mid),
    kind: largest.kind === 'audio' ? 'audio' : 'video',
    direction: 'send',
    bitrateBps: layers.reduce((sum, layer) => sum + layer.bitrateBps, 0),
    lossRatio: Math.max(0, ...remotes.map((remote) => number(remote?.fractionLost))),
    rttMs: Math.max(rttMs, ...remotes.map((remote) => number(remote?.roundTripTime) * 1_000)),
    jitterMs: Math.max(0, ...remotes.map((remote) => number(remote?.jitter) * 1_000)),
    framesPerSecond: Math.max(0, ...layers.map((layer) => layer.framesPerSecond)),
    widthPx: number(largest.frameWidth),
    heightPx: number(largest.frameHeight),
    freezesNow: 0,
    frames: Math.max(0, ...entries.map((entry) => number(entry.framesEncoded))),
    limitedBy: limitOf(entries),
    spatialLayer: layers.findLastIndex((layer) => layer.bitrateBps > 0),
    layers,
  }
}

const hasMedia = (entry: Entry): boolean =>
  entry.kind === 'audio' ? number(entry.bytesSent) > 0 : number(entry.framesEncoded) > 0

/** Per stream, by mid; streams through which nothing ever went are left out. */
export const summarise = (before: Reading | undefined, now: Reading): StreamStatistics[] => {
  const interval: Interval = { before, now }
  const rttMs = transportRttMs(now)
  const outbound = new Map<string, Entry[]>()
  const summaries: StreamStatistics[] = []
  for (const entry of now.entries.values()) {
    if (entry.type === 'inbound-rtp' && number(entry.packetsReceived) > 0)
      summaries.push(receiving(interval, entry, rttMs))
    // Probes of the bandwidth are packets too, but nobody's picture: they have no payload bytes.
    if (entry.type === 'outbound-rtp' && hasMedia(entry)) {
      const mid = text(entry.mid)
      outbound.set(mid, [...(outbound.get(mid) ?? []), entry])
    }
  }
  for (const entries of outbound.values()) summaries.push(sending(interval, entries, rttMs))
  return summaries.sort((a, b) => a.mid.localeCompare(b.mid, 'en', { numeric: true }))
}
