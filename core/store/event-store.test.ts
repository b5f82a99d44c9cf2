import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { EVENT_PAYLOAD_BYTES_MAX, EVENTS_PER_EXCHANGE_MAX } from '../../config/limits.ts'
import { createConference, type RoomEvent } from '../conference/index.ts'
import { createConferenceHost } from './conference-host.ts'
import { openEventStore, StoreError } from './index.ts'
import { causeOfSqliteError } from './store-error.ts'

/** Gives the full-disk test a small file system of its own. */
const UNSHARE = 'unshare'

let seed = 0
const randomBytes = (count: number) => {
  seed += 1
  return Uint8Array.from({ length: count }, (_, index) => (seed * 31 + index * 7) & 255)
}

function folderFor(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-store-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const open = (folder: string) => openEventStore({ folder, randomBytes, wallMs: 1_700_000_000_000 })

function chat(origin: string, sequence: number, options: { time?: number; text?: string } = {}) {
  const { time = sequence * 10, text = `tin ${sequence}` } = options
  const payload = { participant: 'pa', name: 'An', site: 'Huế', text }
  return { origin, sequence, time, room: 'hall', type: 'chat', payload } satisfies RoomEvent
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** Changes the file behind the store's back. */
function tamper(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, 'events.sqlite'))
  database.exec(sql)
  database.close()
}

test('what was appended is there after opening again, in total order, with the same node id', async (t) => {
  const folder = folderFor(t)
  const store = open(folder)
  t.regex(store.nodeId, /^n[a-z2-7]{16}$/)
  const mine = range(1, 1_200).map((sequence) => chat(store.nodeId, sequence))
  const other = range(1, 30).map((sequence) => chat('nother', sequence, { time: sequence * 77 }))
  t.deepEqual(await store.append(mine), { ok: true })
  t.deepEqual(await store.append(other), { ok: true })
  t.deepEqual(await store.append([...mine, ...other]), { ok: true }, 'again changes nothing')
  await store.close()
  await store.close()
  const again = open(folder)
  t.teardown(() => again.close())
  t.is(again.nodeId, store.nodeId)
  t.is(again.timeLast, 12_000)
  t.deepEqual(again.versionVector(), { [store.nodeId]: 1_200, nother: 30 })
  t.deepEqual(again.report, { eventCount: 1_230, lostCount: 0, salvagedFrom: null })
  const all = [...again.readRoom('hall')]
  t.deepEqual(
    all,
    [...mine, ...other].sort((a, b) => a.time - b.time || (a.origin < b.origin ? -1 : 1)),
  )
  t.deepEqual([...again.readRoom('hall', all[1_000])], all.slice(1_001))
  t.deepEqual(again.readOrigin('nother', 28, 10), other.slice(28))
  t.is(again.readOrigin(store.nodeId, 0, 1e9).length, EVENTS_PER_EXCHANGE_MAX)
})

test('rooms are open until their last event closes them', async (t) => {
  const store = open(folderFor(t))
  t.teardown(() => store.close())
  const event = (sequence: number, room: string, closes: boolean): RoomEvent => {
    const place = { origin: 'na', sequence, time: sequence, room }
    return closes
      ? { ...place, type: 'room-closed', payload: { cause: 'empty' } }
      : { ...place, type: 'room-created', payload: { by: 'join' } }
  }
  await store.append([event(1, 'a', false), event(2, 'b', false), event(3, 'a', true)])
  await store.append([event(4, 'c', true), event(5, 'd', false), event(6, 'c', false)])
  t.deepEqual(store.openRooms(10), ['b', 'c', 'd'])
  t.deepEqual(store.openRooms(2), ['b', 'c'])
})

test('kill -9 in the middle of appending loses no acknowledged event and leaves no half batch', async (t) => {
  const folder = folderFor(t)
  const fixture = fileURLToPath(new URL('append-forever.fixture.ts', import.meta.url))
  for (let round = 1; round <= 3; round += 1) {
    const child = spawn(process.execPath, [fixture, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      if (printed.split('\n').length > 15 * round) child.kill('SIGKILL')
    })
    await once(child, 'close')
    t.is(child.signalCode, 'SIGKILL')
    const acknowledged = Number(printed.slice(0, printed.lastIndexOf('\n')).split('\n').at(-1))
    const store = open(folder)
    const last = store.versionVector()[store.nodeId]!
    t.true(acknowledged > 0 && last >= acknowledged, `${last} of ${acknowledged}`)
    t.is(last % 20, 0)
    t.is(store.report.eventCount, last)
    t.is(store.report.lostCount, 0)
    await store.close()
  }
})

