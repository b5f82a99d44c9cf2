/**
 * What the processes of a run used over time: CPU, memory, descriptors, threads; and what others took of the machine.
 * Pure: told readings of the kernel's books (sampler.ts reads them), with times in seconds since the run's zero.
 */
import { BENCH_SAMPLES_MAX } from '../../config/limits.ts'
import type { ProcessReport, SeriesReport } from '../report/index.ts'

/** One process of the run at one moment; `pid` tells a restarted one from the one before. */
export type ProcessReading = {
  id: string
  role: ProcessReport['role']
  pid: number
  cpuSeconds: number
  residentBytes: number
  handles: number
  threads: number
}

/** Sums over all cores since the machine's start. */
export type MachineReading = { busySeconds: number; stealSeconds: number }

export type Reading = {
  atS: number
  processes: readonly ProcessReading[]
  machine: MachineReading
  /** The runner itself, since its start. */
  runnerCpuSeconds: number
}

/** Cores that were taken in a stretch of time, by whom. */
export type Shares = { othersCores: number; stealCores: number }

type Entry = {
  report: ProcessReport
  /** What each pid under this id had used at the last reading. */
  lastByPid: Map<number, number>
  /** Since the last sample of the series. */
  lastAtS: number
  pendingSeconds: number
}

/** The kernel counts in hundredths of a second: a share of a shorter time says nothing. */
const SAMPLE_S_MIN = 0.5

/** One per run. */
export class ProcessBook {
  readonly #entries = new Map<string, Entry>()
  readonly #others: { atS: number[]; othersCores: number[]; stealCores: number[] } = {
    atS: [],
    othersCores: [],
    stealCores: [],
  }
  #first: Reading | undefined
  #last: Reading | undefined
  #othersSeconds = 0
  #stealSeconds = 0

  /** Readings come in order; the first one is the zero from which CPU is counted. */
  add(reading: Reading): void {
    const before = this.#last
    let oursSeconds = before === undefined ? 0 : reading.runnerCpuSeconds - before.runnerCpuSeconds
    const byId = Map.groupBy(reading.processes, ({ id }) => id)
    for (const [id, rows] of byId) oursSeconds += this.#addProcess(id, rows, reading.atS)
    this.#last = reading
    this.#first ??= reading
    if (before === undefined) return
    const tookS = reading.atS - before.atS
    if (tookS <= 0) return
    const stealSeconds = reading.machine.stealSeconds - before.machine.stealSeconds
    const busySeconds = reading.machine.busySeconds - before.machine.busySeconds
    const othersSeconds = Math.max(0, busySeconds - stealSeconds - oursSeconds)
    this.#othersSeconds += othersSeconds
    this.#stealSeconds += stealSeconds
    if (tookS < SAMPLE_S_MIN) return
    this.#others.atS.push(reading.atS)
    this.#others.othersCores.push(othersSeconds / tookS)
    this.#others.stealCores.push(stealSeconds / tookS)
    thin([this.#others.atS, this.#others.othersCores, this.#others.stealCores])
  }

  /** Means since the first reading. */
  shares(): Shares {
    const tookS = (this.#last?.atS ?? 0) - (this.#first?.atS ?? 0)
    if (tookS <= 0) return { othersCores: 0, stealCores: 0 }
    return { othersCores: this.#othersSeconds / tookS, stealCores: this.#stealSeconds / tookS }
  }

  /** Cores that others and the host took, over time. */
  get others(): Readonly<{ atS: number[]; othersCores: number[]; stealCores: number[] }> {
    return this.#others
  }

  /** The latest share of one core, by process. */
  latest(): Map<string, number> {
    return new Map(
      [...this.#entries].map(([id, { report }]) => [id, report.series.cpuShare.at(-1) ?? 0]),
    )
  }

  /** In the order in which they appeared. */
  reports(): ProcessReport[] {
    return [...this.#entries.values()].map(({ report }) => ({
      ...report,
      residentSlopeBytesPerS: slopePerS(report.series.atS, report.series.residentBytes),
    }))
  }

  /** CPU seconds that this id used since the reading before. */
  #addProcess(id: string, rows: ProcessReading[], atS: number): number {
    const entry = this.#entries.get(id) ?? this.#open(id, rows)
    const isZero = this.#last === undefined
    let usedSeconds = 0
    for (const { pid, cpuSeconds } of rows) {
      // One that was started since: all of it is this run's.
      const before = entry.lastByPid.get(pid) ?? (isZero ? cpuSeconds : 0)
      usedSeconds += Math.max(0, cpuSeconds - before)
      entry.lastByPid.set(pid, cpuSeconds)
    }
    const sum = (field: 'residentBytes' | 'handles' | 'threads'): number =>
      rows.reduce((total, row) => total + row[field], 0)
    const { report } = entry
    const { series } = report
    report.cpuSeconds += usedSeconds
    report.residentBytesMax = Math.max(report.residentBytesMax, sum('residentBytes'))
    entry.pendingSeconds += usedSeconds
    const tookS = atS - entry.lastAtS
    if (series.atS.length > 0 && tookS < SAMPLE_S_MIN) return usedSeconds
    series.atS.push(atS)
    series.cpuShare.push(tookS > 0 ? entry.pendingSeconds / tookS : 0)
    Object.assign(entry, { lastAtS: atS, pendingSeconds: 0 })
    series.residentBytes.push(sum('residentBytes'))
    series.handles.push(sum('handles'))
    series.threads.push(sum('threads'))
    thin([series.atS, series.cpuShare, series.residentBytes, series.handles, series.threads])
    return usedSeconds
  }

  #open(id: string, rows: ProcessReading[]): Entry {
    const entry: Entry = {
      report: {
        id,
        role: rows[0]?.role ?? 'node',
        cpuSeconds: 0,
        residentBytesMax: 0,
        residentSlopeBytesPerS: 0,
        series: { atS: [], cpuShare: [], residentBytes: [], handles: [], threads: [] },
      },
      lastByPid: new Map(),
      lastAtS: this.#last?.atS ?? 0,
      pendingSeconds: 0,
    }
    this.#entries.set(id, entry)
    return entry
  }
}

