/**
 * The lines of one link, in a process of their own: told by JSON lines on standard input, answers on standard output.
 * One process for a thousand lines, each with its own queue and fate, where `./nhipcau link` is one process for one
 * line; the emulator is the same. It knows no timetable: the runner says what changes, when it changes.
 *
 *   {op: open, lines}           ->
 *                               <-  {event: ready, lines: [{udp, tcp}]}   or {event: error, error}
 *   {op: zero}                  ->                                        seconds are counted from here
 *   {op: change, change}        ->                                        of all its lines
 *                               <-  {event: progress, lossRatio}          every second
 *   {op: end}                   ->
 *                               <-  {event: result, ...}                  then the process ends with 0
 */
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { BENCH_LINES_MAX } from '../../config/limits.ts'
import type { LineChange, LinkDirection, LinkProfile } from '../link/index.ts'
import {
  claimProcessor,
  createEmulator,
  type Emulator,
  type EmulatorSummary,
  type Endpoint,
} from '../link/io/index.ts'
import type { LinkDirectionReport } from '../report/index.ts'
import { LineBook } from './line-book.ts'

/** One line, in front of one or more nodes. */
export type LineSetup = {
  seed: number
  profile: LinkProfile
  nodes: readonly { media: Endpoint; door: Endpoint }[]
}

export type LineCommand =
  | { op: 'open'; lines: readonly LineSetup[] }
  | { op: 'zero' }
  | { op: 'change'; change: LineChange }
  | { op: 'end' }

export type LineMessage =
  /** Per line, per node of it: the ports to come in at. */
  | { event: 'ready'; lines: { udpPort: number; tcpPort: number }[][] }
  | { event: 'error'; error: string }
  | { event: 'progress'; lossRatio: number }
  | LineResult

export type LineResult = {
  event: 'result'
  down: LinkDirectionReport
  up: LinkDirectionReport
  /** Worst of all lines: delivery behind schedule, this process's own. */
  lateP99Ms: number
  /** Dropped at a bound of the emulator: such a run is void. */
  emulatorFull: number
}

const IDLE_MS = 120_000
const PROGRESS_MS = 1_000
const SESSION_NICENESS = -15
const LOCAL = '127.0.0.1'

const book = new LineBook()
const emulators: { emulator: Emulator; startMs: number }[] = []
let zeroMs = Number.POSITIVE_INFINITY

function say(message: LineMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

async function open(lines: readonly LineSetup[]): Promise<void> {
  if (lines.length > BENCH_LINES_MAX)
    throw new RangeError(`${lines.length} lines; allowed: ${BENCH_LINES_MAX}`)
  claimProcessor(false)
  claimForSession()
  const ports = []
  for (const { seed, profile, nodes } of lines) {
    const entry = { startMs: performance.now() }
    const emulator = await createEmulator({
      mappings: nodes.flatMap(({ media, door }) => [
        { kind: 'udp' as const, listen: { host: LOCAL, port: 0 }, to: media },
        { kind: 'tcp' as const, listen: { host: LOCAL, port: 0 }, to: door },
      ]),
      profile,
      timetable: [],
      seed,
      idleMs: IDLE_MS,
      onRow: (row) => {
        if (row.event === 'bucket') book.add(row.direction, row, zeroMs - entry.startMs)
      },
    })
    emulators.push({ emulator, ...entry })
    const { listening } = emulator
    ports.push(
      nodes.map((_, index) => ({
        udpPort: listening[2 * index]?.port ?? 0,
        tcpPort: listening[2 * index + 1]?.port ?? 0,
      })),
    )
  }
  say({ event: 'ready', lines: ports })
}

/**
 * The kernel shares processors among sessions first (autogroups): the niceness that claimProcessor asks for counts
 * inside of this process's own session only, that of the session counts among all.
 */
function claimForSession(): void {
  try {
    writeFileSync('/proc/self/autogroup', String(SESSION_NICENESS))
  } catch {
    // No such thing in this kernel, or not allowed: the line says itself how late it was.
  }
}

function end(): void {
  const summaries = emulators.map(({ emulator }) => emulator.close())
  const of = (direction: LinkDirection) => summaries.map((summary) => summary[direction])
  say({
    event: 'result',
    down: book.report('down', of('down')),
    up: book.report('up', of('up')),
    lateP99Ms: Math.max(0, ...summaries.map(lateP99Ms)),
    emulatorFull: [...of('down'), ...of('up')].reduce(
      (sum, { dropped }) => sum + dropped['emulator-full'],
      0,
    ),
  })
}

function lateP99Ms({ down, up }: EmulatorSummary): number {
  return Math.max(down.lateness.p99Ms, up.lateness.p99Ms)
}

async function obey(command: LineCommand): Promise<void> {
  switch (command.op) {
    case 'open':
      await open(command.lines)
      return
    case 'zero':
      zeroMs = performance.now()
      setInterval(() => {
        const lossRatio = book.latestLossRatio((performance.now() - zeroMs) / 1000)
        say({ event: 'progress', lossRatio })
      }, PROGRESS_MS)
      return
    case 'change':
      for (const { emulator } of emulators) emulator.apply(command.change)
      return
    case 'end':
      end()
      process.exit(0)
  }
}

// Ends when the runner asks for it, or is gone.
process.on('SIGTERM', () => process.exit(0))
for await (const line of createInterface({ input: process.stdin })) {
  try {
    await obey(JSON.parse(line) as LineCommand)
  } catch (error) {
    say({ event: 'error', error: (error as Error).message })
  }
}
process.exit(0)
