/**
 * What legs say together: figures by server and step, and ours over theirs. Counts are added up and histograms merged
 * over the rounds before anything is divided; how far the rounds lie apart stands beside it. Pure.
 */
import type { ForwardRow } from '../forward/index.ts'
import { encodeHistogram, mergeEncoded, percentileMs } from '../load/index.ts'
import type { SeriesReport } from '../report/index.ts'
import { type Leg, type RivalServer, SERVERS } from './legs.ts'

/** Parts of a report (bench/report). */
export type RivalFigures = {
  /** `<server>.n<receivers>.<what>`, and `ratio.n<receivers>.<what>`: ours over theirs. */
  figures: Record<string, number>
  /** `<server>.n<receivers>.latency`, in microseconds. */
  histograms: Record<string, string>
  /** Why the run is void; empty: it is not. */
  reasons: string[]
}

/** Beyond it a row says more about the load than about a server. */
const LOAD_CPU_SHARE_MAX = 0.95
/** Opus, 20 ms a packet. */
const AUDIO_PACKETS_PER_SECOND = 50
/** Of the packets that the publisher should have sent. */
const PUBLISHED_RATIO_MIN = 0.95

export type FigureOptions = {
  /** What other processes may take during a step. */
  othersCoresMax: number
  /** Of the publisher's video; each frame is a packet at least. */
  framesPerSecond: number
}

/** Steps that only one of the two reached have no ratio. */
export function rivalFigures(legs: readonly Leg[], options: FigureOptions): RivalFigures {
  const figures: Record<string, number> = {}
  const histograms: Record<string, string> = {}
  const steps = new Set(legs.flatMap(({ rows }) => rows.map(({ step }) => step)))
  for (const step of steps) {
    for (const server of SERVERS) {
      const rows = rowsOf(legs, server, step)
      if (rows.length === 0) continue
      const name = `${server}.n${step}`
      const latency = mergeEncoded(rows.map(({ counted }) => counted.latency))
      histograms[`${name}.latency`] = encodeHistogram(latency)
      for (const p of [50, 95, 99]) figures[`${name}.latency.p${p}Ms`] = percentileMs(latency, p)
      for (const [what, value] of stepFigures(rows)) figures[`${name}.${what}`] = value
    }
    for (const [what, value] of ratios(legs, step, figures))
      figures[`ratio.n${step}.${what}`] = value
  }
  return { figures, histograms, reasons: legs.flatMap((leg) => doubts(leg, options)) }
}

const STEP_SERIES: [string, string, string, (row: ForwardRow) => number][] = [
  [
    'packetsPerCpuSecond',
    'Packets per CPU-second, by step',
    'perSecond',
    (row) => row.packetsPerCpuSecond,
  ],
  ['latencyP99', 'p99 latency, by step', 'ms', (row) => row.latencyMs.p99],
  ['lossRatio', 'Loss, by step', 'ratio', (row) => row.lossRatio],
]

/** What each leg saw over time, for the report's plots; `zeroMs` is the run's, Unix time. */
export function rivalSeries(legs: readonly Leg[], zeroMs: number): SeriesReport[] {
  return STEP_SERIES.flatMap(([name, title, unit, of]) =>
    legs.map(({ server, round, rows }) => ({
      id: `steps.${name}.${server}-${round}`,
      title,
      unit,
      atS: rows.map(({ atMs }) => (atMs - zeroMs) / 1000),
      values: rows.map(of),
    })),
  )
}

function rowsOf(legs: readonly Leg[], server: RivalServer, step: number): ForwardRow[] {
  const own = legs.filter((leg) => leg.server === server)
  return own.flatMap(({ rows }) => rows.filter((row) => row.step === step))
}

function stepFigures(rows: readonly ForwardRow[]): [string, number][] {
  const mean = (of: (row: ForwardRow) => number) => sum(rows, of) / rows.length
  const packets = sum(rows, ({ counted }) => counted.packets)
  const expected = sum(rows, ({ counted }) => counted.expected)
  return [
    ['receivers', mean(({ receivers }) => receivers)],
    ['joinsFailed', sum(rows, ({ joins }) => joins.failed)],
    ['joinsPerSecond', mean(({ joins }) => joins.joined / Math.max(0.001, joins.seconds))],
    ['packetsPerSecond', mean(({ packetsPerSecond }) => packetsPerSecond)],
    ['packetsPerCpuSecond', packets / sum(rows, ({ counted }) => counted.cpuSeconds)],
    ['lossRatio', Math.max(0, expected - packets) / Math.max(1, expected)],
    ['perReceiverBytes', mean(({ bytesPerReceiver }) => bytesPerReceiver)],
    [
      'deliveredRatio',
      packets /
        Math.max(
          1,
          sum(rows, (row) => row.counted.published * row.receivers),
        ),
    ],
    ['cpuShare', mean(({ cpuShare }) => cpuShare)],
    ['loadCpuShare', mean(({ loadCpuShare }) => loadCpuShare)],
  ]
}

/** Ours over theirs; `Min` and `Max` are those of single rounds: what lies between them is noise. */
function ratios(
  legs: readonly Leg[],
  step: number,
  figures: Readonly<Record<string, number>>,
): [string, number][] {
  const [ours, theirs] = SERVERS.map((server) => rowsOf(legs, server, step))
  if (ours === undefined || theirs === undefined || ours.length === 0 || theirs.length === 0)
    return []
  const over = (what: string) =>
    (figures[`nhipcau.n${step}.${what}`] ?? 0) / (figures[`janus.n${step}.${what}`] ?? 0)
  const rounds = ours
    .slice(0, theirs.length)
    .map((row, index) => row.packetsPerCpuSecond / theirs[index]!.packetsPerCpuSecond)
  return [
    ['packetsPerCpuSecond', over('packetsPerCpuSecond')],
    ['packetsPerCpuSecondMin', Math.min(...rounds)],
    ['packetsPerCpuSecondMax', Math.max(...rounds)],
    ['latencyP99', over('latency.p99Ms')],
    ['memory', over('perReceiverBytes')],
  ]
}

/** What makes a leg say more about the machine than about its server. */
function doubts(
  { server, round, rows, problem }: Leg,
  { othersCoresMax, framesPerSecond }: FigureOptions,
): string[] {
  const which = `${server}, round ${round}`
  const found = problem === undefined ? [] : [`${which}: ${problem}`]
  for (const { step, loadCpuShare, othersCores, counted } of rows) {
    const where = `${which}, ${step} receivers`
    if (loadCpuShare > LOAD_CPU_SHARE_MAX) found.push(`${where}: the load had no core left`)
    const planned = counted.seconds * (AUDIO_PACKETS_PER_SECOND + framesPerSecond)
    if (counted.published < planned * PUBLISHED_RATIO_MIN)
      found.push(`${where}: the load sent ${counted.published} of ${planned.toFixed(0)} packets`)
    if (othersCores > othersCoresMax)
      found.push(`${where}: other processes took ${othersCores.toFixed(2)} of a core`)
  }
  return found
}

function sum(rows: readonly ForwardRow[], of: (row: ForwardRow) => number): number {
  return rows.reduce((total, row) => total + of(row), 0)
}
