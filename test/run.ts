/**
 * `npm run check` and `npm test`: every proof of the house in order, cheapest first, with one count at the end.
 * check: format and lint, types, unused code, the quick suite. test: the same, then the doors over
 * uWebSockets.js, then browsers and real processes.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findChromium } from '../bench/process/chromium.ts'

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
}

type Tally = { passed: number; failed: number; skipped: number; failures: string[] }

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
  const [file = '', ...args] = stage.command
  const env = { ...process.env, FORCE_COLOR: '0', ...stage.env, PATH: `${BIN}:${process.env.PATH}` }
  const child = spawn(file, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const failedBefore = tally.failed
  const passedBefore = tally.passed
  const output: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (stage.tap) readTap(line, { stage, tally })
    else output.push(line)
  }
  const exitCode = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)))
  if (stage.tap) {
    const silentFailure = exitCode !== 0 && tally.failed === failedBefore
    const nothingRan = tally.passed === passedBefore && tally.failed === failedBefore
    if (silentFailure || nothingRan) fail(tally, `${stage.name}: exit ${exitCode}, no test failed`)
  } else if (exitCode === 0) tally.passed += 1
  else {
    console.log(output.join('\n'))
    fail(tally, stage.name)
  }
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
  console.log(`# ${stage.name}: ${tally.failed === failedBefore ? 'green' : 'RED'} in ${seconds} s`)
}

function readTap(line: string, { stage, tally }: { stage: Stage; tally: Tally }): void {
  const verdict = /^(not )?ok \d+ - (.*)$/.exec(line)
  if (verdict === null) {
    if (!/^(TAP version|1\.\.|# (tests|pass|fail|skip)|\s*$)/.test(line)) console.log(line)
    return
  }
  const title = verdict[2] ?? ''
  if (/# (SKIP|TODO)/i.test(title)) {
    tally.skipped += 1
    console.log(`  skipped: ${title}`)
  } else if (verdict[1] === undefined) {
    tally.passed += 1
    if (tally.passed % 100 === 0 || stage.env?.NHIPCAU_TEST_SUITE === 'e2e') {
      console.log(`  ok ${tally.passed}: ${title}`)
    }
  } else {
    fail(tally, `${stage.name}: ${title}`)
    console.log(`  NOT OK: ${title}`)
  }
}

function fail(tally: Tally, what: string): void {
  tally.failed += 1
  tally.failures.push(what)
}

const tally: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] }
const stages = process.argv[2] === 'check' ? CHECKS : proofs()
for (const stage of stages) await run(stage, tally)

// A proof that was not run is not a proof: on CI a skip counts as a failure.
if (process.env.CI === 'true' && tally.skipped > 0) fail(tally, `${tally.skipped} skipped on CI`)
for (const failure of tally.failures) console.log(`failed: ${failure}`)
const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''
console.log(`\n${tally.passed} passed, ${tally.failed} failed${skipped}`)
process.exitCode = tally.failed > 0 ? 1 : 0
