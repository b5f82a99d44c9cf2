import test from 'ava'
import type { ParticipantCommand } from './commands.ts'
import { TestConference } from './conference.fixture.ts'
import type { RoomEvent } from './events.ts'

/** An event whose folding throws as often as told, as a bug of ours would; later it is one that changes nothing. */
function poison(room: string, { time, times }: { time: number; times: number }): RoomEvent {
  let left = times
  return {
    type: 'hand-raised',
    get payload(): object {
      if (left-- > 0) throw new Error('a bug in the fold')
      return { participant: 'pnobody' }
    },
    origin: 'other',
    sequence: 1,
    time,
    room,
  } as unknown as RoomEvent
}

test('a bug in a decision costs that request alone', (t) => {
  const hall = new TestConference()
  const { participant } = hall.join('chair')
  const trap = {
    type: 'chat',
    get text(): string {
      throw new Error('a bug in a decision')
    },
  } as ParticipantCommand
  t.is(hall.ask(participant, trap), 'internal')
  t.is(hall.faults.length, 1)
  t.is(hall.ask(participant, { type: 'chat', text: 'vẫn nghe' }), 'ok')
})

test('a broken room closes alone: its people are told, the others go on, it opens again afterwards', (t) => {
  const hall = new TestConference()
  const victim = hall.join('chair', { room: 'broken' }).participant
  const other = hall.join('chair', { room: 'sound' }).participant
  hall.pass(1_000)
  hall.takeNotices()
  const time = hall.store.timeLast + 1
  hall.ingest([poison('broken', { time, times: 1 })])
  hall.flush()
  const notices = hall.takeNotices()
  t.true(notices.some((notice) => notice.type === 'gone' && notice.participant === victim))
  t.true(notices.some((notice) => notice.type === 'room-closed' && notice.cause === 'fault'))
  t.is(hall.conference.summary('broken'), undefined)
  t.is(hall.ask(other, { type: 'lock', locked: true }), 'ok')
  t.is(hall.faults.length, 1)
  hall.pass(1_000)
  const again = hall.join('viewer', { room: 'broken' })
  t.is(again.room.counts.audience, 1)
  t.is(again.room.counts.stage, 0, 'nobody of before is left in it')
})

test('a room that cannot be read does not keep the node from starting, nor its own numbers from being dense', (t) => {
  const before = new TestConference()
  before.join('chair', { room: 'sound' })
  before.join('chair', { room: 'broken' })
  const store = before.store
  store.append([poison('broken', { time: store.timeLast + 1, times: Number.POSITIVE_INFINITY })])
  const hall = new TestConference(store)
  t.is(hall.faults.length, 1)
  t.is(hall.join('viewer', { room: 'sound' }).room.counts.audience, 1)
  const refused = hall.tryJoin('viewer', { room: 'broken' })
  t.is(refused.ok ? 'ok' : refused.code, 'internal')
  hall.pass(1_000)
  const own = store.events.filter(({ origin }) => origin === store.nodeId)
  t.deepEqual(
    own.map(({ sequence }) => sequence),
    own.map((_event, index) => index + 1),
  )
})

test('a room whose log is poisoned is closed on disk once, however often somebody tries it', (t) => {
  const before = new TestConference()
  before.join('chair', { room: 'broken' })
  const store = before.store
  store.append([poison('broken', { time: store.timeLast + 1, times: Number.POSITIVE_INFINITY })])
  const hall = new TestConference(store)
  for (let count = 0; count < 5; count += 1) {
    const refused = hall.tryJoin('viewer', { room: 'broken' })
    t.is(refused.ok ? 'ok' : refused.code, 'internal')
    hall.pass(1_000)
  }
  t.is(store.events.filter(({ type }) => type === 'room-closed').length, 1)
  t.is(hall.faults.length, 2, 'read at the start, and once more after it was closed')
})
