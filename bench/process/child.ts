/**
 * A process of a run: pinned, in a session of its own (so that a Ctrl-C of the terminal reaches the runner alone),
 * ended by the kernel when the runner dies, and heard line by line from its first on. For a measurement that asks and
 * waits see processes.ts.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { BENCH_LOG_BYTES_MAX } from '../../config/limits.ts'
import { ROOT } from './processes.ts'

export type ChildOptions = {
  id: string
  /** A `.ts` file and its arguments, run by this Node, or a program that ends up as the process that was started. */
  args: readonly string[]
  /** Where it may run; empty: anywhere. */
  cores: readonly number[]
  env: Readonly<Record<string, string>>
  cwd?: string
  /** In front of all (`ip netns exec NAME`); it must end up as the process that was started, too. */
  prefix?: readonly string[]
  /** What it says besides JSON, and all of its standard error. */
  logFile: string
  /** Each line of standard output that is a JSON object. */
  onMessage: (message: Record<string, unknown>) => void
}

/** How a process came to its end. */
export type ChildEnd = { code: number | null; signal: NodeJS.Signals | null }

const STOP_MS = 8_000
const TAIL_LINES = 12

/** A started process. */
export class Child {
  readonly id: string
  readonly pid: number
  /** Resolves at its end; never rejects. */
  readonly ended: Promise<ChildEnd>
  readonly #process: ChildProcess
  readonly #log: ChildLog
  #end: ChildEnd | undefined

  /** Starts it. A program that is not there shows as an end with code 127. */
  constructor(options: ChildOptions) {
    this.id = options.id
    this.#log = new ChildLog(options.logFile)
    const command = commandOf(options)
    this.#process = spawn(command[0] as string, command.slice(1), {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    this.pid = this.#process.pid ?? 0
    const { stdin, stdout, stderr } = this.#process
    // Whoever ended reads no more: that is said by `ended`, not by a broken pipe.
    stdin?.on('error', () => {})
    createInterface({ input: stdout as Readable }).on('line', (line) => {
      const message = line.startsWith('{') ? parsed(line) : undefined
      if (message === undefined) this.#log.write(line)
      else options.onMessage(message)
    })
    createInterface({ input: stderr as Readable }).on('line', (line) => this.#log.write(line))
    this.ended = new Promise((resolve) => {
      const end = (it: ChildEnd): void => {
        this.#end = it
        this.#log.close()
        resolve(it)
      }
      this.#process.once('error', () => end({ code: 127, signal: null }))
      // Not 'exit': the last lines may still be in the pipe then.
      this.#process.once('close', (code, signal) => end({ code, signal }))
    })
  }

  get isRunning(): boolean {
    return this.#end === undefined
  }

  /** One line of JSON to its standard input. */
  send(message: object): void {
    this.#process.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  /** Writes a line into its log, with the rest of what it said. */
  note(line: string): void {
    this.#log.write(line)
  }

  /** Its last lines that were not JSON, for a message about it. */
  tail(): string {
    return this.#log.tail.join('\n')
  }

  /** To it alone, not to what it started. */
  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#process.kill(name)
  }

  /** SIGTERM, after 8 s SIGKILL; resolves at its end. A stopped process is continued first. */
  async stop(): Promise<ChildEnd> {
    this.signal('SIGCONT')
    this.signal('SIGTERM')
    const late = setTimeout(() => this.signal('SIGKILL'), STOP_MS)
    const end = await this.ended
    clearTimeout(late)
    return end
  }

  async kill(): Promise<ChildEnd> {
    this.signal('SIGKILL')
    return await this.ended
  }
}

/** How a process ended, in words. */
export function endText({ code, signal }: ChildEnd): string {
  return signal === null ? `ended with code ${code}` : `was ended by ${signal}`
}

function commandOf({ args, cores, prefix = [] }: ChildOptions): string[] {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning']
  const command = args[0]?.endsWith('.ts') ? [...node, ...args] : args
  const pinned =
    cores.length > 0 && availableParallelism() > 1 ? ['taskset', '-c', cores.join(',')] : []
  return [...prefix, ...dyingWithUs(), ...pinned, ...command]
}

let hasSetpriv: boolean | undefined

/** The kernel ends it when the thread that started it does; kept over exec, not over fork. */
function dyingWithUs(): string[] {
  hasSetpriv ??= spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0
  return hasSetpriv ? ['setpriv', '--pdeathsig', 'KILL'] : []
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** A file that does not outgrow BENCH_LOG_BYTES_MAX, and its last lines. */
class ChildLog {
  readonly tail: string[] = []
  readonly #stream
  #bytes = 0

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true })
    this.#stream = createWriteStream(file, { flags: 'a' })
    // A full disk costs the log, not the run.
    this.#stream.on('error', () => {})
  }

  write(line: string): void {
    this.tail.push(line)
    if (this.tail.length > TAIL_LINES) this.tail.shift()
    if (this.#bytes > BENCH_LOG_BYTES_MAX) return
    this.#bytes += line.length + 1
    this.#stream.write(this.#bytes > BENCH_LOG_BYTES_MAX ? `${line}\n(cut here)\n` : `${line}\n`)
  }

  close(): void {
    this.#stream.end()
  }
}
