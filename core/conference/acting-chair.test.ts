import test from 'ava'
import type { Joined } from './commands.ts'
import { MemoryStore, TestConference } from './conference.fixture.ts'
import { missingOf } from './ingest.ts'

/** What each lacks of the other's log, both ways. */
function heal(a: TestConference, b: TestConference): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const missing = missingOf(from.store.versionVector(), to.store.versionVector())
    for (const [origin, after] of Object.entries(missing)) {
      to.ingest(from.store.readOrigin(origin, after, 1_000))
    }
  }
}

function nation(): TestConference {
  return new TestConference(new MemoryStore('nhome'))
}
function province(): TestConference {
  return new TestConference(new MemoryStore('nprovince'), { closesEmptyRooms: false })
}

function cut(node: TestConference, below: string[] = []): void {
  node.conference.setIsland({ below })
  node.flush()
}

function back(node: TestConference): void {
  node.conference.setIsland(undefined)
  node.flush()
}

const actingAt = (node: TestConference): string[] =>
  node.conference.summary('hall')!.acting.map(({ name }) => name)

/** The nation's chair, and three of the province; both know all of it. */
function connected(): {
  home: TestConference
  island: TestConference
  chair: Joined
  [name: string]: unknown
  an: Joined
  binh: Joined
  chi: Joined
} {
  const home = nation()
  const island = province()
  const chair = home.join('chair', { name: 'Chair', site: 'Hà Nội' })
  heal(home, island)
  island.wallMs += 1_000
  const an = island.join('viewer', { name: 'An', site: 'Huế' })
  const binh = island.join('speaker', { name: 'Bình', site: 'Vinh' })
  const chi = island.join('speaker', { name: 'Chi', site: 'Sapa', subject: 'chi' })
  home.wallMs += 2_000
  heal(home, island)
  back(island)
  return { home, island, chair, an, binh, chi }
}

test('without a list the speaker who came first acts as chair, and not before the cut', (t) => {
  const { island, binh, chi } = connected()
  t.deepEqual(actingAt(island), [])
  t.is(island.ask(binh.participant, { type: 'lock', locked: true }), 'forbidden')
  cut(island)
  t.deepEqual(actingAt(island), ['Bình'])
  t.is(island.ask(binh.participant, { type: 'lock', locked: true }), 'ok')
  t.is(island.ask(chi.participant, { type: 'lock', locked: false }), 'forbidden')
  const delta = island.takeNotices().find((notice) => notice.type === 'room' && notice.delta.acting)
  t.truthy(delta)
})

test('the chair’s list decides, in its order: sites and people, who may have come again', (t) => {
  const { home, island, chair, chi } = connected()
  const order = [{ site: 'Cao Bằng' }, { participant: chi.participant }, { site: 'Huế' }]
  t.is(home.ask(chair.participant, { type: 'succession', order }), 'ok')
  heal(home, island)
  t.is(island.ask(chi.participant, { type: 'leave' }), 'ok')
  cut(island)
  t.deepEqual(actingAt(island), ['An'], 'the site on the list, though a viewer')
  back(island)
  const again = island.join('speaker', { name: 'Chi', site: 'Sapa', subject: 'chi' })
  cut(island)
  t.deepEqual(actingAt(island), ['Chi'])
  const { succession } = island.conference.summary('hall')!
  t.deepEqual(succession[1], { participant: again.participant })
})

test('only the chair orders who is next, and nobody whom the room does not know', (t) => {
  const { home, island, chair, binh } = connected()
  cut(island)
  const order = [{ site: 'Vinh' }]
  t.is(island.ask(binh.participant, { type: 'succession', order }), 'forbidden')
  const stranger = [{ participant: 'pnobody' }]
  t.is(home.ask(chair.participant, { type: 'succession', order: stranger }), 'not-found')
  const many = Array.from({ length: 33 }, (_, index) => ({ site: `x${index}` }))
  t.is(home.ask(chair.participant, { type: 'succession', order: many }), 'too-large')
})

test('when the acting chair leaves, the next one acts; a chair who comes ends it', (t) => {
  const { island, binh } = connected()
  cut(island)
  t.is(island.ask(binh.participant, { type: 'lock', locked: true }), 'ok')
  t.is(island.ask(binh.participant, { type: 'leave' }), 'ok')
  t.deepEqual(actingAt(island), ['Chi'])
  t.true(island.conference.summary('hall')!.locked, 'what was said of the floor stays')
  island.join('chair', { name: 'Deputy', site: 'Huế' })
  t.deepEqual(actingAt(island), [])
  const causes = island.store.events.flatMap((event) =>
    event.type === 'acting-chair' ? [event.payload.cause] : [],
  )
  t.deepEqual(causes, ['island', 'gone', 'chair'])
})