test('a log at its bound is full, keeps nothing of the refused batch, and goes on when it may', async (t) => {
  const folder = folderFor(t)
  const options = { folder, randomBytes, wallMs: 0 }
  const store = openEventStore({ ...options, sizeBytesMax: 200_000 })
  let last = 0
  while ((await store.append([chat('na', last + 1), chat('na', last + 2)])).ok) last += 2
  t.true(last > 100)
  t.deepEqual(await store.append([chat('na', last + 1), chat('na', last + 2)]), {
    ok: false,
    cause: 'full',
  })
  t.deepEqual(store.versionVector(), { na: last })
  t.is([...store.readRoom('hall')].length, last, 'reading goes on')
  await store.close()
  const larger = openEventStore(options)
  t.teardown(() => larger.close())
  t.deepEqual(await larger.append([chat('na', last + 1)]), { ok: true })
})

test('causes tell a full from a read-only disk', async (t) => {
  t.is(causeOfSqliteError({ errcode: 13 }), 'full')
  t.is(causeOfSqliteError({ errcode: 8 | (5 << 8) }), 'read-only')
  t.is(causeOfSqliteError(new Error('x')), 'failed')
})

test('a disk that is really full refuses, loses nothing acknowledged, and heals when there is room', async (t) => {
  const folder = folderFor(t)
  const fixture = fileURLToPath(new URL('full-disk.fixture.ts', import.meta.url))
  const script = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1"'
  const namespace = ['--user', '--map-root-user', '--mount']
  if (spawnSync(UNSHARE, [...namespace, 'mount', '-t', 'tmpfs', 'none', folder]).status !== 0) {
    t.log('not run: this machine gives no mount namespaces')
    t.pass()
    return
  }
  const args = [...namespace, 'sh', '-c', script, 'sh', folder, process.execPath, fixture]
  const child = spawnSync(UNSHARE, args, { encoding: 'utf8' })
  const { acknowledged, refused, again, healed, report } = JSON.parse(child.stdout)
  t.deepEqual(refused, { ok: false, cause: 'full' })
  t.deepEqual(again, { ok: false, cause: 'full' })
  t.deepEqual(healed, { ok: true })
  t.true(acknowledged > 10)
  t.deepEqual(report, { eventCount: acknowledged + 1, lostCount: 0, salvagedFrom: null })
})

test('an event too large for the log fails its batch, and the next one is written', async (t) => {
  const store = open(folderFor(t))
  t.teardown(() => store.close())
  const large = chat('na', 2, { text: 'x'.repeat(EVENT_PAYLOAD_BYTES_MAX) })
  t.deepEqual(await store.append([chat('na', 1), large]), { ok: false, cause: 'failed' })
  t.deepEqual(store.versionVector(), {})
  t.deepEqual(await store.append([chat('na', 1)]), { ok: true })
  t.deepEqual(await store.append([]), { ok: true }, 'an empty batch only tries')
})

test('a checkpoint is kept until something before it comes late, or a bit of it flips', async (t) => {
  const folder = folderFor(t)
  const store = open(folder)
  await store.append(range(1, 5).map((one) => chat('na', one)))
  const checkpoint = {
    room: 'hall',
    last: { time: 50, origin: 'na', sequence: 5 },
    text: '{"x":"Huế"}',
  }
  store.keep(checkpoint)
  await store.append([chat('na', 6), chat('nb', 1, { time: 51 })])
  t.deepEqual(store.readCheckpoint('hall'), checkpoint)
  t.is(store.readCheckpoint('elsewhere'), undefined)
  await store.close()
  const again = open(folder)
  t.deepEqual(again.readCheckpoint('hall'), checkpoint)
  await again.append([chat('nc', 1, { time: 49 })])
  t.is(again.readCheckpoint('hall'), undefined, 'it was made without that one')
  again.keep(checkpoint)
  await again.close()
  tamper(folder, `UPDATE checkpoint SET text = '{"x":"Hue"}'`)
  const third = open(folder)
  t.is(third.readCheckpoint('hall'), undefined)
  third.keep(checkpoint)
  await third.close()
  tamper(folder, "UPDATE event SET payload = '' WHERE sequence = 3")
  const fourth = open(folder)
  t.teardown(() => fourth.close())
  t.is(fourth.readCheckpoint('hall'), undefined, 'a lost event may be in it')
})

test('while a batch is being written, reads see what was there before, and wait for nothing', async (t) => {
  const store = open(folderFor(t))
  t.teardown(() => store.close())
  await store.append([chat('na', 1)])
  const written = store.append(range(2, 2_000).map((one) => chat('na', one)))
  const seen = [...store.readRoom('hall')].length
  t.true(seen === 1 || seen === 2_000, `${seen}`)
  t.deepEqual(store.versionVector(), { na: 1 })
  t.deepEqual(await written, { ok: true })
  t.deepEqual(store.versionVector(), { na: 2_000 })
  t.is([...store.readRoom('hall')].length, 2_000)
})

test('a second node on the same folder is refused', async (t) => {
  const folder = folderFor(t)
  const store = open(folder)
  t.teardown(() => store.close())
  const error = t.throws(() => open(folder), { instanceOf: StoreError })
  t.is(error.code, 'locked')
})

test('a log of a newer program is refused, not altered', async (t) => {
  const folder = folderFor(t)
  await open(folder).close()
  tamper(folder, 'PRAGMA user_version = 99')
  const error = t.throws(() => open(folder), { instanceOf: StoreError })
  t.is(error.code, 'newer-version')
})

