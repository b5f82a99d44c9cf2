/**
 * What a run has made outside of itself, written down before it is made, and the clearing away of it: by the runner at
 * the end, by its watch when the runner is killed, by the next run when both were. Processes are not written down: each
 * has the run's mark in its environment, and so has whatever it starts.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { ROOT } from '../process/processes.ts'

/** Something of the machine that would outlive a killed runner. */
export type Leftover =
  | { kind: 'folder'; path: string }
  | { kind: 'mount'; path: string }
  | { kind: 'namespace'; name: string }

/** What a clearing away found: zeros when the run had ended cleanly by itself. */
export type Swept = { processes: number; leftovers: Leftover[] }

const MARK = 'NHIPCAU_BENCH_RUN'
const FOLDER_PREFIX = 'nhipcau-bench-'
const KILL_ROUNDS = 50
const KILL_ROUND_MS = 100

/** One run's book. */
export class Ledger {
  readonly file: string
  /** For the environment of every process of the run. */
  readonly env: Readonly<Record<string, string>>
  /** A folder of this run alone. */
  readonly folder: string
  readonly #watch

  private constructor(file: string, mark: string) {
    this.file = file
    this.folder = join(tmpdir(), FOLDER_PREFIX + mark)
    // What they leave in their temporary folder (Chromium's profiles) goes with the run as well.
    this.env = { [MARK]: mark, TMPDIR: this.folder }
    this.track({ kind: 'folder', path: this.folder })
    mkdirSync(this.folder, { mode: 0o700 })
    this.#watch = startWatch(file)
  }

  /** Clears away what killed runs have left, then opens a new book. */
  static open(): Ledger {
    const books = booksFolder()
    sweepDead(books)
    const mark = `${process.pid}-${randomBytes(4).toString('hex')}`
    const file = join(books, `${mark}.jsonl`)
    const owner = { mark, pid: process.pid, startTicks: startTicksOf(process.pid) }
    // Whole or not there: another runner that starts now would take a book without an owner for a dead one's.
    writeFileSync(`${file}.new`, `${JSON.stringify(owner)}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
    return new Ledger(file, mark)
  }

  /** Written to the disk before it returns. */
  track(leftover: Leftover): void {
    appendFileSync(this.file, `${JSON.stringify(leftover)}\n`)
  }

  /** Ends what is left of the run, and the watch; at once, idempotent. */
  close(): Swept {
    if (!existsSync(this.file)) return { processes: 0, leftovers: [] }
    const swept = sweep(this.file)
    this.#watch.stdin?.end()
    return swept
  }
}

/**
 * A process that waits for the end of its standard input, which is the end of the runner however it comes, and clears
 * away then.
 * A shell: it costs nothing while it waits.
 */
function startWatch(file: string) {
  const script = join(ROOT, 'bench/run/sweep.ts')
  const wait =
    'cat >/dev/null; test -e "$3" && exec "$1" --disable-warning=ExperimentalWarning "$2" "$3"'
  const watch = spawn('sh', ['-c', wait, 'sh', process.execPath, script, file], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  watch.on('error', () => {})
  watch.stdin?.on('error', () => {})
  watch.unref()
  // Its pipe must not keep the runner from ending.
  const { stdin } = watch
  if (stdin !== null && 'unref' in stdin) (stdin as unknown as { unref: () => void }).unref()
  return watch
}

/** Clears away what the book at `file` says, and the book. What cannot be removed stays in it for the next run. */
export function sweep(file: string): Swept {
  const [owner, ...leftovers] = readBook(file)
  const mark = (owner as { mark?: string } | undefined)?.mark
  const processes = mark === undefined ? 0 : killMarked(mark)
  const found: Leftover[] = []
  let isClear = true
  for (const leftover of (leftovers as Leftover[]).reverse()) {
    if (!isThere(leftover)) continue
    found.push(leftover)
    if (!remove(leftover)) isClear = false
  }
  if (isClear) rmSync(file, { force: true })
  return { processes, leftovers: found.filter(({ kind }) => kind !== 'folder') }
}

/** Processes that carry the mark of a run, whoever started them. */
export function markedPids(mark: string): number[] {
  const wanted = `${MARK}=${mark}`
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const isOurs = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(wanted)
      return isOurs ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

function killMarked(mark: string): number {
  const seen = new Set<number>()
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const pids = markedPids(mark)
    if (pids.length === 0) break
    for (const pid of pids) {
      seen.add(pid)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone by itself meanwhile.
      }
    }
    // Synchronous, since this runs in the last moment of a process as well.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, KILL_ROUND_MS)
  }
  return seen.size
}

function sweepDead(books: string): void {
  for (const name of readdirSync(books).filter((each) => each.endsWith('.jsonl'))) {
    const file = join(books, name)
    const owner = readBook(file)[0] as { pid?: number; startTicks?: number } | undefined
    const isAlive = owner?.pid !== undefined && startTicksOf(owner.pid) === owner.startTicks
    if (!isAlive) sweep(file)
  }
}

/** This user's alone. Throws when somebody else made it. */
function booksFolder(): string {
  const folder = join(tmpdir(), `nhipcau-bench.${userInfo().uid}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = lstatSync(folder)
  if (found.uid !== userInfo().uid || !found.isDirectory()) throw new Error(`${folder} is not ours`)
  return folder
}

function readBook(file: string): unknown[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n')
    return lines.flatMap((line) => (line.endsWith('}') ? [JSON.parse(line)] : []))
  } catch {
    return []
  }
}

/** Undefined when there is no such process. */
function startTicksOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  } catch {
    return undefined
  }
}

function isThere(leftover: Leftover): boolean {
  switch (leftover.kind) {
    case 'folder':
      return existsSync(leftover.path)
    case 'mount':
      return isMounted(leftover.path)
    case 'namespace':
      return existsSync(join('/run/netns', leftover.name))
  }
}

function remove(leftover: Leftover): boolean {
  switch (leftover.kind) {
    case 'folder':
      if (!isOurFolder(leftover.path)) return true
      rmSync(leftover.path, { recursive: true, force: true, maxRetries: 3 })
      return !existsSync(leftover.path)
    case 'mount':
      spawnSync('umount', ['-l', leftover.path])
      return !isMounted(leftover.path)
    case 'namespace':
      spawnSync('ip', ['netns', 'del', leftover.name])
      return !isThere(leftover)
  }
}

/** What is deleted with all it holds lies under our prefix, whatever a damaged book says. */
function isOurFolder(path: string): boolean {
  return resolve(path).startsWith(join(tmpdir(), FOLDER_PREFIX))
}

function isMounted(path: string): boolean {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return mounts.some((line) => line.split(' ')[1] === path)
}
