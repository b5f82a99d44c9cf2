import test from 'ava'
import fc from 'fast-check'
import { CHECKPOINT_EVENTS_MIN } from '../../config/limits.ts'
import { arrivals, interleave } from './any-events.fixture.ts'
import { checkpointOf, stateOfCheckpoint } from './checkpoint.ts'
import { MemoryStore, TestConference } from './conference.fixture.ts'
import { compareEvents, type RoomEvent } from './events.ts'
import { RoomLog } from './room-log.ts'
import { createRoomChanges } from './room-state.ts'

test('a room opened at a checkpoint is the room read from its beginning, whatever comes late', (t) => {
  let openedCount = 0
  fc.assert(
    fc.property(arrivals, fc.nat(), ({ origins, picks }, salt) => {
      const events = interleave(origins, picks).toSorted(compareEvents)
      // Some event, or any, comes after the checkpoint was made, and belongs anywhere.
      const late = events.filter((_event, index) => (index + salt) % 7 === 0)
      const early = events.filter((event) => !late.includes(event))
      const closes = early.findLastIndex(({ type }) => type === 'room-closed')
      const before = early.slice(0, closes + 1)
      const closed = new RoomLog('hall', () => before).state
      if (closes < 0 || closed.open) return
      openedCount += 1
      const checkpoint = checkpointOf(closed, before.at(-1)!)
      t.deepEqual(stateOfCheckpoint(checkpoint), closed)
      let known: readonly RoomEvent[] = early
      const read = (after?: Parameters<typeof compareEvents>[0]) =>
        known.filter((event) => after === undefined || compareEvents(event, after) > 0)
      const log = new RoomLog('hall', read, checkpoint)
      t.is(log.foldedCount, early.length - before.length, 'only what came after it')
      t.deepEqual(log.state, new RoomLog('hall', () => early).state)
      known = events
      log.merge(late, createRoomChanges())
      t.deepEqual(log.state, new RoomLog('hall', () => events).state)
    }),
    { numRuns: 500 },
  )
  t.true(openedCount > 20, `${openedCount}`)
})

test('a checkpoint of another fold is not used', (t) => {
  const log = new RoomLog('hall', () => [])
  const last = { time: 1, origin: 'na', sequence: 1 }
  const checkpoint = checkpointOf(log.state, last)
  const text = checkpoint.text.replace(/"version":\d+/, '"version":0')
  t.not(text, checkpoint.text)
  t.is(stateOfCheckpoint({ ...checkpoint, text }), undefined)
})

test('a weekly room is opened in work that does not grow with the years, and keeps whom it threw out', (t) => {
  const store = new MemoryStore()
  let readCount = 0
  const readRoom = store.readRoom.bind(store)
  store.readRoom = (room, after) => {
    const events = readRoom(room, after)
    readCount += events.length
    return events
  }
  const hall = new TestConference(store)
  const bad = { subject: 'u1', tokenExpiresMs: Number.MAX_SAFE_INTEGER }
  for (let week = 1; week <= 5; week += 1) {
    readCount = 0
    const chair = hall.join('chair').participant
    t.is(readCount, 0, 'nothing since it was closed')
    if (week === 1) {
      const { participant } = hall.join('viewer', bad)
      t.is(hall.ask(chair, { type: 'kick', participant }), 'ok')
    }
    const again = hall.tryJoin('viewer', bad)
    t.is(again.ok ? 'ok' : again.code, 'kicked')
    for (let count = 0; count < CHECKPOINT_EVENTS_MIN; count += 1) {
      t.is(hall.ask(chair, { type: 'chat', text: `tuần ${week}, tin ${count}` }), 'ok')
    }
    t.is(hall.ask(chair, { type: 'close-room' }), 'ok')
    hall.pass(1_000)
  }
  t.is(store.checkpoints.size, 1)
})

test('a room that is closed after a few words leaves no checkpoint', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  hall.ask(chair, { type: 'close-room' })
  t.is(hall.store.checkpoints.size, 0)
})
