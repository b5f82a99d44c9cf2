/** A core and a relay with one log between them: what either decides is so at both, for those who are there. */
import test from 'ava'
import { ROOM_EMPTY_MS, SESSION_RESUME_MS } from '../../config/limits.ts'
import { MemoryStore, TestConference } from './conference.fixture.ts'

/** A core, and a relay below it. Nothing crosses until `exchange`. */
function tree() {
  const core = new TestConference(new MemoryStore('ncore'))
  const relay = new TestConference(new MemoryStore('nrelay'), { closesEmptyRooms: false })
  return { core, relay }
}

/** What each lacks of the other, as the trunk does it; both clocks show the same. */
function exchange(core: TestConference, relay: TestConference): void {
  const there = [...relay.store.events]
  relay.ingest([...core.store.events])
  core.ingest(there)
  pass(core, relay, 0)
}

function pass(core: TestConference, relay: TestConference, ms: number): void {
  for (const node of [core, relay]) node.pass(ms)
}

/** The room without what each node counts for itself. */
function seen(node: TestConference) {
  const { revision: _revision, ...rest } = node.conference.summary('hall')!
  const roster = node.conference.roster('hall', { limit: 100 })
  return { ...rest, roster, chat: node.conference.chatPage('hall', undefined, 100) }
}

function noticed(node: TestConference) {
  return node.takeNotices().filter(({ type }) => type !== 'room')
}

test('stage, hands, chat, roster and counts are the same on both nodes', (t) => {
  const { core, relay } = tree()
  const chair = core.join('chair', { name: 'Chủ tọa', site: 'Hà Nội' }).participant
  const far = relay.join('speaker', { name: 'Mai', site: 'Mường Nhé' }).participant
  const viewer = relay.join('viewer', { name: 'Lò', site: 'Mường Nhé' }).participant
  relay.ask(far, { type: 'publish', use: 'camera', live: true })
  relay.ask(viewer, { type: 'hand', raised: true })
  core.ask(chair, { type: 'chat', text: 'nghe rõ không?' })
  exchange(core, relay)
  relay.ask(far, { type: 'chat', text: 'rõ ạ' })
  exchange(core, relay)
  t.deepEqual(seen(relay), seen(core))
  t.like(seen(core), { hands: [viewer], counts: { sites: 2, stage: 2, audience: 1, hands: 1 } })
  t.is(seen(core).roster.total, 3)
  t.deepEqual(
    seen(core).chat.entries.map(({ text }) => text),
    ['nghe rõ không?', 'rõ ạ'],
  )
  const late = relay.join('viewer')
  t.is(late.room.stage.length, 2)
  t.is(late.chat.length, 2)
})

test('a room that another node has opened is told to those who look from here', (t) => {
  const { core, relay } = tree()
  const { participant } = core.join('speaker')
  exchange(core, relay)
  pass(core, relay, 200)
  const deltas = relay.takeNotices().filter((notice) => notice.type === 'room')
  t.is(deltas[0]?.delta.stage?.set[0]?.participant, participant)
})

test('a kick by a chair of another node ends the session here, and keeps the token out', (t) => {
  const { core, relay } = tree()
  const chair = core.join('chair').participant
  const token = { subject: 'u7', tokenId: 't7' }
  const bad = relay.join('viewer', token).participant
  const good = relay.join('viewer').participant
  exchange(core, relay)
  for (const node of [core, relay]) node.takeNotices()
  t.is(core.ask(chair, { type: 'kick', participant: bad, reason: 'ồn' }), 'ok')
  exchange(core, relay)
  const gone = { type: 'gone', participant: bad, cause: 'kicked', reason: 'ồn' }
  t.like(noticed(relay), [gone])
  t.deepEqual(noticed(core), [])
  t.is(relay.ask(bad, { type: 'chat', text: 'x' }), 'not-found')
  t.is(relay.ask(good, { type: 'chat', text: 'x' }), 'ok')
  for (const node of [core, relay]) {
    const again = node.tryJoin('viewer', token)
    t.is(again.ok ? 'ok' : again.code, 'kicked')
  }
})

test('mutes, hands and the stage are the chair’s, wherever the chair is', (t) => {
  const { core, relay } = tree()
  const chair = core.join('chair').participant
  const far = relay.join('viewer').participant
  relay.ask(far, { type: 'hand', raised: true })
  exchange(core, relay)
  relay.takeNotices()
  t.is(core.ask(chair, { type: 'stage', participant: far, onStage: true }), 'ok')
  exchange(core, relay)
  t.like(noticed(relay), [
    {
      type: 'self',
      participant: far,
      self: { onStage: true, permitted: ['microphone', 'camera', 'screen'] },
    },
  ])
  t.deepEqual(relay.conference.summary('hall')?.hands, [])
  relay.ask(far, { type: 'publish', use: 'microphone', live: true })
  exchange(core, relay)
  relay.takeNotices()
  const mute = { type: 'mute', participant: far, use: 'microphone', muted: true } as const
  t.is(core.ask(chair, mute), 'ok')
  exchange(core, relay)
  const [notice] = noticed(relay)
  t.true(notice?.type === 'self' && notice.self.muted.microphone.chair)
  t.is(relay.ask(far, { ...mute, muted: false }), 'forbidden')
})

