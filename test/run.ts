/**
 * `npm run check` and `npm test`: every proof of the house in order, cheapest first, with one count at the end.
 * check: format and lint, types, unused code, the quick suite. test: the same, then the doors over
 * uWebSockets.js, then browsers and real processes, of which a failed one is tried once more.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findChromium } from '../bench/process/chromium.ts'
import { argumentsFor, type Failure, SECOND_TRIES_MAX } from './second-try.ts'
import { TapReader } from './tap.ts'

const ROOT = join(import.meta.dirname, '..')
const BIN = join(ROOT, 'node_modules/.bin')
const AVA = join(ROOT, 'node_modules/ava/entrypoints/cli.js')
const NEWER_LIBC = join(ROOT, 'signaling/io/with-debian13-libc.sh')

type Stage = {
  name: string
  command: string[]
  env?: Record<string, string>
  /** True: the command speaks TAP and counts its own tests; else it is one test. */
  tap: boolean
  /** Why it cannot run here, when it cannot. */
  skip?: string | undefined
  /** Folder of its tests, where these depend on time: what fails is tried once more, alone. */
  secondTries?: string
}

type Outcome = { passed: number; skipped: number; failures: Failure[] }
type Tally = Outcome & { flaky: Failure[] }

/** Lines that a failure says again at the end: a record may keep only the tail of all this. */
const SAID_LINES_MAX = 100

const CHECKS: Stage[] = [
  {
    name: 'format and lint (biome)',
    command: [join(BIN, 'biome'), 'check', '--error-on-warnings', '--colors=off', '.'],
    tap: false,
  },
  { name: 'types (tsc)', command: [join(BIN, 'tsc')], tap: false },
  { name: 'nothing unused (knip)', command: [join(BIN, 'knip'), '--no-progress'], tap: false },
  { name: 'quick suite (ava)', command: [process.execPath, AVA, '--tap'], tap: true },
]

function proofs(): Stage[] {
  installRival()
  return [
    ...CHECKS,
    {
      name: 'the same doors over uWebSockets.js',
      command: [NEWER_LIBC, AVA, '--tap', 'signaling/io/**/*.test.ts'],
      env: { NHIPCAU_TEST_SUITE: 'doors' },
      tap: true,
      skip: process.platform === 'linux' ? undefined : 'needs Linux',
    },
    {
      name: 'end to end (browsers, real processes)',
      command: [process.execPath, AVA, '--tap'],
      env: { NHIPCAU_TEST_SUITE: 'e2e', CHROMIUM_PATH: chromium() ?? '' },
      tap: true,
      skip: chromium() === undefined ? 'no Chromium here: set CHROMIUM_PATH' : undefined,
      secondTries: 'test/e2e',
    },
  ]
}

