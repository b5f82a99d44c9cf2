/** `./nhipcau link`: runs until Ctrl-C, SIGTERM or --for, and says at the end what it did. */
import { createInterface } from 'node:readline'
import { PROFILES, parseChange } from '../index.ts'
import {
  createEmulator,
  type DirectionSummary,
  type Emulator,
  type EmulatorRow,
  type EmulatorSummary,
} from './emulator.ts'
import { LINK_USAGE, type LinkOptions, parseLinkOptions } from './options.ts'
import { createRowWriter } from './row-writer.ts'
import { claimProcessor } from './scheduling.ts'

const PROGRESS_MS = 5000

const say = (text: string): void => console.error(text)

/** Resolves with the exit code. Throws for wrong use, and when an address cannot be bound. */
export async function linkCommand(args: string[]): Promise<number> {
  const options = parseLinkOptions(args[0] === 'help' ? ['--help'] : args)
  if (options === undefined) {
    console.log(LINK_USAGE)
    return 0
  }
  const scheduling = claimProcessor(options.realtime)
  const writer = await createRowWriter(options.reportFile)
  const emulator = await createEmulator({
    ...options,
    scheduling,
    profile: PROFILES[options.profile],
    onRow: (row) => {
      writer.write(row)
      tell(row, options)
    },
  })
  const input = options.stdin ? obeyInput(emulator) : undefined
  const progress = setInterval(() => say(`… ${progressText(emulator.summary())}`), PROGRESS_MS)
  await untilAsked(options.durationMs)
  clearInterval(progress)
  input?.close()
  emulator.close()
  await writer.close()
  if (writer.dropped() > 0) say(`${writer.dropped()} rows were dropped: nobody read them`)
  return 0
}

function tell(row: EmulatorRow, { profile, durationMs }: LinkOptions): void {
  if (row.event === 'ready') {
    for (const { kind, listen, to } of row.mappings) say(`${kind} ${listen} → ${to}`)
    const end = Number.isFinite(durationMs) ? `for ${durationMs / 1000} s` : 'until Ctrl-C'
    say(
      `profile ${profile}: ${PROFILES[profile].about}; seed ${row.seed}; scheduling ${row.scheduling}; ${end}`,
    )
  } else if (row.event === 'change') {
    const { event: _, atMs, ...change } = row
    say(`${(atMs / 1000).toFixed(1)} s: ${JSON.stringify(change)}`)
  } else if (row.event === 'summary') {
    say(`${(row.durationMs / 1000).toFixed(1)} s in all`)
    for (const direction of ['down', 'up'] as const)
      say(`${direction.padEnd(4)}  ${directionText(row[direction])}`)
  }
}

function directionText({ packetsIn, packetsOut, bytesOut, dropped, lateness }: DirectionSummary) {
  const lost = Object.entries(dropped)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`)
  const late = `own delay p50 ${lateness.p50Ms} p99 ${lateness.p99Ms} max ${lateness.maxMs} ms`
  return `in ${packetsIn}  out ${packetsOut} (${bytesOut} bytes)  dropped: ${lost.join(', ') || 'none'}  ${late}`
}

function progressText({ durationMs, down, up, udp, tcp }: EmulatorSummary): string {
  const flows = udp.reduce((sum, counters) => sum + counters.flows, 0)
  const connections = tcp.reduce((sum, counters) => sum + counters.connections, 0)
  const way = ({ packetsOut, packetsIn, queueMs }: DirectionSummary): string =>
    `${packetsOut}/${packetsIn} packets, queue ${queueMs.toFixed(0)} ms`
  return `${(durationMs / 1000).toFixed(0)} s  down ${way(down)}  up ${way(up)}  ${flows} flows, ${connections} connections`
}

/** Each line is a change; a wrong one is answered on standard error and changes nothing. */
function obeyInput(emulator: Emulator): { close: () => void } {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    if (line.trim() === '') return
    const change = parseChange(line.trim(), 0)
    if (Array.isArray(change)) say(change.join('\n'))
    else attempt(() => emulator.apply(change))
  })
  return {
    close: () => {
      lines.close()
      process.stdin.destroy()
    },
  }
}

function attempt(work: () => void): void {
  try {
    work()
  } catch (error) {
    say((error as Error).message)
  }
}

/** The first signal or the end of the time; a second signal ends the process at once. */
function untilAsked(durationMs: number): Promise<void> {
  return new Promise((done) => {
    let asked = false
    const stop = (): void => {
      if (asked) process.exit(1)
      asked = true
      clearTimeout(timer)
      done()
    }
    const timer = Number.isFinite(durationMs) ? setTimeout(stop, durationMs) : undefined
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}
