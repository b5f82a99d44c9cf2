/** Reads the kernel's books of a run's processes once a second. What the numbers mean is process-book.ts. */
import {
  countHandles,
  readMachineUsage,
  readProcessTable,
  type TableRow,
} from '../process/accounting.ts'
import type { ProcessReport } from '../report/index.ts'
import type { ProcessBook, ProcessReading } from './process-book.ts'

/** A process whose children are counted with it, but those of the load, which are browsers. */
export type Watched = { id: string; role: ProcessReport['role']; pid: number }

const EVERY_MS = 1_000

/** Samples from `start` until `stop`. */
export class Sampler {
  readonly #book: ProcessBook
  readonly #watched: () => readonly Watched[]
  #timer: NodeJS.Timeout | undefined
  #zeroMs = 0

  constructor(book: ProcessBook, watched: () => readonly Watched[]) {
    this.#book = book
    this.#watched = watched
  }

  /** The first reading is the zero. */
  start(zeroMs: number): void {
    this.#zeroMs = zeroMs
    this.sample()
    this.#timer = setInterval(() => this.sample(), EVERY_MS)
  }

  /** Once more now: before a process is killed, so that its last second counts. */
  sample(): void {
    const table = readProcessTable()
    const { busySeconds, stealSeconds } = readMachineUsage()
    const own = process.cpuUsage()
    this.#book.add({
      atS: Math.round(performance.timeOrigin + performance.now() - this.#zeroMs) / 1000,
      processes: readingsOf(this.#watched(), table),
      machine: { busySeconds, stealSeconds },
      runnerCpuSeconds: (own.user + own.system) / 1e6,
    })
  }

  stop(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.sample()
  }
}

function readingsOf(
  watched: readonly Watched[],
  table: ReadonlyMap<number, TableRow>,
): ProcessReading[] {
  const children = Map.groupBy(table.values(), ({ parentPid }) => parentPid)
  const roots = new Set(watched.map(({ pid }) => pid))
  return watched.flatMap(({ id, role, pid }) => {
    const row = table.get(pid)
    if (row === undefined) return []
    const under = descendants(pid, children).filter((each) => !roots.has(each.pid))
    const below =
      role === 'load' ? ({ id: `browsers.${id}`, role: 'browser' } as const) : { id, role }
    return [readingOf(row, { id, role }), ...under.map((each) => readingOf(each, below))]
  })
}

function readingOf(row: TableRow, whose: Pick<ProcessReading, 'id' | 'role'>): ProcessReading {
  const { pid, cpuSeconds, residentBytes, threads } = row
  return { ...whose, pid, cpuSeconds, residentBytes, threads, handles: countHandles(pid) }
}

function descendants(pid: number, children: ReadonlyMap<number, TableRow[]>): TableRow[] {
  const found: TableRow[] = []
  const open = [pid]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const child of children.get(next) ?? []) {
      found.push(child)
      open.push(child.pid)
    }
  }
  return found
}