/** Path of a Chromium; installs Debian's with apt when there is none and we may. */
function chromium(): string | undefined {
  const found = findChromium()
  if (found !== undefined || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return found
  install(['chromium', 'iproute2'])
  return findChromium()
}

/** The server that the bench compares with: on CI only, since elsewhere the package would start a service. */
function installRival(): void {
  const isThere = spawnSync('janus', ['--help']).error === undefined
  if (!isThere && process.env.CI === 'true' && process.getuid?.() === 0)
    install(['janus', 'iproute2'])
}

function install(packages: readonly string[]): void {
  if (!existsSync('/usr/bin/apt-get')) return
  console.log(`# installing ${packages.join(' and ')} with apt (once)`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['-qq', 'update'], { env, stdio: 'inherit' })
  const wanted = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  spawnSync('apt-get', wanted, { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

async function run(stage: Stage, tally: Tally): Promise<void> {
  const startedMs = Date.now()
  console.log(`\n# ${stage.name}`)
  if (stage.skip !== undefined) {
    console.log(`# SKIPPED: ${stage.skip}`)
    tally.skipped += 1
    return
  }
  const outcome = await prove(stage)
  const flaky = await tryAgain(stage, outcome)
  const failures = outcome.failures.filter((failure) => !flaky.includes(failure))
  tally.passed += outcome.passed + flaky.length
  tally.skipped += outcome.skipped
  tally.flaky.push(...flaky)
  tally.failures.push(
    ...failures.map(({ what, said }) => ({ what: `${stage.name}: ${what}`, said })),
  )
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
  console.log(`# ${stage.name}: ${failures.length === 0 ? 'green' : 'RED'} in ${seconds} s`)
}

async function prove(stage: Stage): Promise<Outcome> {
  const [file = '', ...args] = stage.command
  const env = { ...process.env, FORCE_COLOR: '0', ...stage.env, PATH: `${BIN}:${process.env.PATH}` }
  const child = spawn(file, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const outcome: Outcome = { passed: 0, skipped: 0, failures: [] }
  const said: string[] = []
  if (stage.tap) await readTap(lines, { stage, outcome })
  else for await (const line of lines) said.push(line)
  const exitCode = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)))
  const nothingRan = stage.tap && outcome.passed === 0
  if (outcome.failures.length === 0 && (exitCode !== 0 || nothingRan)) {
    console.log(said.join('\n'))
    outcome.failures.push({ what: stage.tap ? `exit ${exitCode}, no test failed` : 'failed', said })
  } else if (!stage.tap) outcome.passed += 1
  return outcome
}

/** Prints what is worth it on the way. */
async function readTap(
  lines: AsyncIterable<string>,
  { stage, outcome }: { stage: Stage; outcome: Outcome },
): Promise<void> {
  const reader = new TapReader({
    onPassed: (title) => {
      outcome.passed += 1
      if (outcome.passed % 100 !== 0 && stage.secondTries === undefined) return
      console.log(`  ok ${outcome.passed}: ${title}`)
    },
    onSkipped: (title) => {
      outcome.skipped += 1
      console.log(`  skipped: ${title}`)
    },
    onFailed: (title, said) => {
      outcome.failures.push({ what: title, said })
      console.log([`  NOT OK: ${title}`, ...said].join('\n'))
    },
    onRemark: (line) => console.log(line),
  })
  for await (const line of lines) reader.read(line)
  reader.end()
}

/** The failed tests that pass when each is run once more, alone. */
async function tryAgain(stage: Stage, { failures }: Outcome): Promise<Failure[]> {
  const folder = stage.secondTries
  if (folder === undefined || failures.length > SECOND_TRIES_MAX) return []
  const files = globSync('**/*.test.ts', { cwd: join(ROOT, folder) })
  const flaky: Failure[] = []
  for (const failure of failures) {
    const args = argumentsFor(failure, { folder, files })
    if (args === undefined) continue
    console.log(`# second try: ${failure.what}`)
    const again = await prove({ ...stage, command: [...stage.command, ...args] })
    if (again.passed === 1 && again.failures.length === 0) flaky.push(failure)
    else
      failure.said.push('# and at the second try:', ...again.failures.flatMap(({ said }) => said))
  }
  return flaky
}

function repeat({ said }: Failure): void {
  console.log(`\n${said.slice(0, SAID_LINES_MAX).join('\n')}`)
  if (said.length > SAID_LINES_MAX) console.log(`  (${said.length - SAID_LINES_MAX} lines more)`)
}

const tally: Tally = { passed: 0, skipped: 0, failures: [], flaky: [] }
const stages = process.argv[2] === 'check' ? CHECKS : proofs()
for (const stage of stages) await run(stage, tally)

// A proof that was not run is not a proof: on CI a skip counts as a failure.
if (process.env.CI === 'true' && tally.skipped > 0)
  tally.failures.push({ what: `${tally.skipped} skipped on CI`, said: [] })
for (const flaky of tally.flaky) {
  repeat(flaky)
  console.log(`# flaky: passed at the second try: ${flaky.what}`)
}
for (const failure of tally.failures) {
  repeat(failure)
  console.log(`failed: ${failure.what}`)
}
const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''
console.log(`\n${tally.passed} passed, ${tally.failures.length} failed${skipped}`)
process.exitCode = tally.failures.length > 0 ? 1 : 0
