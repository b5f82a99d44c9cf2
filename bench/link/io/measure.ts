/**
 * `bench link`: what the emulator costs and adds by itself. It runs as a process on one core;
 * packets with a time inside go through it and back from here. Its CPU comes from the kernel's
 * books, its own delay from its schedule and, from outside, against the same way without it. Next
 * to it stands a bare relay without a line: on a busy or slow machine the ratio tells more than the
 * share.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { build, type Histogram } from 'hdr-histogram-js'
import { cpuShare, readUsage } from '../../process/accounting.ts'
import { startProcess } from '../../process/processes.ts'
import type { EmulatorSummary } from './emulator.ts'

/** What is to be held (docs/LINK.md). */
const GOAL = { cpuShare: 0.1, p99Ms: 1 }
/**
 * A bare relay that needs more than this leaves no room for the goal: the machine is too busy or
 * too slow to tell.
 */
const BARE_CPU_SHARE_MAX = 0.08

const PAYLOAD_BYTES = 200
const SETTLE_MS = 1000

export type LinkMeasure = {
  packetsPerSecond: number
  /**
   * How the emulator ran: what it adds is another thing on a busy machine without real-time
   * scheduling.
   */
  scheduling: string
  cpuShare: number
  /** The same packets through a relay that does nothing to them, measured in the same run. */
  bareCpuShare: number
  /** By the emulator's own books: actual minus scheduled delivery, the worse direction. */
  own: { p50Ms: number; p99Ms: number; maxMs: number }
  /**
   * From outside: round trip through the line minus both delays, and round trip without the line.
   */
  through: { p50Ms: number; p99Ms: number }
  direct: { p50Ms: number; p99Ms: number }
  lost: number
}

/**
 * Runs the command line; resolves with the exit code: 1 when a goal was missed, 3 when the run is
 * void.
 */
export async function linkBenchCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      packets: { type: 'string', default: '5000' },
      seconds: { type: 'string', default: '10' },
      delay: { type: 'string', default: '20' },
      json: { type: 'boolean', default: false },
    },
  })
  const measure = await measureLink({
    packetsPerSecond: Number(values.packets),
    seconds: Number(values.seconds),
    delayMs: Number(values.delay),
  })
  console.log(values.json ? JSON.stringify(measure, undefined, 2) : describe(measure))
  const isMet = measure.own.p99Ms < GOAL.p99Ms && measure.cpuShare <= GOAL.cpuShare
  return isMet ? 0 : isVoid(measure) ? 3 : 1
}

function isVoid({ bareCpuShare }: LinkMeasure): boolean {
  return bareCpuShare > BARE_CPU_SHARE_MAX
}

