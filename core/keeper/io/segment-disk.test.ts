import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { KeeperHealth, SegmentEntry } from '../contract.ts'
import { missingIn } from '../coverage.ts'
import { ROOM_START_MS, soundSegment } from '../segment.fixture.ts'
import { hashOf, readSegment, type SegmentContents, writeSegment } from '../segment-format.ts'
import { INDEX_FILE, SegmentDisk } from './segment-disk.ts'
import { SegmentFiles } from './segment-files.ts'

const TRACK = { room: 'giao-ban', participant: 'p1', use: 'microphone', name: 'Mai' } as const
const GB = 1_000_000_000

type Stage = {
  disk: SegmentDisk
  folder: string
  stored: SegmentEntry[]
  dropped: SegmentEntry[]
  damaged: SegmentEntry[]
  health: KeeperHealth[]
  clock: { nowMs: number; wallMs: number }
  again: () => Promise<Stage>
}

async function open(t: ExecutionContext, more: Partial<{ bytes: number; folder: string }> = {}) {
  const folder = more.folder ?? mkdtempSync(join(tmpdir(), 'nhipcau-segments-'))
  if (more.folder === undefined) {
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  }
  const stage: Omit<Stage, 'disk'> = {
    ...{ folder, stored: [], dropped: [], damaged: [], health: [] },
    clock: { nowMs: 0, wallMs: ROOM_START_MS },
    again: () => open(t, { ...more, folder }),
  }
  const disk = await SegmentDisk.open({
    folder,
    origin: 'node-1',
    bounds: { hours: 4, bytes: more.bytes ?? GB },
    now: () => stage.clock,
    onStored: (entries) => stage.stored.push(...entries),
    onDropped: (entries) => stage.dropped.push(...entries),
    onDamaged: (entry) => stage.damaged.push(entry),
    onHealth: (health) => stage.health.push(health),
    onNote: (level, message, fields) => {
      if (level !== 'info') t.log(message, fields)
    },
  })
  return { ...stage, disk }
}

/** Two seconds of sound, as a recorder gives them. */
function draft(index: number, more: Partial<SegmentContents> = {}) {
  const { frames, ...rest } = soundSegment({
    startMs: ROOM_START_MS + index * 2_000,
    gapBefore: index === 0,
    ...more,
  })
  return { track: TRACK, draft: { ...rest, frames } }
}

async function record(stage: Stage, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++) stage.disk.record(draft(index))
  await stage.disk.flush()
}

const fileOf = (folder: string, hash: string): string =>
  join(folder, hash.slice(0, 2), `${hash}.seg`)

test('segments of a track are chained, and read back as they were written', async (t) => {
  const stage = await open(t)
  await record(stage, 0, 3)
  await record(stage, 3, 5)
  t.deepEqual(
    stage.stored.map(({ sequence }) => sequence),
    [0, 1, 2, 3, 4],
  )
  for (const [index, { hash, previous }] of stage.stored.entries()) {
    t.is(previous, stage.stored[index - 1]?.hash ?? '')
    const outcome = await stage.disk.read(hash)
    t.true(outcome.ok && hashOf(outcome.bytes) === hash)
  }
  t.like(await stage.disk.read('0'.repeat(64)), { ok: false, reason: 'unknown' })
  await stage.disk.close()
})

test('a chain goes on after a restart, and a lost index is made again from the files', async (t) => {
  const stage = await open(t)
  await record(stage, 0, 3)
  await stage.disk.close()
  const second = await stage.again()
  await record(second, 3, 4)
  t.like(second.stored[0], { sequence: 3, previous: stage.stored[2]!.hash })
  await second.disk.close()
  for (const suffix of ['', '-wal', '-shm']) {
    rmSync(join(stage.folder, INDEX_FILE + suffix), { force: true })
  }
  writeFileSync(join(stage.folder, INDEX_FILE), 'not a database, but as long as a header of one')
  writeFileSync(join(stage.folder, 'tmp', 'half.seg'), 'half')
  const third = await stage.again()
  t.is(third.disk.health.segmentCount, 4)
  t.deepEqual(readdirSync(join(stage.folder, 'tmp')), [])
  await record(third, 4, 5)
  t.like(third.stored[0], { sequence: 4, previous: second.stored[0]!.hash })
  await third.disk.close()
})

