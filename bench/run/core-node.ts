/** A `./nhipcau core` as a node of a run: its own data folder, ports that it comes back on, everything on 127.0.0.1. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Child, endText } from '../process/child.ts'
import type { NodeStart, RunningNode } from './node.ts'
import { findPorts } from './ports.ts'

export type CoreStart = NodeStart & {
  kind: 'core' | 'relay'
  /** `./nhipcau`, or another build's: a program or a `.ts` file under `cwd`. */
  program: string
  cwd: string
  /** `--set` of each. */
  config: Readonly<Record<string, string>>
  /** An end that nobody asked for. */
  onLost: (why: string) => void
  /** Aborted: nobody waits for it any more. */
  signal: AbortSignal
}

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
  const [httpPort = 0, mediaPort = 0] = await findPorts(2)
  const dataDir = dataFolderOf(options.folder)
  mkdirSync(dataDir, { recursive: true })
  const pageUrl = `http://${LOCAL}:${httpPort}`
  const env = {
    ...options.env,
    NHIPCAU_HTTP_PORT: String(httpPort),
    NHIPCAU_HTTP_HOST: LOCAL,
    NHIPCAU_MEDIA_PORT: String(mediaPort),
    NHIPCAU_WORKERS: '1',
    NHIPCAU_ANNOUNCED_IPS: LOCAL,
    NHIPCAU_DATA_DIR: dataDir,
    NHIPCAU_LOG_LEVEL: 'info',
  }
  const settings = Object.entries(options.config).flatMap(([key, value]) => [
    '--set',
    `${key}=${value}`,
  ])
  let child: Child
  let isAsked = false
  const start = async (): Promise<void> => {
    isAsked = false
    const started: Child = new Child({
      id: options.id,
      args: [options.program, options.kind, ...settings],
      cores: options.cores,
      cwd: options.cwd,
      env,
      logFile: options.logFile,
      onMessage: (message) => started.note(JSON.stringify(message)),
    })
    child = started
    void started.ended.then((end) => {
      if (!isAsked && child === started)
        options.onLost(`${options.id} ${endText(end)}:\n${started.tail()}`)
    })
    await untilReady(started, pageUrl, options.signal)
  }
  await start()
  return {
    id: options.id,
    kind: options.kind,
    processes: () => (child.isRunning ? [{ id: options.id, pid: child.pid }] : []),
    doorUrl: `ws://${LOCAL}:${httpPort}/ws`,
    pageUrl,
    media: { address: LOCAL, port: mediaPort },
    dataDir,
    metricsUrl: `${pageUrl}/metrics`,
    signal: (name) => {
      if (name === 'SIGKILL' || name === 'SIGTERM') isAsked = true
      child.signal(name)
    },
    restart: async () => {
      isAsked = true
      await child.kill()
      await start()
    },
    stop: async () => {
      isAsked = true
      await child.stop()
    },
  }
}

async function untilReady(child: Child, pageUrl: string, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + READY_MS_MAX
  while (child.isRunning && !signal.aborted && performance.now() < endMs) {
    if (await isReady(pageUrl)) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  const why = child.isRunning
    ? `was not ready after ${READY_MS_MAX / 1000} s`
    : 'ended at its start'
  await child.kill()
  throw new Error(`${child.id} ${why}:\n${child.tail()}`)
}

async function isReady(pageUrl: string): Promise<boolean> {
  try {
    const answer = await fetch(`${pageUrl}/readyz`, { signal: AbortSignal.timeout(2_000) })
    await answer.body?.cancel()
    return answer.ok
  } catch {
    return false
  }
}
