/** What one process found out, as sums, histograms and figures. */
import type { Histogram } from 'hdr-histogram-js'
import type { SiteReport } from '../report/report.ts'
import type { PlayerTotals } from '../site/index.ts'
import { figuresOf, type Sums } from './figures.ts'
import { encodeHistogram, type HistogramBook, recordMs } from './histograms.ts'
import type { LoadResult } from './protocol.ts'
import type { JoinTally, Seat } from './seat.ts'
import { addTotals, newTotals, TOTALS } from './totals.ts'

export type Findings = {
  sites: readonly SiteReport[]
  seats: readonly Seat[]
  tallies: ReadonlyMap<string, JoinTally>
  totalsOf: (group: string) => PlayerTotals
  histograms: HistogramBook
  pages: { sums: Record<string, number>; histograms: Map<string, Histogram> }
  /** Seconds since the run's zero of a time of the owner's clock. */
  atS: (nowMs: number) => number
}

/** Worst over sites, by the figure of a site (bench/site/figures.ts) that it is the worst of. */
const WORST: Record<string, string> = {
  frozenMaxMs: 'frozen.maxMs',
  frozenRatio: 'frozen.ratioMax',
  audioGapMaxMs: 'audioGap.maxMs',
  concealedRatio: 'concealed.ratioMax',
  audioLossRatio: 'loss.audio.ratioMax',
  videoLossRatio: 'loss.video.ratioMax',
}

/** Over sites, one value of each: told as a distribution. */
const DISTRIBUTED: Record<string, string> = {
  resyncAudioMs: 'resync.audio',
  resyncVideoMs: 'resync.video',
  firstSoundMs: 'firstSound',
  firstPictureMs: 'firstPicture',
}

/** Added up over sites. */
const SUMMED: Record<string, string> = {
  outages: 'events.outages',
  reconnects: 'events.reconnects',
  resumes: 'events.resumes',
  mediaFailures: 'events.mediaFailures',
  audioGaps: 'events.audioGaps',
  nacksSent: 'events.nacks',
  keyframesAsked: 'events.keyframesAsked',
  keyframesSent: 'events.keyframesSent',
  resentPackets: 'events.resentPackets',
}

/** The part of a LoadResult that follows from what sites saw. */
export function resultOf(findings: Findings): Pick<LoadResult, 'figures' | 'histograms' | 'sums'> {
  const { sites, tallies, histograms } = findings
  const sums: Sums = {}
  const groups = [...tallies.keys()]
  distribute(sites, histograms)
  const totals = newTotals()
  for (const group of groups) {
    const own = findings.totalsOf(group)
    addTotals(totals, own)
    addPart(sums, `group.${group}.`, findings, {
      sites: sites.filter((site) => site.group === group),
      totals: own,
      tallies: [tallies.get(group) as JoinTally],
    })
  }
  addPart(sums, '', findings, { sites, totals, tallies: [...tallies.values()] })
  const all = new Map([...histograms.all(), ...findings.pages.histograms])
  Object.assign(sums, findings.pages.sums)
  return {
    sums,
    figures: figuresOf(sums, all, groups),
    histograms: Object.fromEntries([...all].map(([name, one]) => [name, encodeHistogram(one)])),
  }
}

function distribute(sites: readonly SiteReport[], histograms: HistogramBook): void {
  for (const { group, figures } of sites)
    for (const [own, name] of Object.entries(DISTRIBUTED)) {
      const ms = figures[own]
      if (ms !== undefined) recordMs(histograms.of(group, name), ms)
    }
}

type Part = { sites: readonly SiteReport[]; totals: PlayerTotals; tallies: readonly JoinTally[] }

function addPart(sums: Sums, prefix: string, findings: Findings, part: Part): void {
  const put = (name: string, value: number): void => {
    sums[prefix + name] = value
  }
  for (const key of TOTALS) if (part.totals[key] !== 0) put(key, part.totals[key])
  const asked = new Set(findings.seats.filter((seat) => seat.asked).map(({ spec }) => spec.id))
  put('sites.planned', part.sites.length)
  put('sites.joined', part.sites.filter(({ joined }) => joined).length)
  put('sites.failed', part.sites.filter(({ id, joined }) => asked.has(id) && !joined).length)
  const tally = (key: 'begun' | 'failed' | 'firsts' | 'back') =>
    part.tallies.reduce((sum, one) => sum + one[key], 0)
  put('joins.begun', tally('begun'))
  put('joins.failed', tally('failed'))
  put('joins.firsts', tally('firsts'))
  put('joins.back', tally('back'))
  const firstMs = part.tallies.map((one) => one.firstMs).filter((ms) => ms >= 0)
  const lastMs = part.tallies.map((one) => one.lastMs).filter((ms) => ms >= 0)
  if (firstMs.length > 0) put('min.joins.firstS', findings.atS(Math.min(...firstMs)))
  if (lastMs.length > 0) put('max.joins.lastS', findings.atS(Math.max(...lastMs)))
  for (const [own, name] of Object.entries(WORST)) {
    const seen = part.sites
      .map(({ figures }) => figures[own])
      .filter((value) => value !== undefined)
    if (seen.length > 0) put(`max.${name}`, Math.max(...seen))
  }
  put('requests.failed', sumOf(part.sites, 'requestsFailed'))
  for (const [own, name] of Object.entries(SUMMED))
    if (part.sites.some(({ figures }) => figures[own] !== undefined))
      put(name, sumOf(part.sites, own))
}

const sumOf = (sites: readonly SiteReport[], figure: string) =>
  sites.reduce((sum, { figures }) => sum + (figures[figure] ?? 0), 0)