test('an acting chair moderates those of the island, not the chair nor those beyond, and does not close the room', (t) => {
  const { home, island, chair, an, binh, chi } = connected()
  const far = home.join('speaker', { name: 'Far', site: 'Đà Lạt' })
  heal(home, island)
  cut(island)
  const mute = { type: 'mute', use: 'microphone', muted: true } as const
  const act = binh.participant
  t.is(island.ask(act, { ...mute, participant: chi.participant }), 'ok')
  t.is(island.ask(act, { ...mute, participant: far.participant }), 'forbidden')
  t.is(island.ask(act, { ...mute, participant: chair.participant }), 'forbidden')
  t.is(island.ask(act, { type: 'kick', participant: far.participant }), 'forbidden')
  t.is(island.ask(act, { type: 'stage', participant: an.participant, onStage: true }), 'ok')
  t.is(island.ask(act, { type: 'close-room' }), 'forbidden')
})

test('after the heal the home’s floor is what it was there, and what the island did is in the log', (t) => {
  const { home, island, chair, binh, chi } = connected()
  cut(island)
  const pinned = { type: 'pin', participant: chi.participant } as const
  t.is(island.ask(binh.participant, pinned), 'ok')
  t.is(island.ask(binh.participant, { type: 'lock', locked: true }), 'ok')
  t.is(island.conference.summary('hall')!.pin?.participant, chi.participant)
  home.wallMs += 500
  const own = { type: 'pin', participant: chair.participant } as const
  t.is(home.ask(chair.participant, own), 'ok')
  island.wallMs += 5_000
  back(island)
  t.is(island.ask(binh.participant, { type: 'lock', locked: true }), 'forbidden')
  heal(home, island)
  for (const node of [home, island]) {
    const { pin, locked, acting } = node.conference.summary('hall')!
    t.is(pin?.participant, chair.participant)
    t.false(locked)
    t.deepEqual(acting, [])
    t.true(
      node.store.events.some(({ type, origin }) => type === 'pinned' && origin === 'nprovince'),
    )
  }
  t.is(home.conference.stateText('hall'), island.conference.stateText('hall'))
})

test('a whole subtree is one island: its topmost node appoints whoever is next below it, and follows as nodes go', (t) => {
  const { home, island } = connected()
  const district = new TestConference(new MemoryStore('ndistrict'), { closesEmptyRooms: false })
  heal(island, district)
  district.wallMs = island.wallMs + 1_000
  const dung = district.join('viewer', { name: 'Dung', site: 'Đồng Văn' })
  const order = [{ site: 'Đồng Văn' }]
  const chair = home.conference.summary('hall')!.stage[0]!.participant
  t.is(home.ask(chair, { type: 'succession', order }), 'ok')
  heal(home, island)
  heal(island, district)
  back(district)
  cut(island, ['ndistrict'])
  heal(island, district)
  t.deepEqual(actingAt(island), ['Dung'])
  t.deepEqual(actingAt(district), ['Dung'])
  t.is(district.ask(dung.participant, { type: 'emergency', on: true }), 'ok')
  cut(island, [])
  t.deepEqual(actingAt(island), ['Bình'])
  cut(district)
  t.deepEqual(actingAt(district).at(-1), 'Dung')
  back(district)
  heal(island, district)
  t.deepEqual(actingAt(district), ['Bình'])
})

test('who has just lost the connection is passed over', (t) => {
  const { island, binh } = connected()
  island.conference.disconnected(binh.participant, 2, island.nowMs)
  cut(island)
  t.deepEqual(actingAt(island), ['Chi'])
})

test('an island that restarts has its room, its list, and an acting chair again', (t) => {
  const { home, island, chair } = connected()
  const order = [{ site: 'Sapa' }]
  t.is(home.ask(chair.participant, { type: 'succession', order }), 'ok')
  heal(home, island)
  cut(island)
  t.deepEqual(actingAt(island), ['Chi'])
  const restarted = new TestConference(island.store, { closesEmptyRooms: false })
  restarted.wallMs = island.wallMs + 10_000
  restarted.flush()
  t.deepEqual(actingAt(restarted), [])
  restarted.join('speaker', { name: 'Bình', site: 'Vinh' })
  restarted.join('speaker', { name: 'Chi', site: 'Sapa' })
  cut(restarted)
  t.deepEqual(actingAt(restarted), ['Chi'])
})