/** Leaves out every second row, in place, once there are BENCH_SAMPLES_MAX; columns stay as long as each other. */
export function thin(columns: readonly number[][], max = BENCH_SAMPLES_MAX): void {
  if ((columns[0]?.length ?? 0) < max) return
  for (const column of columns) {
    let kept = 0
    // The newest stays: counted from the end.
    for (let index = (column.length - 1) % 2; index < column.length; index += 2) {
      column[kept] = column[index] as number
      kept += 1
    }
    column.length = kept
  }
}

/** Least squares over the second half of the time; 0 with fewer than three samples in it. */
export function slopePerS(atS: readonly number[], values: readonly number[]): number {
  const halfS = ((atS[0] ?? 0) + (atS.at(-1) ?? 0)) / 2
  const from = atS.findIndex((at) => at >= halfS)
  const times = atS.slice(from)
  const count = times.length
  if (from < 0 || count < 3) return 0
  const meanAtS = times.reduce((sum, at) => sum + at, 0) / count
  const meanValue = values.slice(from).reduce((sum, value) => sum + value, 0) / count
  let above = 0
  let below = 0
  times.forEach((at, index) => {
    above += (at - meanAtS) * ((values[from + index] ?? 0) - meanValue)
    below += (at - meanAtS) ** 2
  })
  return below === 0 ? 0 : above / below
}

/** Cores that others and the host took, as plots. */
export function machineSeries(book: ProcessBook): SeriesReport[] {
  const { atS, othersCores, stealCores } = book.others
  return [
    {
      id: 'machine.othersCores',
      title: 'Cores taken by others',
      unit: '',
      atS,
      values: othersCores,
    },
    {
      id: 'machine.stealCores',
      title: 'Cores taken by the host',
      unit: '',
      atS,
      values: stealCores,
    },
  ]
}
