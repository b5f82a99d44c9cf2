/** A Janus of Debian's package as a process of its own, with a configuration folder that goes with it. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProcess } from '../process/processes.ts'
import { JANUS_LIBRARIES, janusConfiguration } from './janus-config.ts'
import type { NamespaceSide } from './namespace-pair.ts'

export type JanusServer = {
  pid: number
  /** `ws://address:port/`, for JanusDoor. */
  doorUrl: string
  room: number

  /** Ends it and removes its folder; idempotent. */
  stop: () => Promise<void>
}

export type JanusOptions = {
  side: NamespaceSide
  eventLoops: number
  /** Added to its environment. */
  env: Readonly<Record<string, string>>
  /** A folder that is there, for its configuration. */
  parentFolder: string
  /** CPU core that all its threads are pinned to; undefined: wherever the kernel likes. */
  core?: number
}

const WEB_SOCKET_PORT = 8188
const ROOM = 1
const READY_MS_MAX = 15_000
const POLL_MS = 50
const LISTENING = '0A'

/** Why no Janus can be started here; undefined when it can. */
export function whyNoJanus(): string | undefined {
  try {
    execFileSync('janus', ['--help'], { stdio: 'ignore' })
  } catch {
    return 'Janus is missing (Debian: apt-get install janus)'
  }
  if (librariesFolder() === undefined) return 'the libraries of Janus are not in /usr/lib/*/janus'
  return undefined
}

/** Starts it inside `side` and resolves when it takes connections; rejects when it ends before, leaving nothing. */
export async function startJanus(options: JanusOptions): Promise<JanusServer> {
  const { side, eventLoops, env, parentFolder, core } = options
  const folder = mkdtempSync(join(parentFolder, 'janus-'))
  const setup = { address: side.address, webSocketPort: WEB_SOCKET_PORT, eventLoops, room: ROOM }
  writeFolder(folder, janusConfiguration(setup, folder))
  // A socket for each site: Node has raised its own limit of open files to the hard one, and its children inherit it.
  const pinned = core === undefined ? {} : { core }
  const args = ['janus', '-F', folder]
  const child = startProcess({ args, prefix: side.enter, env, ...pinned })
  const stop = async (): Promise<void> => {
    await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  // What it says is for its own log; unread, the pipe would fill and stop it.
  child.child.stdout?.resume()
  try {
    await listening(child.pid, WEB_SOCKET_PORT)
  } catch (error) {
    await stop()
    throw error
  }
  const doorUrl = `ws://${side.address}:${WEB_SOCKET_PORT}/`
  return { pid: child.pid, doorUrl, room: ROOM, stop }
}

function writeFolder(folder: string, files: Record<string, string>): void {
  for (const name of ['plugins', 'transports', 'events', 'loggers']) mkdirSync(join(folder, name))
  for (const [kind, library] of Object.entries(JANUS_LIBRARIES))
    symlinkSync(join(librariesFolder() ?? '', kind, library), join(folder, kind, library))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

/** Debian puts libraries into a folder by architecture. */
function librariesFolder(): string | undefined {
  return ['x86_64', 'aarch64']
    .map((machine) => `/usr/lib/${machine}-linux-gnu/janus`)
    .find((folder) => existsSync(folder))
}

/** The kernel's table of the namespace that the process lives in: no connection is made that Janus would count. */
async function listening(pid: number, port: number): Promise<void> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const endMs = performance.now() + READY_MS_MAX
  while (performance.now() < endMs) {
    await sleep(POLL_MS)
    if (!existsSync(`/proc/${pid}/net/tcp`)) throw new Error('Janus ended before it was ready')
    const sockets = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)
    const isUp = sockets.some((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/)
      return local.endsWith(wanted) && state === LISTENING
    })
    if (isUp) return
  }
  throw new Error(`Janus did not listen within ${READY_MS_MAX / 1000} s`)
}
