/**
 * Figures of one direction of a link, out of what the end that sends told each second. Pure.
 */
import type { LinkSample, LinkTestRefusal } from '../control/index.ts'
import type { TrunkReport } from '../trunk/contract.ts'

/** Seconds at the beginning in which the estimate is still on its way. */
const WARM_UP = 3

/** One direction over the whole test. Rates with headers of IP and UDP, bit/s. */
export type DirectionFigures = {
  /** Most that came out of it in one second, towards the end of the test. */
  rateBps: number
  /** Each second's datagrams that were lost, before repair; 0..1. */
  lossRatio: number
  /** Mean length of runs of lost datagrams. */
  lossBurst: number
  /** RFC 3550 §6.4.1, under load. */
  jitterMs: number
  queueDelayMs: number
  /** Bytes that a datagram may carry. */
  mtuBytes: number
}

export type LinkTestResult = {
  /** From the upstream to here, and from here to it. */
  down: DirectionFigures
  up: DirectionFigures
  /** Without our own load, and with it. */
  rttMs: number
  rttLoadedMs: number
  path: 'udp' | 'tunnel' | 'none'
}

/** What `GET /api/v1/trunk/link-test` answers. */
export type LinkTestStatus = {
  state: 'none' | 'asked' | 'running' | 'done' | 'refused' | 'failed'
  reason: LinkTestRefusal | null
  upstream: string
  seconds: number
  elapsedS: number
  /** The latest second of each direction. */
  now: { down: LinkSample | null; up: LinkSample | null }
  result: LinkTestResult | null
}

/** What the end that sends knows of one second. */
export function sampleOf(report: TrunkReport): LinkSample {
  return {
    rateBps: report.provenBps,
    sentBps: report.sentBps,
    rttMs: report.rttMs,
    lossRatio: report.lossSentRatio,
    lossBurst: report.lossBurst,
    jitterMs: report.jitterMs,
    queueDelayMs: report.queueDelayMs,
    mtuBytes: report.mtuBytes,
  }
}

/** undefined when nothing was told. */
export function figuresOf(samples: readonly LinkSample[]): DirectionFigures | undefined {
  const last = samples.at(-1)
  if (last === undefined) return undefined
  const steady = samples.length > WARM_UP ? samples.slice(WARM_UP) : samples
  const lossRatio = steady.reduce((sum, sample) => sum + sample.lossRatio, 0) / steady.length
  return {
    rateBps: last.rateBps,
    lossRatio,
    lossBurst: last.lossBurst,
    jitterMs: medianOf(steady.map(({ jitterMs }) => jitterMs)),
    queueDelayMs: medianOf(steady.map(({ queueDelayMs }) => queueDelayMs)),
    mtuBytes: last.mtuBytes,
  }
}

/** The least round trip of a test, and the middle one. */
export function roundTripsOf(samples: readonly LinkSample[]): { least: number; middle: number } {
  const known = samples.map(({ rttMs }) => rttMs).filter((rttMs) => rttMs > 0)
  return { least: known.length === 0 ? 0 : Math.min(...known), middle: medianOf(known) }
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