test('a damaged segment is set aside when it is read, and may be put again', async (t) => {
  const stage = await open(t)
  await record(stage, 0, 3)
  const { hash } = stage.stored[1]!
  const sound = readFileSync(fileOf(stage.folder, hash))
  const altered = Buffer.from(sound)
  altered[200] = altered[200]! ^ 1
  writeFileSync(fileOf(stage.folder, hash), altered)
  t.like(await stage.disk.read(hash), { ok: false, reason: 'damaged' })
  t.is(stage.damaged[0]?.hash, hash)
  t.like(await stage.disk.read(hash), { ok: false, reason: 'unknown' })
  t.is(readdirSync(join(stage.folder, 'damaged')).length, 1)
  t.is(stage.disk.health.segmentCount, 2)
  t.like(await stage.disk.put(new Uint8Array(altered), hash), { ok: false, reason: 'wrong-hash' })
  t.like(await stage.disk.put(new Uint8Array(sound), hash), { ok: true, state: 'stored' })
  t.like(await stage.disk.put(new Uint8Array(sound), hash), { ok: true, state: 'known' })
  t.true((await stage.disk.read(hash)).ok)
  await stage.disk.close()
})

test('what does not fit its chain is not taken', async (t) => {
  const stage = await open(t)
  const first = writeSegment(soundSegment({ origin: 'far' }))
  const second = writeSegment(
    soundSegment({
      ...{ origin: 'far', sequence: 1, previous: hashOf(first), gapBefore: false },
      startMs: ROOM_START_MS + 2_000,
    }),
  )
  const forged = writeSegment(
    soundSegment({ origin: 'far', sequence: 1, previous: 'ee'.repeat(32) }),
  )
  const third = writeSegment(soundSegment({ origin: 'far', sequence: 2, previous: hashOf(forged) }))
  // Out of order: neighbours are looked at on both sides.
  t.like(await stage.disk.put(second.slice()), { ok: true, state: 'stored' })
  t.like(await stage.disk.put(first.slice()), { ok: true, state: 'stored' })
  t.like(await stage.disk.put(forged.slice()), { ok: false, reason: 'wrong-chain' })
  t.like(await stage.disk.put(third.slice()), { ok: false, reason: 'wrong-chain' })
  t.like(await stage.disk.put(first.slice(0, 50)), { ok: false, reason: 'malformed' })
  const old = writeSegment(soundSegment({ origin: 'far', startMs: ROOM_START_MS - 5 * 3_600_000 }))
  t.like(await stage.disk.put(old), { ok: false, reason: 'too-old' })
  const before = soundSegment({ origin: 'far', name: 'another', chainMs: ROOM_START_MS })
  t.like(await stage.disk.put(writeSegment(before)), { ok: false, reason: 'wrong-chain' })
  await stage.disk.close()
})

test('the ring keeps its bytes: the oldest leave', async (t) => {
  // Each file is one block.
  const stage = await open(t, { bytes: 10 * 4_096 })
  await record(stage, 0, 10)
  t.is(stage.dropped.length, 0)
  await record(stage, 10, 13)
  t.deepEqual(
    stage.dropped.map(({ sequence }) => sequence),
    [0, 1, 2],
  )
  t.like(stage.disk.health, { segmentCount: 10, sizeBytes: 10 * 4_096, state: 'storing' })
  const files = [...SegmentFiles.prefixes()].flatMap((prefix) => {
    try {
      return readdirSync(join(stage.folder, prefix))
    } catch {
      return []
    }
  })
  t.is(files.length, 10)
  await stage.disk.close()
})

test('the ring keeps its hours, also when nothing new comes', async (t) => {
  const stage = await open(t)
  stage.clock.wallMs += 10_000
  await record(stage, 0, 3)
  stage.clock.wallMs = ROOM_START_MS + 4 * 3_600_000 + 3_000
  await stage.disk.flush()
  t.deepEqual(
    stage.dropped.map(({ sequence }) => sequence),
    [0, 1],
  )
  t.is(stage.disk.health.oldestMs, ROOM_START_MS + 4_000)
  await stage.disk.close()
})

