/**
 * `bench forward`: one publisher (Opus 50 packets/s, video 150 kbit/s at 25 frames/s) to N real
 * DTLS-SRTP receivers, the server on one core, the load on the other. Prints packets per
 * CPU-second, added latency, loss and memory per receiver; the same for naive forwarding through
 * werift; and both as ratios, from one run.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuShare, readMachineUsage, readUsage } from '../process/accounting.ts'
import { type JsonProcess, startProcess } from '../process/processes.ts'
import type { BareCommand, BareMeasure } from './bare-send.ts'
import type { JoinMeasure, LoadMeasure, LoadSetup } from './load-process.ts'

export type ForwardOptions = {
  /** Steps of N, ascending; each is measured. */
  receivers: number[]
  seconds: number
  /** Receivers of the werift baseline; 0 = leave it out. */
  baselineReceivers: number
  /** Joins as fast as they come, after the last step; 0 = none. */
  storm: number
  parallel: number
}

/** One measured step of one server. */
export type ForwardRow = {
  server: 'nhipcau' | 'werift' | 'janus'
  /** Planned to be in by this step, and in. */
  step: number
  receivers: number
  /** When the measuring ended, Unix time. */
  atMs: number
  /** What was counted, to be put together with other rows: ratios and percentiles are not averaged. */
  counted: {
    packets: number
    expected: number
    /** By the publisher, in `seconds`. */
    published: number
    seconds: number
    cpuSeconds: number
    latency: string
  }
  packetsPerSecond: number
  cpuShare: number
  packetsPerCpuSecond: number
  latencyMs: LoadMeasure['latencyMs']
  lossRatio: number
  samples: number
  bytesPerReceiver: number
  loadCpuShare: number
  /** Cores that neither server nor load used but others did, or the host took; 0 on a quiet machine. */
  othersCores: number
  joins: JoinMeasure
}

export type StormRow = {
  before: number
  joined: number
  failed: number
  joinsPerSecond: number
  latencyMs: LoadMeasure['latencyMs']
  lossRatio: number
}

/** What a core of this machine sends at all: `bare-send.ts`. */
export type BareRow = { receivers: number; packetsPerCpuSecond: number }

export type ForwardReport = {
  rows: ForwardRow[]
  storm: StormRow | undefined
  bare?: BareRow
}

const VIDEO_BPS = 150_000
const FRAMES_PER_SECOND = 25
/** Opus 50 packets a second, and one packet a frame. */
const PACKETS_PER_SECOND = 50 + FRAMES_PER_SECOND
const CATCH_UP_SECONDS_MAX = 20
const SETTLE_MS = 2000
const CROWD_NICENESS = 5
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

type Say = (text: string) => void

/** Runs all of it; `say` gets progress. Ends its processes whatever happens. */
export async function measureForward(options: ForwardOptions, say: Say): Promise<ForwardReport> {
  const ours = await withServer('nhipcau', (stand) => climb(stand, options, say))
  const { baselineReceivers } = options
  if (baselineReceivers === 0) return ours
  const steps = { ...options, receivers: [baselineReceivers], storm: 0 }
  const naive = await withServer('werift', (stand) => climb(stand, steps, say))
  return { rows: [...ours.rows, ...naive.rows], storm: ours.storm }
}

/** Bare sends to so many sockets, on the cores where server and load run otherwise. */
export async function measureBare(receivers: number, seconds: number): Promise<BareRow> {
  const args = ['bench/forward/bare-send.ts']
  const sender = startProcess({ args, core: 0 })
  const sink = startProcess({ args, core: 1 })
  try {
    const { ports } = await sink.ask({ op: 'open', count: receivers } satisfies BareCommand)
    const command = { op: 'send', ports: ports as number[], seconds } satisfies BareCommand
    const seen = (await sender.ask(command)) as unknown as BareMeasure
    return { receivers, packetsPerCpuSecond: seen.packets / seen.cpuSeconds }
  } finally {
    await sender.stop()
    await sink.stop()
  }
}

/** A server that takes joins, and its load process, already set up. */
export type Stand = {
  kind: ForwardRow['server']
  server: Pick<JsonProcess, 'pid'>
  load: JsonProcess
  setup: Omit<LoadSetup, 'niceness'>
}

