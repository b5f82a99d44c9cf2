import test from 'ava'
import fc from 'fast-check'
import {
  CHAT_ENTRIES_PER_ROOM_MAX,
  CLOCK_AHEAD_MS_MAX,
  KICKS_PER_ROOM_MAX,
  LOG_SNAPSHOT_EVENTS_MIN,
  LOG_SNAPSHOTS_MAX,
} from '../../config/limits.ts'
import { arrivals, interleave, logs } from './any-events.fixture.ts'
import type { RoomDelta } from './commands.ts'
import { MemoryStore, TestConference } from './conference.fixture.ts'
import { compareEvents, type RoomEvent } from './events.ts'
import { HybridClock, hybridTime, wallMsOfTime } from './hybrid-clock.ts'
import { missingOf, sortOutIngest } from './ingest.ts'
import { parseEvent } from './parse-event.ts'
import type { PollSummary } from './polls.ts'
import { Room } from './room.ts'
import { RoomLog } from './room-log.ts'
import { createRoomChanges, type RoomState } from './room-state.ts'
import { RoomView } from './room-view.ts'

/** State as plain data; order of people is told apart where it matters (stage, hands, chat). */
function visible(state: RoomState): unknown {
  return JSON.parse(
    JSON.stringify(state, (_, value) =>
      value instanceof Map ? [...value] : value instanceof Set ? [...value] : value,
    ),
  )
}

function foldAtOnce(events: readonly RoomEvent[]): unknown {
  return visible(new RoomLog('hall', () => events.toSorted(compareEvents)).state)
}

test('any arrival of three origins’ logs, in any batches and with repeats, folds to the same state', (t) => {
  fc.assert(
    fc.property(arrivals, ({ origins, picks, batchSize }) => {
      const arriving = interleave(origins, picks)
      const log = new RoomLog('hall', () => arriving.toSorted(compareEvents))
      const empty = new RoomLog('hall', () => [])
      for (let start = 0; start < arriving.length; start += batchSize) {
        const batch = arriving.slice(start, start + batchSize)
        empty.merge(batch, createRoomChanges())
        empty.merge(batch, createRoomChanges())
      }
      t.deepEqual(visible(empty.state), visible(log.state))
    }),
    { numRuns: 250 },
  )
})

test('whoever keeps a copy of the room by deltas has what a newcomer gets', (t) => {
  fc.assert(
    fc.property(arrivals, ({ origins, picks, batchSize }) => {
      const arriving = interleave(origins, picks)
      const log = new RoomLog('hall', () => [])
      const view = new RoomView()
      const copy = structuredClone(view.summary(log.state))
      const stage = new Map<string, unknown>()
      const polls = new Map<string, PollSummary>()
      const take = (delta: RoomDelta): void => {
        const { stage: staged, polls: polled, tallies = [], ...rest } = structuredClone(delta)
        t.is(rest.revision, copy.revision + 1)
        Object.assign(copy, rest)
        for (const one of staged?.set ?? []) stage.set(one.participant, one)
        for (const id of staged?.remove ?? []) stage.delete(id)
        for (const one of polled?.set ?? []) polls.set(one.poll, one)
        for (const id of polled?.remove ?? []) polls.delete(id)
        for (const { poll, counts } of tallies) polls.get(poll)!.counts = counts
      }
      let nowMs = 0
      for (let start = 0; start < arriving.length; start += batchSize) {
        const changes = createRoomChanges()
        log.merge(arriving.slice(start, start + batchSize), changes)
        view.note(changes, log.state.participants.size)
        nowMs += 70
        const delta = view.takeDelta(log.state, nowMs)
        if (delta !== undefined) take(delta)
      }
      const last = view.takeDelta(log.state, nowMs + 1_000)
      if (last !== undefined) take(last)
      const now = view.summary(log.state)
      const byId = (members: readonly unknown[]) =>
        members.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      t.deepEqual(
        { ...copy, stage: byId([...stage.values()]), polls: byId([...polls.values()]) },
        { ...now, stage: byId(now.stage), polls: byId(now.polls) },
      )
    }),
    { numRuns: 250 },
  )
})

