/**
 * What a site says that it saw, by name: the figures of `SiteReport`, and in words what was wrong.
 * Pure. Ratios are 0..1; what was not measured is left out, never 0.
 *
 *   sound    audioPackets, audioLossRatio, audioGaps (> 60 ms), audioGapMaxMs, audioSilentMs,
 *            concealedRatio (jitter buffer of 200 ms), firstSoundMs (after media was connected)
 *   picture  videoPackets, videoLossRatio, framesComplete, framesIncomplete, repairedPackets,
 *            framesLate (200 ms above the least transit), freezes, frozenMs, frozenMaxMs,
 *            frozenRatio (of the time that there should have been a picture), layerMean,
 *            layerChanges, firstPictureMs
 *   latency  audioLatencyP50Ms, audioLatencyP99Ms, videoLatencyP50Ms, videoLatencyP99Ms
 *   outages  outages, resyncAudioMs, resyncVideoMs (the longest), reconnects, resumes,
 *            reconnectMaxMs, mediaFailures
 *   line     receivedBytes, sentBytes, receivedBps, sentBps
 *   checks   openedRatio (packets decrypted), checkedPackets, checkFailed, unstampedPackets
 *   asked    nacksSent, keyframesAsked
 *   sending  audioSent, videoSent, keyframesSent, resentPackets, availableBps, layersSending
 */
import type { Histogram } from 'hdr-histogram-js'
import { percentileMs } from './latencies.ts'

/** Everything that grows, since the site was made. */
export class SiteSums {
  audioPackets = 0
  audioLost = 0
  audioGaps = 0
  audioSilentMs = 0
  audioFrames = 0
  audioConcealed = 0
  videoPackets = 0
  videoLost = 0
  videoRepaired = 0
  framesComplete = 0
  framesLate = 0
  framesIncomplete = 0
  freezes = 0
  frozenMs = 0
  watchedMs = 0
  outages = 0
  reconnects = 0
  resumes = 0
  mediaFailures = 0
  receivedBytes = 0
  sentBytes = 0
  sentPackets = 0
  /** All RTP, repairs and padding included. */
  rtpPackets = 0
  opened = 0
  checked = 0
  checkFailed = 0
  unstamped = 0
  nacksSent = 0
  keyframesAsked = 0
  audioSent = 0
  videoSent = 0
  keyframesSent = 0
  resent = 0
}

/**
 * What is not a sum: extremes of the measured time, and states of now. Infinity or NaN = not known.
 */
export type SiteExtremes = {
  measuredMs: number
  audioGapMaxMs: number
  frozenMaxMs: number
  resyncAudioMs: number
  resyncVideoMs: number
  reconnectMaxMs: number
  layerMean: number
  layerChanges: number
  firstSoundMs: number
  firstPictureMs: number
  availableBps: number
  layersSending: number
  audioLatency: Histogram
  videoLatency: Histogram
  hears: boolean
  sees: boolean
  sends: boolean
}

/** `now` minus `before`, field by field. */
export function sumsSince(before: SiteSums, now: SiteSums): SiteSums {
  const since = new SiteSums()
  for (const key of Object.keys(since) as (keyof SiteSums)[]) since[key] = now[key] - before[key]
  return since
}

/** Names above; only what was measured. */
export function siteFigures(sums: SiteSums, extremes: SiteExtremes): Record<string, number> {
  const figures: Record<string, number> = {}
  const set = (name: string, value: number | undefined): void => {
    if (value !== undefined && Number.isFinite(value)) figures[name] = value
  }
  if (extremes.hears) soundFigures(sums, extremes, set)
  if (extremes.sees) pictureFigures(sums, extremes, set)
  if (extremes.hears || extremes.sees) receiveFigures(sums, extremes, set)
  set('receivedBytes', sums.receivedBytes)
  set('sentBytes', sums.sentBytes)
  set('receivedBps', (sums.receivedBytes * 8_000) / extremes.measuredMs)
  set('sentBps', (sums.sentBytes * 8_000) / extremes.measuredMs)
  set('reconnects', sums.reconnects)
  set('resumes', sums.resumes)
  set('mediaFailures', sums.mediaFailures)
  if (sums.reconnects > 0) set('reconnectMaxMs', extremes.reconnectMaxMs)
  if (extremes.sends) sendFigures(sums, extremes, set)
  return figures
}

type Set = (name: string, value: number | undefined) => void

function soundFigures(sums: SiteSums, extremes: SiteExtremes, set: Set): void {
  set('audioPackets', sums.audioPackets)
  set('audioLossRatio', sums.audioLost / (sums.audioPackets + sums.audioLost))
  set('audioGaps', sums.audioGaps)
  set('audioGapMaxMs', extremes.audioGapMaxMs)
  set('audioSilentMs', sums.audioSilentMs)
  set('concealedRatio', sums.audioConcealed / sums.audioFrames)
  set('firstSoundMs', extremes.firstSoundMs)
  set('audioLatencyP50Ms', percentileMs(extremes.audioLatency, 50))
  set('audioLatencyP99Ms', percentileMs(extremes.audioLatency, 99))
}

