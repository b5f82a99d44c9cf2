import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { type Leg, type LegProcess, runLegs, whyNoRival } from '../../bench/rival/index.ts'
import { NHIPCAU, ROOT } from './core-process.ts'

/** Janus as a node of the bench; on a machine that lacks it, that it says so. */

const PLAN = {
  receivers: [3, 6],
  seconds: 2,
  rounds: 1,
  parallel: 10,
  eventLoops: 2,
  videoBps: 150_000,
  framesPerSecond: 25,
}

const why = whyNoRival()
const hasRival = why === undefined ? test.serial : test.serial.skip

test.serial('a machine without Janus is told what is missing, before anything is started', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-rival-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const program of ['sh', 'dirname', 'readlink', 'ip', 'getconf', 'git'])
    symlinkSync(
      execFileSync('which', [program], { encoding: 'utf8' }).trim(),
      join(folder, program),
    )
  const env = { ...process.env, PATH: folder }
  const args = ['bench', 'run', 'rival-janus']
  const { status, stderr, stdout } = spawnSync(NHIPCAU, args, { cwd: ROOT, env, encoding: 'utf8' })
  t.is(status, 2)
  const wanted = process.getuid?.() === 0 ? /Janus is missing.*apt-get install janus/ : /need root/
  t.regex(stdout + stderr, wanted)
})

hasRival('Janus and our core forward the same media, in turns, and leave nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-rival-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(folder, { recursive: true })
  const legs: Leg[] = []
  const processes: LegProcess[] = []
  const namespaces: string[] = []
  await runLegs(PLAN, {
    say: (text) => t.log(text),
    onLeg: (leg) => legs.push(leg),
    onProcesses: (started) => processes.push(...started),
    program: NHIPCAU,
    env: {},
    folder,
    track: (name) => namespaces.push(name),
    signal: new AbortController().signal,
  })
  t.deepEqual(
    legs.map(({ server, problem }) => ({ server, problem })),
    [
      { server: 'nhipcau', problem: undefined },
      { server: 'janus', problem: undefined },
    ],
  )
  for (const { server, rows } of legs) {
    t.deepEqual(
      rows.map(({ receivers }) => receivers),
      PLAN.receivers,
      server,
    )
    const { counted, latencyMs, samples } = rows[1]!
    // 50 packets of sound and 25 of picture a second for each of six; a busy machine sends some late.
    const wanted = PLAN.seconds * 75 * 6
    t.true(counted.packets > wanted * 0.7 && counted.packets < wanted * 1.3, `${counted.packets}`)
    t.is(counted.expected, counted.packets, server)
    t.true(samples > 0 && latencyMs.p50 > 0, server)
  }
  const pids = new Set(processes.map(({ pid }) => pid))
  t.is(pids.size, 4)
  for (const pid of pids) t.throws(() => process.kill(pid, 0))
  const left = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
  for (const name of namespaces) t.false(left.includes(name))
})