test('a disk that refuses is told, what was recorded meanwhile is written afterwards', async (t) => {
  const stage = await open(t)
  await record(stage, 0, 1)
  // Nobody, not even root, writes into a folder that is a file.
  rmSync(join(stage.folder, 'tmp'), { recursive: true })
  writeFileSync(join(stage.folder, 'tmp'), '')
  await record(stage, 1, 3)
  t.is(stage.health.at(-1)?.state, 'failed')
  const put = stage.disk.put(writeSegment(soundSegment({ origin: 'far' })))
  t.like(await put, { ok: false, reason: 'failed' })
  // The batch that refused it has ended.
  await stage.disk.flush()
  t.is(stage.disk.health.segmentCount, 1)
  t.is(stage.stored.length, 1)
  rmSync(join(stage.folder, 'tmp'))
  new SegmentFiles(stage.folder)
  stage.clock.nowMs += 2_001
  await stage.disk.flush()
  t.is(stage.health.at(-1)?.state, 'storing')
  t.deepEqual(
    stage.stored.map(({ sequence, gapBefore }) => [sequence, gapBefore]),
    [
      [0, true],
      [1, false],
      [2, false],
    ],
  )
  await stage.disk.close()
})

test('beyond its bound in memory the oldest are lost, and the chain says so', async (t) => {
  const stage = await open(t)
  await record(stage, 0, 1)
  const frame = soundSegment().frames[0]!
  const frames = Array.from({ length: 3 }, (_, index) => ({
    ...frame,
    offsetTicks: index * 960,
    bytes: new Uint8Array(1_000_000),
  }))
  for (let index = 1; index < 13; index++) stage.disk.record(draft(index, { frames }))
  t.is(stage.disk.queue.lost, 1)
  await stage.disk.flush()
  t.like(stage.stored[1], { sequence: 1, gapBefore: true, startMs: ROOM_START_MS + 4_000 })
  t.like(stage.stored[2], { sequence: 2, gapBefore: false })
  await stage.disk.close()
})

test('kill -9 while it writes leaves whole segments in a sound chain', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-segments-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  let told = 0
  for (let round = 0; round < 3; round++) {
    const program = new URL('./record-forever.fixture.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [program, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    for await (const chunk of child.stdout) {
      told = Math.max(told, ...String(chunk).trim().split('\n').map(Number))
      if (told > 40 * (round + 1)) break
    }
    child.kill('SIGKILL')
    await gone
  }
  const stage = await open(t, { folder })
  const { segmentCount } = stage.disk.health
  // What was told as stored is there, whatever else is.
  t.true(segmentCount > told, `${segmentCount} on disk, ${told} told`)
  let before = ''
  for (const { hash, previous } of allOf(stage)) {
    t.is(previous, before)
    const outcome = await stage.disk.read(hash)
    t.true(outcome.ok && readSegment(outcome.bytes) !== undefined)
    before = hash
  }
  t.is(stage.damaged.length, 0)
  await stage.disk.close()
})

function allOf({ disk }: Stage): SegmentEntry[] {
  const all = disk.list({ room: TRACK.room, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER })
  return all.sort((one, other) => one.sequence - other.sequence)
}

test('what is missing is what nobody recorded, not the silence in between', (t) => {
  const piece = (sequence: number, startMs: number, more = {}) => ({
    ...{ origin: 'a', chainMs: 1, sequence, startMs, durationMs: 2_000 },
    ...{ gapBefore: false, incomplete: false, ...more },
  })
  const range = { fromMs: 0, toMs: 10_000 }
  t.deepEqual(missingIn(range, []), [range])
  t.deepEqual(missingIn(range, [piece(0, 0), piece(1, 2_020), piece(2, 8_000)]), [])
  t.deepEqual(missingIn(range, [piece(0, 0), piece(1, 8_000, { gapBefore: true })]), [
    { fromMs: 2_000, toMs: 8_000 },
  ])
  t.deepEqual(missingIn(range, [piece(0, 0), piece(2, 8_000)]), [{ fromMs: 2_000, toMs: 8_000 }])
  t.deepEqual(missingIn(range, [piece(0, -1_000), piece(1, 9_500, { incomplete: true })]), [
    { fromMs: 9_500, toMs: 10_000 },
  ])
  t.deepEqual(
    missingIn(range, [
      piece(0, 0),
      piece(2, 8_000),
      piece(0, 1_900, { origin: 'b', durationMs: 7_000 }),
    ]),
    [],
  )
})