for (const [where, sequence] of [
  ['in the middle', 5],
  ['at the end', 9],
] as const) {
  test(`a flipped bit ${where} is quarantined, leaves no gap, and another node's copy repairs it`, async (t) => {
    const folder = folderFor(t)
    const before = open(folder)
    const origin = before.nodeId
    await before.append(range(1, 9).map((one) => chat(origin, one)))
    await before.close()
    tamper(
      folder,
      `UPDATE event SET payload = replace(payload, 'tin', 'tio') WHERE sequence = ${sequence}`,
    )
    const store = open(folder)
    t.is(store.report.lostCount, 1)
    t.deepEqual(store.lostEvents(), [{ origin, sequence }])
    t.deepEqual(store.versionVector(), { [origin]: 9 }, 'its number is not used again')
    t.is([...store.readRoom('hall')].length, 8)
    t.like(store.readOrigin(origin, sequence - 1, 1)[0], { sequence, type: 'lost' })
    t.not(store.nodeId, origin, 'a damaged log may have lost its end, so a new origin writes on')
    t.deepEqual(store.formerNodeIds, [origin])
    t.deepEqual(await store.append([chat(origin, sequence)]), { ok: true })
    t.deepEqual(store.lostEvents(), [])
    await store.close()
    const again = open(folder)
    t.teardown(() => again.close())
    t.is([...again.readRoom('hall')].length, 9)
    t.is(again.report.lostCount, 0)
    t.is(again.nodeId, store.nodeId)
  })
}

test('a damaged number or origin makes no endless gaps', async (t) => {
  const folder = folderFor(t)
  const before = open(folder)
  await before.append(range(1, 5).map((one) => chat('na', one)))
  await before.close()
  tamper(folder, 'UPDATE event SET sequence = 9007199254740993 WHERE sequence = 5')
  tamper(folder, "UPDATE event SET origin = 'nb', time = 9223372036854775807 WHERE sequence = 3")
  const store = open(folder)
  t.teardown(() => store.close())
  t.deepEqual(store.versionVector(), { na: 4 })
  t.deepEqual(store.lostEvents(), [{ origin: 'na', sequence: 3 }])
})

test('a file whose structure is damaged is put aside, and what can be read is kept', async (t) => {
  const folder = folderFor(t)
  const before = open(folder)
  await before.append(range(1, 3_000).map((one) => chat(before.nodeId, one)))
  await before.close()
  const path = join(folder, 'events.sqlite')
  const bytes = readFileSync(path)
  // Two pages in the middle lose their b-tree headers.
  bytes.fill(0xa5, 40 * 4_096, 42 * 4_096)
  writeFileSync(path, bytes)
  const store = open(folder)
  t.teardown(() => store.close())
  t.regex(String(store.report.salvagedFrom), /events\.sqlite\.damaged-/)
  t.not(store.nodeId, before.nodeId)
  const kept = [...store.readRoom('hall')].length
  t.true(kept > 1_000 && kept < 3_000, `${kept}`)
  t.is(kept + store.report.lostCount, store.versionVector()[before.nodeId]!)
  t.deepEqual(await store.append([chat(store.nodeId, 1)]), { ok: true })
})

test('a file that is no database at all is put aside', async (t) => {
  const folder = folderFor(t)
  appendFileSync(join(folder, 'events.sqlite'), 'x'.repeat(10_000))
  const store = open(folder)
  t.teardown(() => store.close())
  t.is(store.report.eventCount, 0)
  t.is(readdirSync(folder).filter((name) => name.includes('damaged')).length, 1)
})

test('a host answers a crowd with few transactions, joined before room, and says goodbye at the end', async (t) => {
  const folder = folderFor(t)
  const store = open(folder)
  let transactions = 0
  const now = { nowMs: 0, wallMs: Date.UTC(2026, 0, 1) }
  const conference = createConference({ store, randomBytes, now })
  const host = createConferenceHost({
    conference,
    log: store,
    onAppended: () => {
      transactions += 1
    },
  })
  const seen: string[] = []
  host.onNotice = (notice) => seen.push(notice.type)
  const identity = { name: 'An', site: 'Huế', subject: '', tokenId: '', tokenExpiresMs: 4e12 }
  const joins = await Promise.all(
    range(1, 1_000).map(async (connection) => {
      const role = connection === 1 ? 'chair' : 'viewer'
      const result = await host.join({ room: 'hall', identity: { ...identity, role }, connection })
      if (connection === 1) seen.push('joined')
      return result
    }),
  )
  t.true(joins.every(({ ok }) => ok))
  t.is(transactions, 1)
  await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(seen.slice(0, 2), ['joined', 'room'])
  await host.close()
  t.is(conference.summary('hall')!.counts.audience, 0)
  const late = await host.operate('hall', { type: 'lock', locked: true })
  t.is(late.ok ? 'ok' : late.code, 'bad-state')
  await store.close()
})
