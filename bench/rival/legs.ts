/**
 * Our core and Janus in turns, A B A B, in the same pair of namespaces under the same load: server on core 0, load on
 * core 1. A leg is one server from start to stop, joined and measured step by step by bench/forward. What the legs
 * say together is figures.ts.
 */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { climb, type ForwardRow, type LoadSetup, type Stand } from '../forward/index.ts'
import { startProcess } from '../process/processes.ts'
import { startJanus } from './janus-server.ts'
import { createNamespacePair, type NamespacePair } from './namespace-pair.ts'

export type RivalServer = 'nhipcau' | 'janus'

/** Ours first. */
export const SERVERS: readonly RivalServer[] = ['nhipcau', 'janus']

export type LegsPlan = {
  /** Steps of N, ascending. */
  receivers: number[]
  /** Measured time of each step. */
  seconds: number
  /** Legs of each server. */
  rounds: number
  /** Joins under way at once. */
  parallel: number
  /** Of Janus. */
  eventLoops: number
  videoBps: number
  framesPerSecond: number
}

/** What one leg saw, a row a step; `problem` where it could not go on. */
export type Leg = { server: RivalServer; round: number; rows: ForwardRow[]; problem?: string }

/** A process of the leg under way. */
export type LegProcess = { id: string; role: 'node' | 'load'; pid: number }

/** What a run of legs is done with. */
export type LegsGround = {
  say: (text: string) => void
  onLeg: (leg: Leg) => void
  /** The processes of the leg under way, whenever one was started; none when it ends. */
  onProcesses: (processes: LegProcess[]) => void
  /** Our server's program. */
  program: string
  /** Added to the environment of every process. */
  env: Readonly<Record<string, string>>
  /** A folder that is there, for what the servers write. */
  folder: string
  /** Called with the name of a namespace before it is made. */
  track: (namespace: string) => void
  /** Ends the run with the legs that are done, and the one under way as a problem. */
  signal: AbortSignal
}

const SERVER_CORE = 0
const LOAD_CORE = 1

/** Runs all legs; ends its processes and namespaces whatever happens. */
export async function runLegs(plan: LegsPlan, ground: LegsGround): Promise<void> {
  const pair = createNamespacePair(ground.track)
  try {
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const server of SERVERS) {
        if (ground.signal.aborted) return
        const onServer = (pid: number): void =>
          ground.onProcesses([{ id: `${server}-${round}`, role: 'node', pid }])
        ground.onLeg(await runLeg({ server, round }, { plan, pair, ground, onServer }))
      }
    }
  } finally {
    pair.close()
  }
}

type Surroundings = {
  plan: LegsPlan
  pair: NamespacePair
  ground: LegsGround
  /** A server has been started; it is not ready yet. */
  onServer: (pid: number) => void
}

async function runLeg(which: Pick<Leg, 'server' | 'round'>, around: Surroundings): Promise<Leg> {
  const { plan, ground, pair } = around
  const name = `${which.server}-${which.round}`
  const say = (text: string): void => ground.say(`round ${which.round} of ${plan.rounds}, ${text}`)
  const server = await (which.server === 'janus' ? startRival(around) : startOurs(around))
  const load = startProcess({
    args: ['bench/forward/load-process.ts'],
    core: LOAD_CORE,
    env: { ...ground.env, NHIPCAU_BENCH_SEATS: pair.load.seats },
    prefix: pair.load.enter,
  })
  const cutShort = (): void => void load.stop()
  ground.signal.addEventListener('abort', cutShort)
  ground.onProcesses([
    { id: name, role: 'node', pid: server.pid },
    { id: `load.${name}`, role: 'load', pid: load.pid },
  ])
  try {
    await load.ask({ ...server.setup, niceness: 0 } satisfies LoadSetup)
    const stand: Stand = { kind: which.server, server, load, setup: server.setup }
    const options = { ...plan, baselineReceivers: 0, storm: 0 }
    return { ...which, rows: (await climb(stand, options, say)).rows }
  } catch (error) {
    return { ...which, rows: [], problem: (error as Error).message }
  } finally {
    ground.signal.removeEventListener('abort', cutShort)
    ground.onProcesses([])
    await load.stop()
    await server.stop()
  }
}

type StartedServer = { pid: number; setup: Stand['setup']; stop: () => Promise<void> }

async function startOurs({ plan, pair, ground, onServer }: Surroundings): Promise<StartedServer> {
  const { enter, address } = pair.server
  const dataDir = mkdtempSync(join(ground.folder, 'core-'))
  const env = {
    ...ground.env,
    NHIPCAU_HTTP_PORT: '0',
    NHIPCAU_HTTP_HOST: address,
    NHIPCAU_MEDIA_PORT: '0',
    NHIPCAU_WORKERS: '1',
    NHIPCAU_ANNOUNCED_IPS: address,
    NHIPCAU_DATA_DIR: dataDir,
    NHIPCAU_LOG_LEVEL: 'info',
  }
  const core = startProcess({
    args: [ground.program, 'core'],
    core: SERVER_CORE,
    env,
    prefix: enter,
  })
  const { stop, pid } = core
  onServer(pid)
  try {
    const ready = await core.line(({ event }) => event === 'ready')
    const doorUrl = `ws://${address}:${ready.httpPort}/ws`
    return { pid, setup: { ...mediaOf(plan), doorUrl, dataDir, room: 'bench' }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startRival({ plan, pair, ground, onServer }: Surroundings): Promise<StartedServer> {
  const { pid, doorUrl, room, stop } = await startJanus({
    side: pair.server,
    eventLoops: plan.eventLoops,
    env: ground.env,
    parentFolder: ground.folder,
    core: SERVER_CORE,
  })
  onServer(pid)
  // Janus asks for no tokens; the load reads keys all the same.
  const dataDir = mkdtempSync(join(ground.folder, 'keys-'))
  const setup = { ...mediaOf(plan), doorUrl, dataDir, room: String(room), isJanus: true }
  return { pid, setup, stop }
}

function mediaOf({ videoBps, framesPerSecond }: LegsPlan) {
  return { videoBps, framesPerSecond }
}
