/**
 * `./nhipcau bench run` as an operator uses it: hello passes, a wrong file is told by line and key, Ctrl-C leaves a
 * partial report, and whatever becomes of the runner, nothing of the run stays behind.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { readReport } from '../../bench/report/index.ts'
import { figureProblem } from '../../bench/scenario/index.ts'
import { NHIPCAU, ROOT } from './core-process.ts'

const GONE_MS = 15_000

/** Everything that a run can leave behind: processes, a line, a full disk of its own, a stopped core. */
const TROUBLED = `
title: everything that a killed runner could leave behind
seed: 1
duration: 60s
othersCoresMax: 64
nodes: { core: { kind: core } }
links: { thin: { profile: district } }
sites:
  speaker: { count: 1, node: core, publishes: { audio: true } }
  hall: { count: 2, node: core, link: thin, watches: { audio: 1 } }
faults:
  - { do: disk-full, at: 3s, node: core }
  - { do: stop, at: 4s, node: core }
pass: [sites.joined == 3]
`

function folderFor(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

type Runner = {
  child: ChildProcess
  /** Standard output and error so far. */
  said: string[]
  /** Resolves when a line matches. */
  heard: (pattern: RegExp) => Promise<string>
  ended: Promise<number | NodeJS.Signals | null>
}

function run(t: ExecutionContext, ...args: string[]): Runner {
  const child = spawn(NHIPCAU, ['bench', 'run', ...args], {
    cwd: ROOT,
    env: { ...process.env, NHIPCAU_TEST_SUITE: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const said: string[] = []
  const waiting: { pattern: RegExp; done: (line: string) => void }[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line)
      for (const { done } of waiting.filter(({ pattern }) => pattern.test(line))) done(line)
    })
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  )
  const heard = (pattern: RegExp): Promise<string> =>
    Promise.race([
      new Promise<string>((done) => waiting.push({ pattern, done })),
      ended.then((end) => {
        throw new Error(`ended with ${end} before ${pattern}: ${said.join('\n')}`)
      }),
    ])
  return { child, said, heard, ended }
}

/** Processes of the run by this runner: seen by the kernel, not by the runner's own books. */
function processesOf(runner: Runner): string[] {
  const mark = `NHIPCAU_BENCH_RUN=${runner.child.pid}-`
  return readdirSync('/proc').flatMap((name) => {
    try {
      const entries = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0')
      if (!entries.some((entry) => entry.startsWith(mark))) return []
      return [`${name}: ${readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ')}`]
    } catch {
      return []
    }
  })
}

function mountsOf(runner: Runner): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return mounts.filter((line) => line.includes(`nhipcau-bench-${runner.child.pid}-`))
}

function foldersOf(runner: Runner): string[] {
  const books = join(tmpdir(), `nhipcau-bench.${userInfo().uid}`)
  const inTmp = readdirSync(tmpdir()).filter((name) =>
    name.startsWith(`nhipcau-bench-${runner.child.pid}-`),
  )
  const inBooks = existsSync(books) ? readdirSync(books) : []
  return [...inTmp, ...inBooks.filter((name) => name.startsWith(`${runner.child.pid}-`))]
}

/** All that is left of a run; its watch may need a moment after the runner's death. */
async function assertNothingLeft(t: ExecutionContext, runner: Runner): Promise<void> {
  const left = () => [...processesOf(runner), ...mountsOf(runner), ...foldersOf(runner)]
  const endMs = performance.now() + GONE_MS
  while (left().length > 0 && performance.now() < endMs) await sleep(100)
  t.deepEqual(left(), [])
}

test.serial('hello passes, its report can be read, and no process is left', async (t) => {
  const out = join(folderFor(t), 'out')
  let runner = run(t, 'hello', '--out', out)
  // A run that was void blames nobody: a machine that is busy elsewhere gets one more.
  if ((await runner.ended) === 3) {
    t.log(runner.said.filter((line) => line.startsWith('  ')).join('\n'))
    runner = run(t, 'hello', '--out', out)
  }
  t.is(await runner.ended, 0, runner.said.join('\n'))
  const report = readReport(out)
  t.is(report.ended, 'completed')
  t.true(report.validity.valid)
  t.true(report.criteria.length > 0)
  t.true(report.criteria.every(({ verdict }) => verdict === 'pass'))
  t.is(report.sites.filter(({ joined }) => joined).length, 10)
  t.deepEqual(
    report.processes.map(({ id }) => id),
    ['core', 'link.copper', 'load'],
  )
  t.true(report.processes.every(({ cpuSeconds }) => cpuSeconds > 0))
  t.true((report.figures['forward.packetsPerCpuSecond'] ?? 0) > 0)
  t.true((report.links[0]?.down.packets ?? 0) > 100)
  t.true(existsSync(join(out, 'report.html')))
  // Whatever is measured can be asked for in a criterion, and stands in docs/SCENARIOS.md.
  const ids = { nodes: ['core'], links: ['copper'], groups: ['chair', 'hall', 'far', 'talkers'] }
  const unlisted = Object.keys(report.figures).filter(
    (name) => figureProblem(name, { ...ids, http: [], windows: [] }) !== undefined,
  )
  t.deepEqual(unlisted, [])
  await assertNothingLeft(t, runner)
})

test.serial('a wrong file is told by file, line and key, and nothing is started', async (t) => {
  const folder = folderFor(t)
  const file = join(folder, 'wrong.yaml')
  writeFileSync(file, TROUBLED.replace('count: 2', 'count: many').replace('seed: 1', 'sed: 1'))
  const runner = run(t, file, '--out', join(folder, 'out'))
  t.is(await runner.ended, 2)
  const said = runner.said.join('\n')
  t.regex(said, /wrong\.yaml:3:\d+: sed/)
  t.regex(said, /wrong\.yaml:10:\d+: sites\.hall\.count: "many"/)
  t.false(existsSync(join(folder, 'out')))
})