test('two nodes that exchange what the other lacks agree, and a second exchange moves nothing', (t) => {
  const [here, there] = ['nhere', 'nthere'].map(
    (id) => new TestConference(new MemoryStore(id)),
  ) as [TestConference, TestConference]
  const chair = here.join('chair', { subject: 'u0' }).participant
  there.join('viewer', { subject: 'u1', site: 'Sơn La' })
  here.ask(chair, { type: 'chat', text: 'một' })
  const bad = there.join('speaker', { subject: 'u2' }).participant
  there.wallMs += 5_000
  there.ask(bad, { type: 'chat', text: 'hai' })
  const exchange = () => {
    let moved = 0
    for (const [to, from] of [
      [here, there],
      [there, here],
    ] as const) {
      const missing = missingOf(from.conference.versionVector(), to.conference.versionVector())
      for (const [origin, after] of Object.entries(missing)) {
        const events = from.store.readOrigin(origin, after, 1_000)
        moved += to.ingest(events).acceptedCount
      }
      to.flush()
    }
    return moved
  }
  t.is(exchange(), 7)
  t.is(exchange(), 0)
  const summary = (one: TestConference) => ({ ...one.conference.summary('hall'), revision: 0 })
  t.deepEqual(summary(here), summary(there))
  t.is(here.conference.summary('hall')!.counts.sites, 2)
  here.wallMs += 10_000
  there.takeNotices()
  t.is(here.ask(chair, { type: 'kick', participant: bad, reason: 'x' }), 'ok')
  t.is(exchange(), 1)
  t.like(there.takeNotices()[0], { type: 'gone', participant: bad, cause: 'kicked' })
  const again = there.tryJoin('speaker', { subject: 'u2' })
  t.is(again.ok ? 'ok' : again.code, 'kicked')
})

test('a core that closed an empty room does not send home those who were in it on an island', (t) => {
  const core = new TestConference(new MemoryStore('ncore'))
  const island = new TestConference(new MemoryStore('nisland'))
  const chair = core.join('chair').participant
  island.wallMs += 1_000
  island.join('viewer')
  core.ask(chair, { type: 'leave' })
  core.pass(600_000)
  t.is(core.conference.summary('hall'), undefined)
  island.ingest(core.store.events)
  core.ingest(island.store.events.filter(({ origin }) => origin === 'nisland'))
  t.is(island.conference.summary('hall')!.counts.audience, 1)
  t.is(core.conference.summary('hall')!.counts.audience, 1)
})

const chatAt = (time: number, origin = 'na', sequence = time): RoomEvent => ({
  origin,
  sequence,
  time,
  room: 'hall',
  type: 'chat',
  payload: { participant: 'pa', name: '', site: '', text: String(time) },
})

test('late events fold again from a snapshot, older ones read the store, and memory stays bounded', (t) => {
  const stored: RoomEvent[] = []
  let reads = 0
  const log = new RoomLog('hall', () => {
    reads += 1
    return stored.toSorted(compareEvents)
  })
  const put = (event: RoomEvent) => {
    stored.push(event)
    log.merge([event], createRoomChanges())
  }
  const bound = LOG_SNAPSHOTS_MAX * (LOG_SNAPSHOT_EVENTS_MIN + CHAT_ENTRIES_PER_ROOM_MAX)
  for (let time = 1; time <= 3 * bound; time += 1) put(chatAt(time * 2))
  t.is(log.state.chat.length, CHAT_ENTRIES_PER_ROOM_MAX)
  t.true(log.recentCount <= bound, `${log.recentCount}`)
  t.true(log.foldedCount <= 3 * bound)
  const folded = log.foldedCount
  put(chatAt(6 * bound - 11, 'nb', 1))
  t.is(reads, 1, 'only the first reading')
  t.true(log.foldedCount - folded <= LOG_SNAPSHOT_EVENTS_MIN + CHAT_ENTRIES_PER_ROOM_MAX + 1)
  t.is(log.state.chat.at(-7)!.text, String(6 * bound - 11))
  put(chatAt(3, 'nb', 2))
  t.is(reads, 2)
  t.deepEqual(visible(log.state), foldAtOnce(stored))
})

test('a refused batch leaves the state as if it had never been, and the next one is folded on it', (t) => {
  for (const count of [10, LOG_SNAPSHOT_EVENTS_MIN, 10_000]) {
    const kept = Array.from({ length: 300 }, (_, index) => chatAt(index + 1))
    const room = new Room('hall', () => kept)
    for (let index = 1; index <= count; index += 1) room.propose(chatAt(300 + index))
    t.deepEqual(visible(room.state), foldAtOnce(kept), 'what is on its way is not seen')
    room.undo()
    t.deepEqual(visible(room.next), foldAtOnce(kept))
    for (const text of [301, 302]) {
      room.propose(chatAt(text))
      kept.push(chatAt(text))
      t.deepEqual(visible(room.next), foldAtOnce(kept))
      room.commit()
      t.deepEqual(visible(room.state), foldAtOnce(kept))
    }
  }
})

test('5,000 joins fold and show in work that grows in proportion', (t) => {
  const joined = (index: number): RoomEvent => ({
    origin: 'na',
    sequence: index,
    time: index,
    room: 'hall',
    type: 'joined',
    payload: {
      participant: `p${index}`,
      role: 'viewer',
      name: '',
      site: `${index}`,
      subject: '',
      tokenId: '',
      tokenExpiresMs: 0,
      onStage: false,
    },
  })
  const view = new RoomView()
  const log = new RoomLog('hall', () => [])
  let deltaBytes = 0
  for (let index = 1; index <= 5_000; index += 1) {
    const changes = createRoomChanges()
    log.append(joined(index), changes)
    view.note(changes, log.state.participants.size)
    const delta = view.takeDelta(log.state, index)
    if (delta !== undefined) deltaBytes += JSON.stringify(delta).length
  }
  t.is(log.foldedCount, 5_000, 'nobody is folded twice')
  t.is(log.state.participants.size, 5_000)
  t.true(deltaBytes < 25 * 120, `five deltas a second of counts alone: ${deltaBytes}`)
})

