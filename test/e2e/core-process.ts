/** A real `./nhipcau core` or `relay` on free ports with a data folder of its own, ended with the test. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ExecutionContext } from 'ava'

export const ROOT = join(import.meta.dirname, '../..')
export const NHIPCAU = join(ROOT, 'nhipcau')

export type CoreProcess = {
  process: ChildProcess
  dataDir: string
  httpPort: number
  mediaPort: number
  url: string
  /** Parsed log lines so far; not JSON = `{ msg: line }`. */
  log: Record<string, unknown>[]
  /** Prints a token with `./nhipcau token`, beside the running core. */
  token: (claims: {
    room: string
    role: string
    site?: string
    name?: string
    ttl?: string
  }) => string
  /** SIGTERM and wait; resolves with the exit code. */
  stop: () => Promise<number | null>
}

export type CoreOptions = { env?: Record<string, string>; dataDir?: string; host?: string }

const READY_MS = 90_000
/** For one that hangs; how soon it ends is no matter of these tests. */
const STOP_MS = 60_000

export function startCore(
  t: ExecutionContext<unknown>,
  options: CoreOptions = {},
): Promise<CoreProcess> {
  return startNode(t, ['core'], options)
}

/**
 * A relay below a node that runs: enrolled by a code at its first start, by its key when `dataDir` is that of an
 * earlier one.
 */
export function startRelay(
  t: ExecutionContext<unknown>,
  upstream: CoreProcess,
  { name, ...options }: CoreOptions & { name: string },
): Promise<CoreProcess> {
  const known = options.dataDir !== undefined && existsSync(join(options.dataDir, 'upstream.json'))
  const url = `ws://localhost:${upstream.httpPort}`
  const args = known ? [] : ['--upstream', url, '--enrol', enrolmentCode(upstream.dataDir, name)]
  return startNode(t, ['relay', ...args, '--set', `node.name=${name}`], options)
}

function enrolmentCode(dataDir: string, name: string): string {
  const env = { ...process.env, NHIPCAU_DATA_DIR: dataDir }
  const printed = execFileSync(NHIPCAU, ['enrol', '--name', name], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return printed.split('\n')[0] ?? ''
}

async function startNode(
  t: ExecutionContext<unknown>,
  command: readonly string[],
  { env = {}, dataDir, host = 'localhost' }: CoreOptions,
): Promise<CoreProcess> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'nhipcau-core-'))
  const child = spawn(NHIPCAU, command, {
    cwd: ROOT,
    env: {
      ...process.env,
      NHIPCAU_TEST_SUITE: undefined,
      NHIPCAU_HTTP_PORT: '0',
      NHIPCAU_MEDIA_PORT: '0',
      NHIPCAU_TRUNK_PORT: '0',
      NHIPCAU_WORKERS: '1',
      NHIPCAU_DATA_DIR: folder,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log: CoreProcess['log'] = []
  const stop = () => stopProcess(child)
  t.teardown(async () => {
    await stop()
    if (dataDir === undefined) rmSync(folder, { recursive: true, force: true })
  })
  const ready = await readyLine(child, log)
  const httpPort = Number(ready.httpPort)
  const ports = log.find((entry) => Array.isArray(entry.ports))?.ports as number[]
  return {
    process: child,
    dataDir: folder,
    httpPort,
    mediaPort: ports[0] ?? 0,
    url: `http://${host}:${httpPort}`,
    log,
    stop,
    token: (claims) => issueToken(folder, claims),
  }
}

export function issueToken(
  dataDir: string,
  { room, role, site = 'Mường Nhé', name = role, ttl = '2h' }: Parameters<CoreProcess['token']>[0],
): string {
  const args = ['--room', room, '--role', role, '--site', site, '--name', name, '--ttl', ttl]
  const env = { ...process.env, NHIPCAU_DATA_DIR: dataDir }
  return execFileSync(NHIPCAU, ['token', '--raw', ...args], { env, encoding: 'utf8' }).trim()
}

async function stopProcess(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await gone
    clearTimeout(late)
  }
  return child.exitCode
}

function readyLine(child: ChildProcess, log: CoreProcess['log']): Promise<Record<string, unknown>> {
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('no output to read')
  const errors: string[] = []
  createInterface({ input: stderr }).on('line', (line) => errors.push(line))
  return new Promise((resolve, reject) => {
    const giveUp = setTimeout(() => reject(new Error(`not ready: ${errors.join('\n')}`)), READY_MS)
    child.once('exit', (code) => reject(new Error(`core ended (${code}): ${errors.join('\n')}`)))
    createInterface({ input: stdout }).on('line', (line) => {
      const entry = parseLine(line)
      log.push(entry)
      if (entry.event !== 'ready') return
      clearTimeout(giveUp)
      resolve(entry)
    })
  })
}

function parseLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line)
  } catch {
    return { msg: line }
  }
}
