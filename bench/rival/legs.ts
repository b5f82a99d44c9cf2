/**
 * Our core and Janus in turns, A B A B, in the same pair of namespaces under the same load: server on core 0, load on core 1. A
 * leg is one server from start to stop, joined and measured step by step by bench/forward.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { climb, type ForwardRow, type LoadSetup, type Stand } from '../forward/index.ts'
import { startProcess } from '../process/processes.ts'
import { startJanus } from './janus-server.ts'
import { createNamespacePair, type NamespacePair } from './namespace-pair.ts'

export type RivalServer = 'nhipcau' | 'janus'

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
}

/** What one leg saw, a row a step; `problem` where it could not go on. */
export type Leg = { server: RivalServer; round: number; rows: ForwardRow[]; problem?: string }

/** What a leg is run with. */
type Ground = { pair: NamespacePair; plan: LegsPlan; say: (text: string) => void }

const SERVER_CORE = 0
const LOAD_CORE = 1
const VIDEO_BPS = 150_000
const FRAMES_PER_SECOND = 25

/** Runs all legs; ends its processes and namespaces whatever happens. `onLeg` gets each as it ends. */
export async function runLegs(
  plan: LegsPlan,
  { say, onLeg }: { say: (text: string) => void; onLeg: (leg: Leg) => void },
): Promise<void> {
  const pair = createNamespacePair()
  try {
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const server of ['nhipcau', 'janus'] as const) {
        onLeg({ server, round, ...(await runLeg(server, { pair, plan, say })) })
      }
    }
  } finally {
    pair.close()
  }
}

async function runLeg(
  kind: RivalServer,
  { pair, plan, say }: Ground,
): Promise<Pick<Leg, 'rows' | 'problem'>> {
  const server = await (kind === 'janus' ? startRival(pair, plan) : startOurs(pair))
  const load = startProcess({
    args: ['bench/forward/load-process.ts'],
    core: LOAD_CORE,
    prefix: pair.load.enter,
  })
  try {
    await load.ask({ ...server.setup, niceness: 0 } satisfies LoadSetup)
    const stand: Stand = { kind, server, load, setup: server.setup }
    const options = { ...plan, baselineReceivers: 0, storm: 0 }
    return { rows: (await climb(stand, options, say)).rows }
  } catch (error) {
    return { rows: [], problem: (error as Error).message }
  } finally {
    await load.stop()
    await server.stop()
  }
}

type StartedServer = { pid: number; setup: Stand['setup']; stop: () => Promise<void> }

const MEDIA = { videoBps: VIDEO_BPS, framesPerSecond: FRAMES_PER_SECOND }

async function startOurs({ server: side }: NamespacePair): Promise<StartedServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-rival-'))
  const env = {
    NHIPCAU_HTTP_PORT: '0',
    NHIPCAU_HTTP_HOST: side.address,
    NHIPCAU_MEDIA_PORT: '0',
    NHIPCAU_WORKERS: '1',
    NHIPCAU_ANNOUNCED_IPS: side.address,
    NHIPCAU_DATA_DIR: dataDir,
    NHIPCAU_LOG_LEVEL: 'info',
  }
  const args = ['./nhipcau', 'core']
  const core = startProcess({ args, core: SERVER_CORE, env, prefix: side.enter })
  const stop = async (): Promise<void> => {
    await core.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    const ready = await core.line(({ event }) => event === 'ready')
    const doorUrl = `ws://${side.address}:${ready.httpPort}/ws`
    return { pid: core.pid, setup: { ...MEDIA, doorUrl, dataDir, room: 'bench' }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startRival(
  { server: side }: NamespacePair,
  { eventLoops }: LegsPlan,
): Promise<StartedServer> {
  const janus = await startJanus({ side, eventLoops, core: SERVER_CORE })
  const { pid, doorUrl, room, stop, folder } = janus
  const setup = { ...MEDIA, doorUrl, dataDir: folder, room: String(room), isJanus: true }
  return { pid, setup, stop }
}