function pictureFigures(sums: SiteSums, extremes: SiteExtremes, set: Set): void {
  set('videoPackets', sums.videoPackets)
  set('videoLossRatio', sums.videoLost / (sums.videoPackets + sums.videoLost))
  set('repairedPackets', sums.videoRepaired)
  set('framesComplete', sums.framesComplete)
  set('framesLate', sums.framesLate)
  // A frame that was given up and came after all makes it one less.
  set('framesIncomplete', Math.max(0, sums.framesIncomplete))
  set('freezes', sums.freezes)
  set('frozenMs', sums.frozenMs)
  set('frozenMaxMs', extremes.frozenMaxMs)
  set('frozenRatio', sums.frozenMs / sums.watchedMs)
  set('layerMean', extremes.layerMean)
  set('layerChanges', extremes.layerChanges)
  set('firstPictureMs', extremes.firstPictureMs)
  set('videoLatencyP50Ms', percentileMs(extremes.videoLatency, 50))
  set('videoLatencyP99Ms', percentileMs(extremes.videoLatency, 99))
}

function receiveFigures(sums: SiteSums, extremes: SiteExtremes, set: Set): void {
  set('outages', sums.outages)
  if (sums.outages > 0) {
    set('resyncAudioMs', extremes.resyncAudioMs)
    set('resyncVideoMs', extremes.resyncVideoMs)
  }
  set('openedRatio', sums.opened / sums.rtpPackets)
  set('checkedPackets', sums.checked)
  set('checkFailed', sums.checkFailed)
  set('unstampedPackets', sums.unstamped)
  set('nacksSent', sums.nacksSent)
  set('keyframesAsked', sums.keyframesAsked)
}

function sendFigures(sums: SiteSums, extremes: SiteExtremes, set: Set): void {
  set('audioSent', sums.audioSent)
  set('videoSent', sums.videoSent)
  set('keyframesSent', sums.keyframesSent)
  set('resentPackets', sums.resent)
  set('availableBps', extremes.availableBps)
  set('layersSending', extremes.layersSending)
}

/** When something is worth telling a person, how bad it is (higher first), and in which words. */
const REASONS: readonly {
  figure: string
  above: number
  weight: number
  say: (value: number) => string
}[] = [
  {
    figure: 'checkFailed',
    above: 0,
    weight: 1e6,
    say: (n) => `${n} packets were not what was sent`,
  },
  {
    figure: 'concealedRatio',
    above: 0.02,
    weight: 1e4,
    say: (r) => `${percent(r)} of the sound had to be concealed`,
  },
  {
    figure: 'audioGapMaxMs',
    above: 400,
    weight: 2,
    say: (ms) => `no sound for ${Math.round(ms)} ms`,
  },
  {
    figure: 'frozenRatio',
    above: 0.02,
    weight: 5e3,
    say: (r) => `the picture stood still ${percent(r)} of the time`,
  },
  {
    figure: 'resyncVideoMs',
    above: 3_000,
    weight: 0.3,
    say: (ms) => `picture back only ${Math.round(ms)} ms after an outage`,
  },
  {
    figure: 'resyncAudioMs',
    above: 1_000,
    weight: 0.5,
    say: (ms) => `sound back only ${Math.round(ms)} ms after an outage`,
  },
  {
    figure: 'audioLossRatio',
    above: 0.01,
    weight: 5e3,
    say: (r) => `${percent(r)} of audio packets lost`,
  },
  {
    figure: 'videoLossRatio',
    above: 0.02,
    weight: 2e3,
    say: (r) => `${percent(r)} of video packets lost`,
  },
  {
    figure: 'audioLatencyP99Ms',
    above: 800,
    weight: 0.5,
    say: (ms) => `sound ${Math.round(ms)} ms late (p99)`,
  },
  {
    figure: 'mediaFailures',
    above: 0,
    weight: 1e3,
    say: (n) => `media could not be connected ${n} times`,
  },
  { figure: 'reconnects', above: 0, weight: 50, say: (n) => `lost its connection ${n} times` },
]

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`
}

/** In words, worst first; empty when nothing was wrong. */
export function whyOf(figures: Readonly<Record<string, number>>): string[] {
  return REASONS.map(({ figure, above, weight, say }) => ({
    value: figures[figure] ?? 0,
    above,
    weight,
    say,
  }))
    .filter(({ value, above }) => value > above)
    .sort((a, b) => b.value * b.weight - a.value * a.weight)
    .map(({ value, say }) => say(value))
}
