/**
 * A `./nhipcau core` or `relay` as a node of a run: its own data folder, ports that it comes back on, everything on
 * 127.0.0.1.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Child, endText } from '../process/child.ts'
import { parseGauges } from './exposition.ts'
import type { NodeStart, RunningNode } from './node.ts'
import { findPorts } from './ports.ts'

export type CoreStart = NodeStart & {
  kind: 'core' | 'relay'
  /** `./nhipcau`, or another build's: a program or a `.ts` file under `cwd`. */
  program: string
  cwd: string
  /** `--set` of each. */
  config: Readonly<Record<string, string>>
  /** Relays. */
  upstream?: UpstreamWay
  /** An end that nobody asked for. */
  onLost: (why: string) => void
  /** Aborted: nobody waits for it any more. */
  signal: AbortSignal
}

/** How a relay comes to the node above: `code` is used once, `mediaPort` where a line stands in between. */
export type UpstreamWay = { url: string; code: string; mediaPort?: number }

const LOCAL = '127.0.0.1'
const READY_MS_MAX = 60_000
const POLL_MS = 50
const DATA = 'data'

/** Where the data of a node lies in its folder. */
export function dataFolderOf(folder: string): string {
  return join(folder, DATA)
}

/** Resolves when it takes joins. Throws with its last words when it does not come up; nothing is left running then. */
export async function startCore(options: CoreStart): Promise<RunningNode> {
  const { id, folder, upstream } = options
  const [httpPort = 0, mediaPort = 0, trunkPort = 0] = await findPorts(3)
  const dataDir = dataFolderOf(folder)
  mkdirSync(dataDir, { recursive: true })
  const pageUrl = `http://${LOCAL}:${httpPort}`
  const metricsUrl = `${pageUrl}/metrics`
  const env = {
    ...options.env,
    NHIPCAU_NODE_NAME: id,
    NHIPCAU_HTTP_PORT: String(httpPort),
    NHIPCAU_HTTP_HOST: LOCAL,
    NHIPCAU_MEDIA_PORT: String(mediaPort),
    NHIPCAU_WORKERS: '1',
    NHIPCAU_ANNOUNCED_IPS: LOCAL,
    NHIPCAU_DATA_DIR: dataDir,
    NHIPCAU_LOG_LEVEL: 'info',
    ...trunkEnv(options, trunkPort),
  }
  let child: Child
  let isAsked = false
  const start = async (way: readonly string[]): Promise<void> => {
    isAsked = false
    const started: Child = new Child({
      id,
      args: [options.program, options.kind, ...way, ...settingsOf(options)],
      cores: options.cores,
      cwd: options.cwd,
      env,
      logFile: options.logFile,
      onMessage: (message) => started.note(JSON.stringify(message)),
    })
    child = started
    void started.ended.then((end) => {
      if (!isAsked && child === started) options.onLost(`${id} ${endText(end)}:\n${started.tail()}`)
    })
    await until(() => isReady(pageUrl), started, options.signal)
  }
  if (upstream === undefined) await start([])
  else {
    await start(['--upstream', upstream.url, '--enrol', upstream.code])
    await until(() => hasTrunk(metricsUrl), child!, options.signal)
  }
  return {
    id,
    kind: options.kind,
    processes: () => (child.isRunning ? [{ id, pid: child.pid }] : []),
    doorUrl: `ws://${LOCAL}:${httpPort}/ws`,
    pageUrl,
    media: { address: LOCAL, port: mediaPort },
    trunk: { address: LOCAL, port: trunkPort },
    enrol: (name) => enrol(name, { ...options, env }),
    dataDir,
    metricsUrl,
    signal: (name) => {
      if (name === 'SIGKILL' || name === 'SIGTERM') isAsked = true
      child.signal(name)
    },
    restart: async () => {
      isAsked = true
      await child.kill()
      await start([])
    },
    stop: async () => {
      isAsked = true
      await child.stop()
    },
  }
}

/** `--set` of each. */
function settingsOf({ config }: CoreStart): string[] {
  return Object.entries(config).flatMap(([key, value]) => ['--set', `${key}=${value}`])
}

/** A build from before there were trunks refuses what it does not know. */
function trunkEnv({ cwd, upstream }: CoreStart, trunkPort: number): Record<string, string> {
  if (!existsSync(join(cwd, 'relay/io/open-trunks.ts'))) return {}
  return {
    NHIPCAU_TRUNK_PORT: String(trunkPort),
    NHIPCAU_TRUNK_UPSTREAM_PORT: String(upstream?.mediaPort ?? 0),
  }
}

/** Asks the command line on the node's data folder, beside the node. */
async function enrol(name: string, options: CoreStart): Promise<string> {
  const { id, program, cwd, env, logFile } = options
  const child = new Child({
    id: `enrol.${name}`,
    args: [program, 'enrol', '--name', name, ...settingsOf(options)],
    cores: [],
    cwd,
    env,
    logFile: logFile.replace(/\.log$/, '.enrol.log'),
    onMessage: () => {},
  })
  const end = await child.ended
  const code = /--enrol (\S+)/.exec(child.tail())?.[1]
  if (end.code === 0 && code !== undefined) return code
  throw new Error(`${name} cannot hang on ${id}: enrol ${endText(end)}:\n${child.tail()}`)
}

async function until(
  isSo: () => Promise<boolean>,
  child: Child,
  signal: AbortSignal,
): Promise<void> {
  const endMs = performance.now() + READY_MS_MAX
  while (child.isRunning && !signal.aborted && performance.now() < endMs) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  const why = child.isRunning
    ? `was not ready after ${READY_MS_MAX / 1000} s`
    : 'ended at its start'
  await child.kill()
  throw new Error(`${child.id} ${why}:\n${child.tail()}`)
}

/** A relay is ready with its link upwards: what comes before it belongs to no run. */
async function hasTrunk(metricsUrl: string): Promise<boolean> {
  const text = await textOf(metricsUrl)
  return text !== undefined && (parseGauges(text).get('nhipcau_trunk_flows') ?? 0) > 0
}

async function isReady(pageUrl: string): Promise<boolean> {
  return (await textOf(`${pageUrl}/readyz`)) !== undefined
}

async function textOf(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    const text = await answer.text()
    return answer.ok ? text : undefined
  } catch {
    return undefined
  }
}