test('who leaves on another node leaves nobody here', (t) => {
  const { core, relay } = tree()
  core.join('chair')
  const far = relay.join('viewer').participant
  exchange(core, relay)
  for (const node of [core, relay]) node.takeNotices()
  t.is(relay.ask(far, { type: 'leave' }), 'ok')
  exchange(core, relay)
  t.deepEqual(noticed(core), [])
  t.is(core.conference.summary('hall')?.counts.audience, 0)
  t.is(core.conference.participant(far), undefined)
})

test('nobody acts for a participant whose session another node holds', (t) => {
  const { core, relay } = tree()
  core.join('chair')
  const far = relay.join('chair').participant
  exchange(core, relay)
  t.is(core.ask(far, { type: 'lock', locked: true }), 'not-found')
  core.conference.disconnected(far, 1, core.nowMs)
  pass(core, relay, SESSION_RESUME_MS + 1_000)
  t.is(core.conference.summary('hall')?.counts.stage, 2)
})

test('a lock and an emergency hold on every node', (t) => {
  const { core, relay } = tree()
  const chair = core.join('chair').participant
  relay.join('viewer')
  core.ask(chair, { type: 'lock', locked: true })
  core.ask(chair, { type: 'emergency', on: true })
  exchange(core, relay)
  const refused = relay.tryJoin('viewer')
  t.is(refused.ok ? 'ok' : refused.code, 'room-locked')
  t.true(relay.conference.summary('hall')?.emergency)
})

test('a room that is closed on one node is closed on all, and everybody goes home', (t) => {
  const { core, relay } = tree()
  const chair = core.join('chair').participant
  const far = relay.join('viewer').participant
  exchange(core, relay)
  relay.takeNotices()
  core.ask(chair, { type: 'close-room' })
  exchange(core, relay)
  t.like(noticed(relay), [
    { type: 'gone', participant: far, cause: 'room-closed' },
    { type: 'room-closed', cause: 'chair' },
  ])
  t.is(relay.conference.summary('hall'), undefined)
  t.is(core.conference.summary('hall'), undefined)
})

test('a room that is empty here but not elsewhere stays open; the topmost node closes one that all have left', (t) => {
  const { core, relay } = tree()
  const far = relay.join('viewer').participant
  exchange(core, relay)
  pass(core, relay, 2 * ROOM_EMPTY_MS)
  t.truthy(core.conference.summary('hall'))
  const near = core.join('viewer').participant
  relay.ask(far, { type: 'leave' })
  exchange(core, relay)
  pass(core, relay, 2 * ROOM_EMPTY_MS)
  t.truthy(relay.conference.summary('hall'), 'somebody is at the core')
  core.ask(near, { type: 'leave' })
  exchange(core, relay)
  pass(core, relay, 2 * ROOM_EMPTY_MS)
  t.is(core.conference.summary('hall'), undefined)
  relay.flush()
  t.truthy(relay.conference.summary('hall'), 'not for the relay to decide')
  exchange(core, relay)
  t.is(relay.conference.summary('hall'), undefined)
})

test('who is on a node that is cut off stays listed, and what both sides did is one room afterwards', (t) => {
  const { core, relay } = tree()
  const chair = core.join('chair').participant
  const far = relay.join('chair').participant
  const site = relay.join('speaker').participant
  exchange(core, relay)
  // An hour without a word.
  pass(core, relay, 3_600_000)
  t.is(core.conference.summary('hall')?.counts.stage, 3)
  core.ask(chair, { type: 'lock', locked: true })
  core.ask(chair, { type: 'chat', text: 'chờ Mường Nhé' })
  pass(core, relay, 1_000)
  relay.ask(far, { type: 'mute', participant: site, use: 'microphone', muted: true })
  const newcomer = relay.join('viewer').participant
  relay.ask(far, { type: 'chat', text: 'tự họp tiếp' })
  exchange(core, relay)
  t.deepEqual(seen(core), seen(relay))
  const { locked, counts } = core.conference.summary('hall')!
  t.true(locked)
  t.is(counts.audience, 1)
  t.true(
    core.conference.roster('hall', { limit: 9 }).members.some((m) => m.participant === newcomer),
  )
})

test('a node that starts again sends home its own, not those of others', (t) => {
  const { core, relay } = tree()
  const chair = core.join('chair').participant
  relay.join('viewer')
  exchange(core, relay)
  const restarted = new TestConference(relay.store, { closesEmptyRooms: false })
  restarted.pass(0)
  const members = restarted.conference.roster('hall', { limit: 9 }).members
  t.deepEqual(
    members.map(({ participant }) => participant),
    [chair],
  )
})