test('a chat page ends never between entries of one number, and pages lose nothing', (t) => {
  const hall = new TestConference()
  const { participant } = hall.join('chair')
  for (let index = 0; index < 250; index += 1) {
    hall.ask(participant, { type: 'chat', text: String(index) })
  }
  const texts: string[] = []
  let before: number | undefined
  for (;;) {
    const page = hall.conference.chatPage('hall', before, 40)
    texts.unshift(...page.entries.map(({ text }) => text))
    before = page.entries[0]!.number
    if (!page.more) break
  }
  t.deepEqual(
    texts,
    Array.from({ length: 250 }, (_, index) => String(index)),
  )
})

test('a room remembers a bounded number of kicks', (t) => {
  const log = new RoomLog('hall', () => [])
  for (let index = 1; index <= KICKS_PER_ROOM_MAX + 5; index += 1) {
    const payload = {
      participant: 'pz',
      subject: `u${index}`,
      tokenId: '',
      tokenExpiresMs: 0,
      reason: '',
    }
    const place = { origin: 'na', sequence: index, time: index, room: 'hall' }
    log.append({ ...place, type: 'kicked', payload }, createRoomChanges())
  }
  t.is(log.state.barredSubjects.size, KICKS_PER_ROOM_MAX)
})

test('hybrid time grows whatever the wall clock does, and follows others only so far', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3.7e12 }), { minLength: 2 }), (walls) => {
      const clock = new HybridClock(0)
      const times = walls.map((wallMs) => clock.tick(wallMs))
      for (let index = 1; index < times.length; index += 1)
        t.true(times[index]! > times[index - 1]!)
    }),
  )
  const wallMs = Date.UTC(2026, 0, 1)
  const clock = new HybridClock(0)
  t.true(clock.observe(hybridTime(wallMs + CLOCK_AHEAD_MS_MAX), wallMs))
  t.true(clock.tick(wallMs) > hybridTime(wallMs + CLOCK_AHEAD_MS_MAX))
  t.false(clock.observe(hybridTime(wallMs + CLOCK_AHEAD_MS_MAX + 1), wallMs))
  t.is(wallMsOfTime(hybridTime(wallMs)), wallMs)
  t.true(Number.isSafeInteger(hybridTime(Date.UTC(2089, 0, 1)) + 4_095))
})

test('ingest takes what is new, ignores what is known, and stops an origin at a gap or a clock too far ahead', (t) => {
  const known = { vector: { na: 2 }, lost: [{ origin: 'na', sequence: 1 }] }
  const observe = (time: number) => time < 1_000
  const sorted = (events: RoomEvent[]) => {
    const { accepted, result } = sortOutIngest(events, { ...known, observe })
    return [accepted.map(({ origin, sequence }) => `${origin}${sequence}`).join(), result.refused]
  }
  const at = (origin: string, sequence: number, time = sequence) => chatAt(time, origin, sequence)
  t.deepEqual(sorted([at('na', 2), at('na', 3), at('nb', 1)]), ['na3,nb1', null])
  t.deepEqual(sorted([at('na', 4), at('na', 5), at('nb', 1)]), ['nb1', 'gap'])
  t.deepEqual(sorted([at('nb', 1, 1_000), at('nb', 2, 5), at('na', 3)]), ['na3', 'clock-ahead'])
  t.deepEqual(sorted([at('na', 1), at('na', 1)]), ['na1', null], 'a lost event is repaired once')
})

test('events from outside are events or nothing', (t) => {
  const event = chatAt(1)
  t.deepEqual(parseEvent(structuredClone(event)), event)
  fc.assert(
    fc.property(logs, (origins) => {
      for (const one of origins.flat()) t.deepEqual(parseEvent(structuredClone(one)), one)
    }),
    { numRuns: 30 },
  )
  for (const wrong of [
    { origin: '__proto__' },
    { sequence: 0 },
    { time: -1 },
    { time: 2 ** 53 },
    { room: '' },
    { type: 'chant' },
    { payload: null },
    { payload: { ...event.payload, text: 'x'.repeat(2_001) } },
    { payload: { ...event.payload, extra: 1 } },
    { extra: 1 },
  ]) {
    t.is(parseEvent({ ...event, ...wrong }), undefined, JSON.stringify(wrong))
  }
  fc.assert(fc.property(fc.anything(), (value) => t.is(parseEvent(value), undefined)))
})
