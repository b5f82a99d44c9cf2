/** The processes of one measurement, each on a core of its own, and their lines of JSON. */
import { type ChildProcess, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

export const ROOT = join(import.meta.dirname, '../..')

/** A child that speaks JSON lines. */
export type JsonProcess = {
  child: ChildProcess
  pid: number
  /** Resolves with the next line that `accept` takes; rejects when the process ends first. */
  line: (accept?: (message: Record<string, unknown>) => boolean) => Promise<Record<string, unknown>>
  /** Writes one line and resolves with the next one that comes back; an `error` in it rejects. */
  ask: (message: object) => Promise<Record<string, unknown>>
  stop: () => Promise<void>
}

/** Without `core` it runs where it can. `prefix` stands in front of it (`ip netns exec NAME`) and must become it. */
export type JsonProcessOptions = {
  args: readonly string[]
  core?: number
  env?: Readonly<Record<string, string>>
  prefix?: readonly string[]
}

/**
 * Starts `args` on core number `core` (with `taskset`, where there is more than one): a `.ts` file under this Node,
 * or a program such as `./nhipcau`, which must end up as the process that was started.
 */
export function startProcess({
  args,
  core,
  env = {},
  prefix = [],
}: JsonProcessOptions): JsonProcess {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning']
  const command = [...prefix, ...(args[0]?.endsWith('.ts') ? node : []), ...args]
  const isPinned = core !== undefined && availableParallelism() > 1
  const pinned = isPinned ? ['taskset', '-c', String(core), ...command] : command
  const child = spawn(pinned[0] as string, pinned.slice(1), {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  let isClosed = false
  child.once('close', () => {
    isClosed = true
  })
  // Whoever ended reads no more: that is said by `line`, not by a broken pipe.
  child.stdin?.on('error', () => {})
  const line: JsonProcess['line'] = async (accept = () => true) => {
    if (isClosed) throw new Error(`process ended with ${child.exitCode ?? child.signalCode}`)
    return await nextLine(child, lines, accept)
  }
  return {
    child,
    pid: child.pid ?? 0,
    line,
    ask: async (message) => {
      const answer = line()
      child.stdin?.write(`${JSON.stringify(message)}\n`)
      const told = await answer
      if (typeof told.error === 'string') throw new Error(told.error)
      return told
    },
    stop: () => stop(child),
  }
}

function nextLine(
  child: ChildProcess,
  lines: Interface,
  accept: (message: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const onLine = (text: string): void => {
      if (!text.startsWith('{')) return
      const message = JSON.parse(text) as Record<string, unknown>
      if (!accept(message)) return
      done()
      resolve(message)
    }
    const onExit = (code: number | null): void => {
      done()
      reject(new Error(`process ended with ${code}`))
    }
    const done = (): void => {
      lines.off('line', onLine)
      child.off('close', onExit)
    }
    lines.on('line', onLine)
    // Not 'exit': the last lines may still be in the pipe then.
    child.on('close', onExit)
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(late)
}