function describe(measure: LinkMeasure): string {
  const { packetsPerSecond, scheduling, cpuShare: share, bareCpuShare, own } = measure
  const { through, direct, lost } = measure
  const pair = (p50Ms: number, p99Ms: number): string =>
    `p50 ${p50Ms.toFixed(2)}  p99 ${p99Ms.toFixed(2)} ms`
  const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`
  const verdict = (isMet: boolean): string => (isMet ? '✔' : '✘')
  return [
    `${packetsPerSecond.toFixed(0)} packets/s through the line, ${lost} lost; scheduling ${scheduling}`,
    `${verdict(share <= GOAL.cpuShare)} core     ${percent(share)} (goal ${percent(GOAL.cpuShare)})`,
    `  bare     ${percent(bareCpuShare)}: a relay without a line, ratio ${(share / bareCpuShare).toFixed(2)}`,
    `${verdict(own.p99Ms < GOAL.p99Ms)} own      ${pair(own.p50Ms, own.p99Ms)}, max ${own.maxMs.toFixed(2)} (goal p99 ${GOAL.p99Ms} ms)`,
    `  outside  ${pair(through.p50Ms, through.p99Ms)} beyond its two delays; without it ${pair(direct.p50Ms, direct.p99Ms)}`,
    ...(isVoid(measure)
      ? ['VOID: this machine is too busy or too slow now; only the ratio means something']
      : []),
  ].join('\n')
}

type MeasureOptions = { packetsPerSecond: number; seconds: number; delayMs: number }

/** Throws when the emulator cannot be started. Leaves no process behind. */
export async function measureLink(options: MeasureOptions): Promise<LinkMeasure> {
  const { packetsPerSecond, seconds, delayMs } = options
  const echo = await createEcho()
  const target = echo.address().port
  const bareCpuShare = await measureBare(target, options)
  const change = `0s:delayMs=${delayMs}`
  const args = ['main.ts', 'link', '--listen', '127.0.0.1:0', '--to', `127.0.0.1:${target}`]
  const emulator = startProcess({ args: [...args, '--realtime', '--at', change] })
  try {
    const ready = await emulator.line((message) => message.event === 'ready')
    const [mapping] = ready.mappings as { listen: string }[]
    const port = Number(mapping?.listen.split(':').at(-1))
    const roundTripsPerSecond = packetsPerSecond / 2
    await exchange(port, { perSecond: roundTripsPerSecond, forMs: SETTLE_MS })
    const load = { perSecond: roundTripsPerSecond, forMs: seconds * 1000, pid: emulator.pid }
    const through = await exchange(port, load)
    const direct = await exchange(target, { perSecond: roundTripsPerSecond, forMs: 2000 })
    const told = emulator.line((message) => message.event === 'summary')
    emulator.child.kill('SIGTERM')
    const summary = (await told) as unknown as EmulatorSummary
    const { down, up } = summary
    const own = down.lateness.p99Ms > up.lateness.p99Ms ? down.lateness : up.lateness
    return {
      packetsPerSecond: (through.count * 2000) / through.spanMs,
      scheduling: String(ready.scheduling),
      cpuShare: through.cpuShare,
      bareCpuShare,
      own,
      through: percentiles(through.histogram, 2 * delayMs),
      direct: percentiles(direct.histogram, 0),
      lost: through.lost,
    }
  } finally {
    await emulator.stop()
    echo.close()
  }
}

async function measureBare(target: number, options: MeasureOptions): Promise<number> {
  const { packetsPerSecond, seconds } = options
  const relay = startProcess({ args: ['bench/link/io/bare-relay.ts', String(target)] })
  try {
    const ready = await relay.line((message) => message.event === 'ready')
    const port = Number(ready.port)
    const load = { perSecond: packetsPerSecond / 2, forMs: SETTLE_MS }
    await exchange(port, load)
    const forMs = (seconds * 1000) / 2
    return (await exchange(port, { ...load, forMs, pid: relay.pid })).cpuShare
  } finally {
    await relay.stop()
  }
}

async function createEcho(): Promise<Socket> {
  const echo = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
  echo.on('message', (bytes, { port, address }) => echo.send(bytes, port, address))
  echo.bind(0, '127.0.0.1')
  await once(echo, 'listening')
  return echo
}

type Exchange = {
  histogram: Histogram
  count: number
  lost: number
  spanMs: number
  /** Of process `pid` while packets were sent. */
  cpuShare: number
}

/** Sends stamped packets evenly and takes the time of those that come back. */
async function exchange(
  port: number,
  { perSecond, forMs, pid }: { perSecond: number; forMs: number; pid?: number },
): Promise<Exchange> {
  const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 })
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const near = socket.address() as AddressInfo
  socket.on('message', (bytes) => {
    histogram.recordValue(Math.round((performance.now() - bytes.readDoubleBE(0)) * 1000))
  })
  const before = readUsage(pid ?? process.pid)
  const startMs = performance.now()
  let sent = 0
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - startMs
      const due = Math.floor((Math.min(elapsedMs, forMs) * perSecond) / 1000)
      for (; sent < due; sent += 1) {
        const bytes = Buffer.alloc(PAYLOAD_BYTES)
        bytes.writeDoubleBE(performance.now(), 0)
        socket.send(bytes, port, near.address)
      }
      if (elapsedMs < forMs) return
      clearInterval(timer)
      done()
    }, 1)
  })
  const spanMs = performance.now() - startMs
  const share = cpuShare(before, readUsage(pid ?? process.pid))
  // What is still on its way counts.
  await new Promise((resolve) => setTimeout(resolve, 500))
  socket.close()
  const lost = sent - histogram.totalCount
  return { histogram, count: sent, lost, spanMs, cpuShare: share }
}

function percentiles(histogram: Histogram, expectedMs: number): { p50Ms: number; p99Ms: number } {
  const at = (share: number): number => histogram.getValueAtPercentile(share) / 1000 - expectedMs
  return { p50Ms: at(50), p99Ms: at(99) }
}
