/**
 * What a browser's own getStats (W3C webrtc-stats) says, in the words of a synthetic site.
 * Cumulative sums over all streams of one connection; pure.
 */
import type { PlayerTotals } from '../site/index.ts'
import { newTotals } from './totals.ts'

/** One entry of getStats, as plain data. */
export type StatsEntry = Record<string, unknown> & { type: string }

export type BrowserReading = {
  totals: PlayerTotals
  /** Of the largest picture; 0 = none. */
  widthPx: number
  framesDecoded: number
  /** Mean wait in the jitter buffer so far; absent before the first sample. */
  audioBufferMs?: number
  videoBufferMs?: number
  rttMs?: number
  plis: number
  nacks: number
}

const number = (entry: StatsEntry, key: string): number => {
  const value = entry[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

/** `aliveMs`: how long this connection has been up. */
export function readStats(entries: readonly StatsEntry[], aliveMs: number): BrowserReading {
  const totals = newTotals()
  const inbound = entries.filter(({ type }) => type === 'inbound-rtp')
  const audio = inbound.filter(({ kind }) => kind === 'audio')
  const video = inbound.filter(({ kind }) => kind === 'video')
  const pair = entries.find(
    (entry) => entry.type === 'candidate-pair' && entry['nominated'] === true,
  )
  for (const entry of audio) addAudio(totals, entry)
  for (const entry of video) addVideo(totals, entry)
  for (const entry of entries.filter(({ type }) => type === 'outbound-rtp'))
    totals.sentPackets += number(entry, 'packetsSent')
  totals.receivedBytes = pair === undefined ? 0 : number(pair, 'bytesReceived')
  totals.sentBytes = pair === undefined ? 0 : number(pair, 'bytesSent')
  const shown = video.filter((entry) => number(entry, 'framesDecoded') > 0)
  totals.watchedMs = shown.length > 0 ? aliveMs * shown.length : 0
  const sum = (list: readonly StatsEntry[], key: string) =>
    list.reduce((total, entry) => total + number(entry, key), 0)
  return {
    totals,
    widthPx: Math.max(0, ...shown.map((entry) => number(entry, 'frameWidth'))),
    framesDecoded: sum(video, 'framesDecoded'),
    ...bufferMs('audioBufferMs', audio),
    ...bufferMs('videoBufferMs', video),
    ...(pair === undefined ? {} : { rttMs: number(pair, 'currentRoundTripTime') * 1000 }),
    plis: sum(video, 'pliCount'),
    nacks: sum(video, 'nackCount'),
  }
}

/**
 * The figures of a site, by the names of bench/site/figures.ts; what had no occasion is left out.
 */
export function browserFigures(
  { totals, framesDecoded, plis, nacks, audioBufferMs, videoBufferMs, rttMs }: BrowserReading,
  frozenMaxMs: number,
): Record<string, number> {
  const { audioLost, audioExpected, videoLost, videoExpected, watchedMs, frozenMs } = totals
  const figures: Record<string, number | undefined> = {
    audioPackets: totals.audioPackets,
    audioLossRatio: ratio(audioLost, audioExpected),
    concealedRatio: ratio(totals.audioConcealed, totals.audioFrames),
    videoPackets: totals.videoPackets,
    videoLossRatio: ratio(videoLost, videoExpected),
    framesComplete: framesDecoded,
    framesLate: totals.framesLate,
    freezes: totals.freezes,
    frozenMs,
    frozenMaxMs: watchedMs > 0 ? frozenMaxMs : undefined,
    frozenRatio: ratio(frozenMs, watchedMs),
    receivedBytes: totals.receivedBytes,
    sentBytes: totals.sentBytes,
    keyframesAsked: plis,
    nacksSent: nacks,
    audioBufferMs,
    videoBufferMs,
    rttMs,
  }
  const told = Object.entries(figures).filter(([, value]) => value !== undefined)
  return Object.fromEntries(told) as Record<string, number>
}

const ratio = (part: number, whole: number) => (whole > 0 ? part / whole : undefined)

/**
 * Index of the layer that is nearest in width among those that the run's publishers send, lowest
 * first; -1 = none.
 */
export function layerOfWidth(widthPx: number, widths: readonly number[]): number {
  if (widthPx === 0 || widths.length === 0) return -1
  let best = 0
  for (const [index, width] of widths.entries())
    if (Math.abs(width - widthPx) < Math.abs((widths[best] as number) - widthPx)) best = index
  return best
}

function addAudio(totals: PlayerTotals, entry: StatsEntry): void {
  const packets = number(entry, 'packetsReceived')
  // Negative after duplicates (RFC 3550 §6.4.1).
  const lost = Math.max(0, number(entry, 'packetsLost'))
  totals.audioPackets += packets
  totals.audioLost += lost
  totals.audioExpected += packets + lost
  // Samples of 48 kHz; frames of 20 ms. Silence that was concealed is DTX, not a fault.
  totals.audioFrames += number(entry, 'totalSamplesReceived') / 960
  totals.audioConcealed +=
    (number(entry, 'concealedSamples') - number(entry, 'silentConcealedSamples')) / 960
}

function addVideo(totals: PlayerTotals, entry: StatsEntry): void {
  const packets = number(entry, 'packetsReceived')
  const lost = Math.max(0, number(entry, 'packetsLost'))
  totals.videoPackets += packets
  totals.videoLost += lost
  totals.videoExpected += packets + lost
  totals.framesComplete += number(entry, 'framesDecoded')
  totals.framesLate += number(entry, 'framesDropped')
  totals.freezes += number(entry, 'freezeCount')
  totals.frozenMs += number(entry, 'totalFreezesDuration') * 1000
}

function bufferMs<K extends string>(
  key: K,
  list: readonly StatsEntry[],
): Partial<Record<K, number>> {
  const seconds = list.reduce((sum, entry) => sum + number(entry, 'jitterBufferDelay'), 0)
  const emitted = list.reduce((sum, entry) => sum + number(entry, 'jitterBufferEmittedCount'), 0)
  return emitted === 0 ? {} : ({ [key]: (seconds * 1000) / emitted } as Record<K, number>)
}
