import { mock } from 'node:test'
import test, { type ExecutionContext } from 'ava'
import { STORE_BATCH_MS } from '../../config/limits.ts'
import {
  type AppendResult,
  createConference,
  type EventReader,
  type Result,
  type RoomEvent,
} from '../conference/index.ts'
import { createConferenceHost } from './conference-host.ts'

const EMPTY: EventReader = {
  nodeId: 'nhome',
  formerNodeIds: [],
  timeLast: 0,
  versionVector: () => ({}),
  readRoom: () => [],
  readCheckpoint: () => undefined,
  readOrigin: () => [],
  openRooms: () => [],
  lostEvents: () => [],
}

/** A log that answers when the test says so, and a host on a clock that only the test turns. */
function hostWithSlowDisk(t: ExecutionContext) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const clock = { nowMs: 1_000, wallMs: Date.UTC(2026, 0, 1) }
  const batches: (readonly RoomEvent[])[] = []
  const waiting: ((result: AppendResult) => void)[] = []
  const conference = createConference({
    store: EMPTY,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    now: clock,
  })
  const host = createConferenceHost({
    conference,
    log: {
      append: (events) => {
        batches.push(events)
        return new Promise((resolve) => waiting.push(resolve))
      },
      keep: () => undefined,
    },
    now: () => clock,
  })
  const pass = (ms: number): void => {
    clock.nowMs += ms
    clock.wallMs += ms
    mock.timers.tick(ms)
  }
  let connection = 0
  const answers: string[] = []
  const join = (): void => {
    connection += 1
    const identity = { role: 'viewer', name: '', site: '', subject: '', tokenId: '' } as const
    const request = { room: 'hall', identity: { ...identity, tokenExpiresMs: 4e12 }, connection }
    const note = (result: Result<unknown>) => answers.push(result.ok ? 'ok' : result.code)
    void host.join(request).then(note)
  }
  /** The disk has done its work; those who waited go on. */
  const finish = async (result: AppendResult = { ok: true }): Promise<void> => {
    waiting.shift()!(result)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { host, conference, batches, answers, join, pass, finish }
}

test.serial('an idle node writes at once, a busy one gathers while the disk works', async (t) => {
  const { batches, answers, join, pass, finish } = hostWithSlowDisk(t)
  join()
  pass(1)
  t.is(batches.length, 1, 'at once')
  for (let count = 0; count < 100; count += 1) {
    join()
    pass(1)
  }
  t.is(batches.length, 1, 'one batch at a time, however long the disk takes')
  t.deepEqual(answers, [])
  await finish()
  t.deepEqual(answers, ['ok'])
  pass(1)
  t.is(batches.length, 2)
  t.is(batches[1]!.length, 100, 'all that gathered')
  await finish()
  t.is(answers.length, 101)
  join()
  pass(STORE_BATCH_MS - 1)
  t.is(batches.length, 2, 'a fast disk is not asked for each of a crowd alone')
  pass(1)
  t.is(batches.length, 3)
})

test.serial(
  'a refusal is told to all of the batch, and the next try comes by itself',
  async (t) => {
    const { conference, batches, answers, join, pass, finish } = hostWithSlowDisk(t)
    join()
    join()
    pass(1)
    await finish({ ok: false, cause: 'full' })
    t.deepEqual(answers, ['store-unavailable', 'store-unavailable'])
    t.is(conference.storeState, 'full')
    pass(999)
    t.is(batches.length, 1)
    pass(1)
    t.deepEqual(batches[1], [])
    await finish()
    t.is(conference.storeState, 'ok')
  },
)

test.serial('closing waits for what is on its way, then lets everybody leave', async (t) => {
  const { host, conference, batches, answers, join, pass, finish } = hostWithSlowDisk(t)
  join()
  pass(1)
  join()
  const closed = host.close()
  join()
  for (let count = 0; count < 3; count += 1) await finish()
  await closed
  t.deepEqual(answers, ['bad-state', 'ok', 'ok'])
  t.deepEqual(
    batches.map((batch) => batch.map(({ type }) => type)),
    [['room-created', 'joined'], ['joined'], ['left', 'left']],
  )
  t.is(conference.summary('hall')?.counts.audience, 0)
})
