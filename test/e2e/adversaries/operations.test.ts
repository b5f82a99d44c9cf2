/**
 * What befalls the machine: kill -9, a stopped process, a full and a read-only disk, flipped bits,
 * a clock that steps. Media goes on where it can, what was acknowledged is kept, and what cannot be
 * done is said.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { issueToken, loadTokenKeys } from '../../../signaling/auth/index.ts'
import { type CoreProcess, NHIPCAU, startCore } from '../core-process.ts'
import { Arena } from './arena.ts'
import { eventual, settled } from './eventual.ts'
import { RawSocket, type Told } from './raw-socket.ts'

const HOUR_MS = 3_600_000
const STOP_MS = 2_000
const HEAL_MS = 30_000

function folderFor(t: ExecutionContext<unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-operations-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A small file system of its own at `folder`, or undefined where we may not mount. */
function mountSmall(t: ExecutionContext<unknown>, folder: string, sizeKb: number): boolean {
  mkdirSync(folder, { recursive: true })
  const args = ['-t', 'tmpfs', '-o', `size=${sizeKb}k,mode=700`, 'tmpfs', folder]
  if (spawnSync('mount', args).status !== 0) return false
  t.teardown(() => {
    spawnSync('umount', ['-l', folder])
  })
  return true
}

async function arenaFor(
  t: ExecutionContext<unknown>,
  dataDir: string,
  env: Record<string, string> = {},
): Promise<Arena> {
  const arena = await Arena.open({ dataDir, env })
  t.teardown(() => arena.close())
  return arena
}

type Chatter = { raw: RawSocket; chat: (text: string) => Promise<Told | undefined> }

async function chatterOf(
  t: ExecutionContext<unknown>,
  core: CoreProcess,
  room = 'chat',
): Promise<Chatter & { joined: Told }> {
  const raw = await RawSocket.open(`ws://127.0.0.1:${core.httpPort}/ws`)
  t.teardown(() => raw.close())
  const keys = loadTokenKeys(core.dataDir)
  const wish = { room, role: 'speaker', ttlS: 36_000, nowMs: Date.now() } as const
  raw.say({ type: 'join', token: await issueToken(keys, wish) })
  const joined = await raw.hear(({ type }) => type === 'joined')
  if (joined === undefined) throw new Error('not joined')
  let ref = 100
  const chat = async (text: string): Promise<Told | undefined> => {
    ref += 1
    const mine = ref
    raw.say({ type: 'chat', ref: mine, text })
    return await raw.hear((told) => told.ref === mine)
  }
  return { raw, joined, chat }
}

const textsOf = (joined: Told): string[] =>
  (joined.chat as { text: string }[]).map(({ text }) => text)

async function statusOf(core: CoreProcess, path: string): Promise<number> {
  return (await fetch(`${core.url}${path}`)).status
}

test.serial(
  'kill -9 takes back nothing that was acknowledged, and old tokens open the new core',
  async (t) => {
    const dataDir = folderFor(t)
    const arena = await arenaFor(t, dataDir)
    const { chat } = await chatterOf(t, arena.core)
    const acknowledged: string[] = []
    for (let index = 0; index < 40; index++) {
      const text = `tin ${index}`
      if ((await chat(text))?.type === 'ok') acknowledged.push(text)
    }
    // In the middle of a burst.
    for (let index = 0; index < 20; index++) void chat(`late ${index}`)
    arena.core.process.kill('SIGKILL')
    t.is(acknowledged.length, 40)
    await new Promise((resolve) => arena.core.process.once('exit', resolve))
    const core = await startCore(t, { dataDir, env: { NHIPCAU_ANNOUNCED_IPS: '127.0.0.1' } })
    const { joined } = await chatterOf(t, core)
    const kept = textsOf(joined)
    t.deepEqual(
      acknowledged.slice(-10).filter((text) => !kept.includes(text)),
      [],
    )
    t.is(await statusOf(core, '/readyz'), 200)
  },
)

test.serial(
  'a core that was stopped for two seconds goes on with its calls and its joins',
  async (t) => {
    const arena = await arenaFor(t, folderFor(t))
    arena.core.process.kill('SIGSTOP')
    await sleep(STOP_MS)
    arena.core.process.kill('SIGCONT')
    await arena.read()
    await settled(() => arena.call.missing, 1_000)
    // What the kernel could not hold is lost and said so; what comes after is whole.
    const mark = arena.call.mark()
    const missing = arena.call.missing
    const verdict = await arena.call.verdict(mark)
    t.true(verdict.audioSent > 10)
    // One that is repaired late is one fewer.
    t.true(verdict.missing <= missing, `${verdict.missing} of ${missing}`)
    t.is(verdict.late, 0)
    await arena.assertJoinable(t)
  },
)