test.serial('a scenario that nobody has, and options that nobody knows, end with 2', async (t) => {
  t.is(await run(t, 'no-such-scenario').ended, 2)
  t.is(await run(t, 'hello', '--sead', '1').ended, 2)
  t.is(await run(t, 'hello', '--against', 'no-such-commit').ended, 2)
})

test.serial('Ctrl-C ends a run with a partial report that passes nothing', async (t) => {
  const out = join(folderFor(t), 'out')
  const runner = run(t, 'hello', '--out', out)
  await runner.heard(/joined [1-9]\d*\/10/)
  runner.child.kill('SIGINT')
  t.is(await runner.ended, 130, runner.said.join('\n'))
  const report = readReport(out)
  t.is(report.ended, 'interrupted')
  t.deepEqual([...new Set(report.criteria.map(({ verdict }) => verdict))], ['unknown'])
  t.is(report.sites.length, 10)
  t.true(report.tookS < 20)
  await assertNothingLeft(t, runner)
})

test.serial('a second Ctrl-C ends it at once, and cleanly all the same', async (t) => {
  const runner = run(t, 'hello', '--out', join(folderFor(t), 'out'))
  await runner.heard(/steady/)
  runner.child.kill('SIGINT')
  await runner.heard(/once more ends it at once/)
  runner.child.kill('SIGINT')
  t.is(await runner.ended, 130)
  t.deepEqual(processesOf(runner), [])
  await assertNothingLeft(t, runner)
})

test.serial('a core that cannot start fails the run, and its last words are told', async (t) => {
  const folder = folderFor(t)
  const file = join(folder, 'crash.yaml')
  const config = '{ kind: core, config: { http.tls.cert: /nowhere, http.tls.key: /nowhere } }'
  writeFileSync(file, TROUBLED.replace('{ kind: core }', config))
  const runner = run(t, file, '--out', join(folder, 'out'))
  t.is(await runner.ended, 1, runner.said.join('\n'))
  const report = readReport(join(folder, 'out'))
  t.is(report.ended, 'failed')
  t.regex(report.problem ?? '', /no such file or directory, open '\/nowhere'/)
  t.deepEqual([...new Set(report.criteria.map(({ verdict }) => verdict))], ['unknown'])
  await assertNothingLeft(t, runner)
})

test.serial('a core that dies in the middle fails the run, with what its sites saw', async (t) => {
  const out = join(folderFor(t), 'out')
  const runner = run(t, 'hello', '--out', out)
  await runner.heard(/steady/)
  const core = processesOf(runner).find((line) => line.includes('main.ts core'))
  process.kill(Number.parseInt(core ?? '', 10), 'SIGKILL')
  t.is(await runner.ended, 1, runner.said.join('\n'))
  const report = readReport(out)
  t.is(report.ended, 'failed')
  t.regex(report.problem ?? '', /^core was ended by SIGKILL/)
  t.is(report.sites.length, 10)
  await assertNothingLeft(t, runner)
})

/** What the runner says in each phase, and how long after it is killed. */
const PHASES: [string, RegExp, number][] = [
  ['starting its nodes', /starting core/, 50],
  ['laying its lines', /laying/, 50],
  ['starting its load', /starting the load/, 50],
  ['joining', /joined/, 0],
  ['breaking things', /faults/, 2_000],
]

for (const [phase, pattern, afterMs] of PHASES)
  test.serial(`a runner killed while ${phase} leaves nothing behind`, async (t) => {
    if (process.getuid?.() !== 0) return t.log('not run: a disk of its own needs root')
    const folder = folderFor(t)
    const file = join(folder, 'troubled.yaml')
    writeFileSync(file, TROUBLED)
    const runner = run(t, file, '--out', join(folder, 'out'))
    await runner.heard(pattern)
    await sleep(afterMs)
    if (phase === 'breaking things') {
      t.true(processesOf(runner).length >= 3)
      const [mount = ''] = mountsOf(runner)
      t.is(statfsSync(mount.split(' ')[1] ?? '').bavail, 0, 'the disk is full')
    }
    runner.child.kill('SIGKILL')
    t.is(await runner.ended, 'SIGKILL')
    await assertNothingLeft(t, runner)
  })

test.serial(
  'what a runner and its watch left when both were killed, the next run clears away',
  async (t) => {
    const folder = folderFor(t)
    const file = join(folder, 'troubled.yaml')
    writeFileSync(file, TROUBLED)
    const runner = run(t, file, '--out', join(folder, 'out'))
    await runner.heard(/joined/)
    const watch = watchOf(runner)
    t.truthy(watch)
    process.kill(-(watch ?? 0), 'SIGKILL')
    runner.child.kill('SIGKILL')
    await runner.ended
    t.true(foldersOf(runner).length > 0, 'nobody was there to clear away')
    // Any run will do: it does not even have to be a good one.
    await run(t, 'hello', '--out', join(folder, 'next')).heard(/starting core/)
    await assertNothingLeft(t, runner)
  },
)

/** The waiting process of a run: it has the run's book on its command line. */
function watchOf(runner: Runner): number | undefined {
  const name = readdirSync('/proc').find((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
      return words[0] === 'sh' && words.some((word) => word.includes(`/${runner.child.pid}-`))
    } catch {
      return false
    }
  })
  return name === undefined ? undefined : Number(name)
}
