/**
 * What all sites saw, second by second: series for the report and figures for the progress line.
 * Sites are taken one after the other during the second; `close` ends it. Latencies of the second
 * are counted apart, then added to the run's.
 */
import type { Histogram } from 'hdr-histogram-js'
import type { SeriesReport } from '../report/report.ts'
import type { LatencyHistograms, PlayerTotals } from '../site/index.ts'
import { type HistogramBook, newHistogram, percentileMs } from './histograms.ts'
import type { Seat } from './seat.ts'
import { SeriesBook } from './series-book.ts'
import { addGrowth, addTotals, newTotals } from './totals.ts'

/** What is told of the load itself and of the seats, each second. */
export type SecondOwn = {
  joined: number
  failed: number
  latenessMaxMs: number
  cpuShare: number
}

export type SecondSeen = {
  lossRatio: number
  receivedBps: number
  sentBps: number
  packetsPerSecond: number
  audioLatencyP99Ms: number
}

type Group = { id: string; second: PlayerTotals; run: PlayerTotals; latencies: LatencyHistograms }

const CLASSES = ['audio', 'video'] as const

export class Sampler {
  readonly #groups = new Map<string, Group>()
  readonly #histograms: HistogramBook
  readonly #before = new WeakMap<Seat, PlayerTotals>()
  readonly #series = new SeriesBook()
  readonly #scratch = newTotals()
  readonly #all: LatencyHistograms = { audio: newHistogram(), video: newHistogram() }
  #lastS = 0

  constructor(groups: readonly string[], histograms: HistogramBook) {
    this.#histograms = histograms
    for (const id of groups) {
      const latencies = { audio: newHistogram(), video: newHistogram() }
      this.#groups.set(id, { id, second: newTotals(), run: newTotals(), latencies })
    }
    this.#declare(groups)
  }

  /** Where sites of a group count their latencies. */
  latenciesOf(group: string): LatencyHistograms {
    return (this.#groups.get(group) as Group).latencies
  }

  /** Sums of a group over the run so far. */
  totalsOf(group: string): PlayerTotals {
    return (this.#groups.get(group) as Group).run
  }

  /** Looks at one site. */
  take(seat: Seat, nowMs: number): void {
    const group = this.#groups.get(seat.group.id) as Group
    let before = this.#before.get(seat)
    if (before === undefined) {
      before = newTotals()
      this.#before.set(seat, before)
    }
    addGrowth(group.second, seat.member.totals(this.#scratch, nowMs), before)
  }

  /** Adds what was taken since the last second to the run, without a row: for the end. */
  flush(): void {
    for (const group of this.#groups.values()) {
      addTotals(group.run, group.second)
      Object.assign(group.second, newTotals())
      for (const name of CLASSES) {
        const histogram = group.latencies[name]
        if (histogram.totalCount === 0) continue
        this.#all[name].add(histogram)
        this.#histograms.of(group.id, `latency.${name}`).add(histogram)
        histogram.reset()
      }
    }
  }

  /** Ends the second: one row of all series. */
  close(atS: number, own: SecondOwn): SecondSeen {
    const seconds = Math.max(1e-3, atS - this.#lastS)
    this.#lastS = atS
    const sum = newTotals()
    const row: Record<string, number> = {
      'sites.joined': own.joined,
      'sites.failed': own.failed,
      'load.latenessMaxMs': own.latenessMaxMs,
      'load.cpuShare': own.cpuShare,
    }
    for (const group of this.#groups.values()) {
      this.#write(row, { prefix: `group.${group.id}.`, seconds, ...group, totals: group.second })
      addTotals(sum, group.second)
    }
    this.flush()
    this.#write(row, { prefix: '', seconds, latencies: this.#all, totals: sum })
    for (const name of CLASSES) this.#all[name].reset()
    this.#series.add(atS, row)
    return {
      lossRatio: row['loss.ratio'] ?? 0,
      receivedBps: row['receivedBps'] ?? 0,
      sentBps: row['sentBps'] ?? 0,
      packetsPerSecond: (sum.audioPackets + sum.videoPackets) / seconds,
      audioLatencyP99Ms: row['latency.audio.p99Ms'] ?? 0,
    }
  }

  series(): SeriesReport[] {
    return this.#series.reports()
  }

  #write(
    row: Record<string, number>,
    {
      prefix,
      seconds,
      latencies,
      totals,
    }: {
      prefix: string
      seconds: number
      latencies: Record<'audio' | 'video', Histogram>
      totals: PlayerTotals
    },
  ): void {
    const ratio = (part: number, whole: number) => (whole > 0 ? Math.max(0, part) / whole : 0)
    const { audioLost, audioExpected, videoLost, videoExpected } = totals
    row[`${prefix}loss.ratio`] = ratio(audioLost + videoLost, audioExpected + videoExpected)
    row[`${prefix}loss.audio.ratio`] = ratio(audioLost, audioExpected)
    row[`${prefix}concealed.ratio`] = ratio(totals.audioConcealed, totals.audioFrames)
    row[`${prefix}receivedBps`] = (totals.receivedBytes * 8) / seconds
    row[`${prefix}sentBps`] = (totals.sentBytes * 8) / seconds
    row[`${prefix}frozen.ratio`] = ratio(totals.frozenMs, totals.watchedMs)
    for (const name of CLASSES)
      for (const percentile of [50, 99])
        row[`${prefix}latency.${name}.p${percentile}Ms`] = percentileMs(latencies[name], percentile)
  }

  #declare(groups: readonly string[]): void {
    const series = this.#series
    series.declare('sites.joined', { title: 'Sites that are in', unit: 'sites' })
    series.declare('sites.failed', { title: 'Sites that failed to join', unit: 'sites' })
    for (const id of ['', ...groups]) {
      const prefix = id === '' ? '' : `group.${id}.`
      const whose = id === '' ? '' : ` (${id})`
      const declare = (name: string, title: string, unit: string) =>
        series.declare(`${prefix}${name}`, { title: `${title}${whose}`, unit })
      declare('loss.ratio', 'Packets that did not arrive', 'ratio')
      declare('loss.audio.ratio', 'Audio packets that did not arrive', 'ratio')
      declare('concealed.ratio', 'Sound that had to be concealed', 'ratio')
      declare('frozen.ratio', 'Time that pictures stood still', 'ratio')
      declare('receivedBps', 'Received by the sites', 'bit/s')
      declare('sentBps', 'Sent by the sites', 'bit/s')
      for (const name of CLASSES)
        for (const percentile of [50, 99]) {
          const kind = name === 'audio' ? 'sound' : 'picture'
          declare(
            `latency.${name}.p${percentile}Ms`,
            `Latency of ${kind}, ${percentile}th percentile`,
            'ms',
          )
        }
    }
    series.declare('load.latenessMaxMs', { title: 'Lateness of the load itself', unit: 'ms' })
    series.declare('load.cpuShare', { title: "The load's share of its core", unit: 'ratio' })
  }
}