test.serial('a full disk refuses what must be kept, keeps media flowing, and heals', async (t) => {
  const dataDir = folderFor(t)
  if (!mountSmall(t, dataDir, 2_048)) return t.log('not run: this machine lets us mount nothing')
  const arena = await arenaFor(t, dataDir)
  const { chat } = await chatterOf(t, arena.core)
  t.is((await chat('before'))?.type, 'ok')
  const ballast = join(dataDir, 'ballast')
  for (let sizeKb = 2_048; sizeKb >= 4; sizeKb /= 2) {
    try {
      writeFileSync(ballast, Buffer.alloc(sizeKb * 1_024), { flag: 'a' })
    } catch {
      // Smaller, then.
    }
  }
  const mark = arena.call.mark()
  let refused: Told | undefined
  for (let index = 0; index < 100 && refused?.code === undefined; index++) {
    refused = await chat('x'.repeat(2_000))
    await sleep(21)
  }
  t.is(refused?.code, 'store-unavailable')
  t.is(await statusOf(arena.core, '/readyz'), 503)
  t.is(await statusOf(arena.core, '/healthz'), 200)
  const verdict = await arena.call.verdict(mark)
  t.like(verdict, { missing: 0, late: 0 })
  rmSync(ballast)
  const endMs = performance.now() + HEAL_MS
  while ((await statusOf(arena.core, '/readyz')) !== 200 && performance.now() < endMs)
    await sleep(100)
  t.is((await chat('after'))?.type, 'ok')
  await arena.assertJoinable(t)
})

test.serial(
  'a read-only disk is an error that says where, before anything is opened',
  async (t) => {
    const dataDir = folderFor(t)
    if (!mountSmall(t, dataDir, 2_048)) return t.log('not run: this machine lets us mount nothing')
    const first = await startCore(t, { dataDir })
    await first.stop()
    execFileSync('mount', ['-o', 'remount,ro', dataDir])
    const env = { ...process.env, NHIPCAU_DATA_DIR: dataDir, NHIPCAU_HTTP_PORT: '0' }
    const child = spawnSync(NHIPCAU, ['core'], {
      env: { ...env, NHIPCAU_MEDIA_PORT: '0', NHIPCAU_TEST_SUITE: undefined },
      encoding: 'utf8',
      timeout: 40_000,
    })
    t.is(child.status, 1, child.stdout)
    t.true(child.stderr.includes(dataDir), child.stderr)
    t.notRegex(child.stderr, /\n\s+at /, 'a message, not a stack')
  },
)

test.serial(
  'a bit flipped in the store costs that entry alone, and the operator is told',
  async (t) => {
    const dataDir = folderFor(t)
    const before = await startCore(t, { dataDir })
    const { chat } = await chatterOf(t, before)
    for (const text of ['một', 'hai', 'ba', 'bốn']) t.is((await chat(text))?.type, 'ok')
    await before.stop()
    const path = join(dataDir, 'events.sqlite')
    const database = new DatabaseSync(path)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
    const bytes = readFileSync(path)
    const at = bytes.indexOf(Buffer.from('hai'))
    t.true(at > 0)
    bytes[at]! ^= 1
    writeFileSync(path, bytes)
    const core = await startCore(t, { dataDir, env: { NHIPCAU_ANNOUNCED_IPS: '127.0.0.1' } })
    const { joined, chat: again } = await chatterOf(t, core)
    const kept = textsOf(joined)
    t.deepEqual(kept, ['một', 'ba', 'bốn'])
    t.true(core.log.some(({ level, lostCount }) => Number(level) >= 50 && lostCount === 1))
    t.is((await again('năm'))?.type, 'ok')
  },
)

test.serial(
  'clock steps of an hour, forward and back, disturb neither calls nor the order of the chat',
  async (t) => {
    const told = `process.stdout.write('{"level":30,"event":"stepped"}\\n')`
    const step = `let o=0;const r=Date.now;Date.now=()=>r()+o;process.on('SIGUSR2',()=>{o=o>0?-${HOUR_MS}:${HOUR_MS};${told}})`
    const preload = `--import=data:text/javascript,${encodeURIComponent(step)}`
    const arena = await arenaFor(t, folderFor(t), { NODE_OPTIONS: preload })
    const { raw, chat } = await chatterOf(t, arena.core)
    t.is((await chat('at first'))?.type, 'ok')
    const mark = arena.call.mark()
    const steps = (): number => arena.core.log.filter(({ event }) => event === 'stepped').length
    for (const [index, text] of ['an hour later', 'an hour before'].entries()) {
      arena.core.process.kill('SIGUSR2')
      t.true(await eventual(() => steps() > index))
      t.is((await chat(text))?.type, 'ok')
    }
    const verdict = await arena.call.verdict(mark)
    t.like(verdict, { missing: 0, late: 0 })
    await raw.hear(({ entries }) => JSON.stringify(entries ?? '').includes('an hour before'))
    const entries = raw.told.flatMap(({ type, entries: list }) =>
      type === 'chat' ? (list as { number: number; text: string; time: number }[]) : [],
    )
    t.deepEqual(
      entries.map(({ text }) => text),
      ['at first', 'an hour later', 'an hour before'],
    )
    const numbers = entries.map(({ number }) => number)
    t.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    )
    t.true((entries[1]?.time ?? 0) - (entries[0]?.time ?? 0) > HOUR_MS / 2, 'the clock did step')
  },
)