async function withServer<T>(
  kind: ForwardRow['server'],
  work: (stand: Stand) => Promise<T>,
): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-bench-'))
  const env = {
    NHIPCAU_HTTP_PORT: '0',
    NHIPCAU_HTTP_HOST: '127.0.0.1',
    NHIPCAU_MEDIA_PORT: '0',
    NHIPCAU_WORKERS: '1',
    NHIPCAU_ANNOUNCED_IPS: '127.0.0.1',
    NHIPCAU_DATA_DIR: dataDir,
    NHIPCAU_LOG_LEVEL: 'info',
  }
  const args = kind === 'nhipcau' ? ['./nhipcau', 'core'] : ['bench/forward/werift-server.ts']
  const server = startProcess({ args, core: 0, env })
  const load = startProcess({ args: ['bench/forward/load-process.ts'], core: 1 })
  try {
    const ready = await server.line((message) => message.event === 'ready')
    const setup = {
      doorUrl: `ws://127.0.0.1:${ready.httpPort}/ws`,
      dataDir,
      room: 'bench',
      videoBps: VIDEO_BPS,
      framesPerSecond: FRAMES_PER_SECOND,
    }
    await load.ask({ ...setup, niceness: 0 } satisfies LoadSetup)
    return await work({ kind, server, load, setup })
  } finally {
    await load.stop()
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Waits while more arrives than is sent: what joining had put off. It is a join's latency, not a packet's. */
async function caughtUp(load: JsonProcess, receivers: number): Promise<void> {
  for (let second = 0; second < CATCH_UP_SECONDS_MAX; second += 1) {
    const { packets, seconds } = (await load.ask({ op: 'measure', seconds: 1 })) as LoadMeasure
    if (packets / seconds < receivers * PACKETS_PER_SECOND * 1.02) return
  }
}

/** Joins and measures step by step, then brews the storm. */
export async function climb(
  stand: Stand,
  options: ForwardOptions,
  say: Say,
): Promise<ForwardReport> {
  const { kind, server, load } = stand
  await load.ask({ op: 'publish' })
  await sleep(SETTLE_MS)
  const emptyBytes = readUsage(server.pid).residentBytes
  const rows: ForwardRow[] = []
  let present = 0
  for (const receivers of options.receivers) {
    say(`${kind}: joining ${receivers - present} receivers`)
    const command = { op: 'join', count: receivers - present, parallel: options.parallel }
    const joins = (await load.ask(command)) as unknown as JoinMeasure
    present += joins.joined
    if (joins.failed > 0) say(`${kind}: ${joins.failed} failed: ${joins.whyFailed.join('; ')}`)
    await sleep(SETTLE_MS)
    await caughtUp(load, present)
    say(
      `${kind}: ${present} in, ${(joins.joined / joins.seconds).toFixed(0)} joins/s; measuring ${options.seconds} s`,
    )
    const { seconds } = options
    rows.push(await measure(stand, { step: receivers, joins, emptyBytes, seconds }))
  }
  return { rows, storm: options.storm > 0 ? await brew(stand, options, say) : undefined }
}

async function measure(
  { kind, server, load }: Stand,
  {
    step,
    joins,
    emptyBytes,
    seconds,
  }: { step: number; joins: JoinMeasure; emptyBytes: number; seconds: number },
): Promise<ForwardRow> {
  const machineBefore = readMachineUsage()
  const serverBefore = readUsage(server.pid)
  const loadBefore = readUsage(load.pid)
  const seen = (await load.ask({ op: 'measure', seconds })) as unknown as LoadMeasure
  const serverAfter = readUsage(server.pid)
  const loadAfter = readUsage(load.pid)
  const machineAfter = readMachineUsage()
  const cpuSeconds = serverAfter.cpuSeconds - serverBefore.cpuSeconds
  const elapsedS = (machineAfter.atMs - machineBefore.atMs) / 1000
  const loadSeconds = loadAfter.cpuSeconds - loadBefore.cpuSeconds
  const othersSeconds =
    machineAfter.busySeconds - machineBefore.busySeconds - cpuSeconds - loadSeconds
  return {
    server: kind,
    step,
    receivers: seen.receivers,
    atMs: Date.now(),
    counted: {
      packets: seen.packets,
      expected: seen.expected,
      published: seen.published,
      seconds: seen.seconds,
      cpuSeconds,
      latency: seen.latencyEncoded,
    },
    packetsPerSecond: seen.packets / seen.seconds,
    cpuShare: cpuShare(serverBefore, serverAfter),
    packetsPerCpuSecond: seen.packets / cpuSeconds,
    latencyMs: seen.latencyMs,
    lossRatio: seen.lost / Math.max(1, seen.expected),
    samples: seen.samples,
    bytesPerReceiver: (serverAfter.residentBytes - emptyBytes) / Math.max(1, seen.receivers),
    loadCpuShare: cpuShare(loadBefore, loadAfter),
    othersCores: Math.max(0, othersSeconds / elapsedS),
    joins,
  }
}

/**
 * The crowd comes from a process of its own, behind the first one on their core: otherwise those
 * already in would be timed by a thread that is busy with the handshakes of the others.
 */
async function brew({ load, setup }: Stand, options: ForwardOptions, say: Say): Promise<StormRow> {
  say(`storm: ${options.storm} more joins, as fast as they come`)
  const crowd = startProcess({ args: ['bench/forward/load-process.ts'], core: 1 })
  let seen: LoadMeasure
  let joins: JoinMeasure
  try {
    await crowd.ask({ ...setup, niceness: CROWD_NICENESS } satisfies LoadSetup)
    await load.ask({ op: 'watch' })
    const command = { op: 'join', count: options.storm, parallel: options.parallel }
    joins = (await crowd.ask(command)) as unknown as JoinMeasure
    seen = (await load.ask({ op: 'seen' })) as unknown as LoadMeasure
  } finally {
    await crowd.stop()
  }
  return {
    before: seen.receivers,
    joined: joins.joined,
    failed: joins.failed,
    joinsPerSecond: joins.joined / joins.seconds,
    latencyMs: seen.latencyMs,
    lossRatio: seen.lost / Math.max(1, seen.expected),
  }
}
