import test from 'ava'
import {
  PARTICIPANTS_PER_ROOM_MAX,
  REQUESTS_QUEUED_MAX,
  ROOMS_MAX,
  SESSION_RESUME_MS,
  STAGE_MEMBERS_MAX,
  STORE_RETRY_MS,
} from '../../config/limits.ts'
import { TestConference } from './conference.fixture.ts'
import type { Role } from './roles.ts'

test('a full disk refuses new control events, changes nothing, resumes sessions, and heals by itself', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  const viewer = hall.join('viewer')
  hall.pass(1_000)
  const before = hall.conference.summary('hall')
  hall.store.refuses = 'full'
  t.is(hall.ask(chair, { type: 'lock', locked: true }), 'store-unavailable')
  t.is(hall.conference.storeState, 'full')
  t.deepEqual(hall.conference.summary('hall'), before)
  const refused = hall.tryJoin('viewer', { room: 'fresh' })
  t.is(refused.ok ? 'ok' : refused.code, 'store-unavailable')
  t.is(hall.conference.summary('fresh'), undefined)
  t.true(hall.join('viewer', { resume: viewer }).resumed)
  hall.pass(STORE_RETRY_MS)
  t.is(hall.conference.storeState, 'full', 'it asks again and again')
  hall.store.refuses = null
  hall.pass(STORE_RETRY_MS)
  t.is(hall.conference.storeState, 'ok')
  t.is(hall.ask(chair, { type: 'lock', locked: true }), 'ok')
  const sequences = hall.store.events.map(({ sequence }) => sequence)
  t.deepEqual(
    sequences,
    sequences.map((_, index) => index + 1),
  )
})

test('who left while the disk was full leaves the log when it heals', (t) => {
  const hall = new TestConference()
  const viewer = hall.join('viewer', { connection: 5 })
  hall.store.refuses = 'read-only'
  hall.conference.disconnected(viewer.participant, 5, hall.nowMs)
  hall.pass(SESSION_RESUME_MS + 5_000)
  t.truthy(hall.conference.participant(viewer.participant))
  hall.store.refuses = null
  hall.pass(STORE_RETRY_MS)
  t.is(hall.conference.participant(viewer.participant), undefined)
})

test('participants of a former run leave when the node starts again', (t) => {
  const hall = new TestConference()
  hall.join('chair')
  hall.join('viewer')
  const restarted = new TestConference(hall.store)
  restarted.pass(0)
  t.like(restarted.conference.summary('hall')!.counts, { stage: 0, audience: 0 })
  t.like(hall.store.events.at(-1), { type: 'left', payload: { cause: 'node-restarted' } })
})

test('clock steps of an hour either way do not disturb the order', (t) => {
  const hall = new TestConference()
  const { participant } = hall.join('chair')
  for (const stepMs of [3_600_000, -7_200_000, 3_600_000]) {
    hall.wallMs += stepMs
    hall.ask(participant, { type: 'chat', text: String(stepMs) })
  }
  const times = hall.store.events.map(({ time }) => time)
  t.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
  t.is(new Set(times).size, times.length)
})

test('a full stage sends further speakers to the audience, and the chair gets room-full', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  for (let count = 1; count < STAGE_MEMBERS_MAX; count += 1)
    t.true(hall.join('speaker').self.onStage)
  const late = hall.join('speaker')
  t.false(late.self.onStage)
  const call = { type: 'stage', participant: late.participant, onStage: true } as const
  t.is(hall.ask(chair, call), 'room-full')
})

test('a full room, too many rooms and too many requests are refused with their codes', (t) => {
  const hall = new TestConference()
  const codes = new Map<string, number>()
  const note = (code: string) => codes.set(code, (codes.get(code) ?? 0) + 1)
  const identity = { name: '', site: '', subject: '', tokenId: '', tokenExpiresMs: 0 }
  const ask = (room: string, role: Role) =>
    hall.conference.join({ room, identity: { ...identity, role }, connection: 1 }, (result) =>
      note(result.ok ? 'ok' : result.code),
    )
  for (let count = 0; count <= PARTICIPANTS_PER_ROOM_MAX; count += 1) ask('hall', 'viewer')
  hall.flush()
  t.deepEqual(
    [...codes],
    [
      ['ok', PARTICIPANTS_PER_ROOM_MAX],
      ['room-full', 1],
    ],
  )
  codes.clear()
  for (let count = 0; count < ROOMS_MAX; count += 1) ask(`room ${count}`, 'viewer')
  hall.flush()
  t.deepEqual(
    [...codes],
    [
      ['ok', ROOMS_MAX - 1],
      ['overloaded', 1],
    ],
  )
  codes.clear()
  for (let count = 0; count <= REQUESTS_QUEUED_MAX; count += 1) ask('', 'viewer')
  t.deepEqual([...codes], [['overloaded', 1]])
})

test('names, texts and reasons beyond their bounds are too large', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  const viewer = hall.join('viewer').participant
  const long = hall.tryJoin('viewer', { name: 'x'.repeat(257) })
  t.is(long.ok ? 'ok' : long.code, 'too-large')
  t.is(hall.ask(chair, { type: 'chat', text: 'x'.repeat(2_001) }), 'too-large')
  const reason = 'x'.repeat(201)
  t.is(hall.ask(chair, { type: 'kick', participant: viewer, reason }), 'too-large')
})
