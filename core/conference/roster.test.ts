import test from 'ava'
import {
  HANDS_SHOWN_MAX,
  ROOM_COUNTS_MS_PER_PARTICIPANT,
  ROOM_DELTA_INTERVAL_MS,
  ROSTER_PAGE_MEMBERS_MAX,
} from '../../config/limits.ts'
import { TestConference } from './conference.fixture.ts'
import { plain } from './roster.ts'

function allPages(hall: TestConference, query: { limit: number; search?: string }): string[] {
  const names: string[] = []
  let cursor: string | undefined
  for (;;) {
    const page = hall.conference.roster('hall', {
      ...query,
      ...(cursor !== undefined && { cursor }),
    })
    names.push(...page.members.map(({ name }) => name))
    if (page.cursor === null) return names
    cursor = page.cursor
  }
}

const nameOf = (index: number) => String(index).padStart(4, '0')

test('the roster comes in pages, each member once, ordered by site and name', (t) => {
  const hall = new TestConference()
  for (let index = 0; index < 250; index += 1)
    hall.join('viewer', { name: nameOf((index * 7) % 250) })
  const page = hall.conference.roster('hall', { limit: 1_000 })
  t.is(page.members.length, ROSTER_PAGE_MEMBERS_MAX)
  t.is(page.total, 250)
  t.deepEqual(
    allPages(hall, { limit: 30 }),
    Array.from({ length: 250 }, (_, index) => nameOf(index)),
  )
})

test('people who come and go between two pages neither repeat nor hide others', (t) => {
  const hall = new TestConference()
  const ids = Array.from({ length: 20 }, (_, index) =>
    hall.join('viewer', { name: nameOf(index * 2) }),
  )
  const first = hall.conference.roster('hall', { limit: 10 })
  for (const index of [0, 3, 9, 12]) hall.ask(ids[index]!.participant, { type: 'leave' })
  hall.join('viewer', { name: nameOf(1) })
  hall.join('viewer', { name: nameOf(25) })
  const second = hall.conference.roster('hall', { limit: 100, cursor: first.cursor! })
  t.deepEqual(
    second.members.map(({ name }) => Number(name)),
    [20, 22, 25, 26, 28, 30, 32, 34, 36, 38],
  )
})

test('search finds without marks and in either field', (t) => {
  const hall = new TestConference()
  hall.join('viewer', { name: 'Đỗ Văn Ước', site: 'Mường Nhé' })
  hall.join('viewer', { name: 'Lò Thị Mai', site: 'Điện Biên' })
  const found = (search: string) => hall.conference.roster('hall', { limit: 9, search }).total
  t.is(found('muong nhe'), 1)
  t.is(found('DO VAN uoc'), 1)
  t.is(found('điện'), 1)
  t.is(found(''), 2)
  t.is(found('huế'), 0)
  t.is(plain('Đắk Lắk'), 'dak lak')
})

test('a cursor made up by a client is harmless', (t) => {
  const hall = new TestConference()
  hall.join('viewer')
  for (const cursor of ['', ' ', 'x', '\u0000 zzz', 'p'.repeat(256), '__proto__ __proto__']) {
    t.notThrows(() => hall.conference.roster('hall', { cursor, limit: -5 }))
  }
})

test('a roster nobody looks at keeps up with ten thousand who come and go', (t) => {
  const hall = new TestConference()
  const { participant } = hall.join('viewer', { name: 'first' })
  for (let index = 0; index < 3_000; index += 1) {
    hall.ask(hall.join('viewer').participant, { type: 'leave' })
  }
  t.is(hall.conference.roster('hall', { limit: 9 }).members[0]!.participant, participant)
  t.is(hall.conference.roster('hall', { limit: 9 }).total, 1)
})

test('deltas come at most five a second and hold counts, never the audience', (t) => {
  const hall = new TestConference()
  hall.join('chair')
  hall.takeNotices()
  for (let index = 0; index < 1_000; index += 1) {
    hall.join('viewer')
    hall.pass(1)
  }
  hall.pass(1_002 * ROOM_COUNTS_MS_PER_PARTICIPANT)
  const deltas = hall.takeNotices().filter((notice) => notice.type === 'room')
  t.true(deltas.length <= 7, `${deltas.length}`)
  for (const { delta } of deltas) t.deepEqual(Object.keys(delta), ['revision', 'counts'])
  t.is(deltas.at(-1)!.delta.counts!.audience, 1_000)
})

test('counts alone travel the more seldom the more get them; what concerns the stage does not wait', (t) => {
  const hall = new TestConference()
  const { participant } = hall.join('chair')
  for (let index = 0; index < 999; index += 1) hall.join('viewer')
  hall.pass(1_000 * ROOM_COUNTS_MS_PER_PARTICIPANT)
  hall.takeNotices()
  const roomNotices = () => hall.takeNotices().filter((notice) => notice.type === 'room').length
  hall.join('viewer')
  hall.pass(1_001 * ROOM_COUNTS_MS_PER_PARTICIPANT - 50)
  t.is(roomNotices(), 0)
  hall.pass(50)
  t.is(roomNotices(), 1)
  hall.ask(participant, { type: 'lock', locked: true })
  hall.pass(ROOM_DELTA_INTERVAL_MS)
  t.is(roomNotices(), 1)
})

test('the head of the queue of hands travels, all are counted', (t) => {
  const hall = new TestConference()
  for (let index = 0; index < HANDS_SHOWN_MAX + 5; index += 1) {
    hall.ask(hall.join('viewer').participant, { type: 'hand', raised: true })
  }
  const { hands, counts } = hall.conference.summary('hall')!
  t.is(hands.length, HANDS_SHOWN_MAX)
  t.is(counts.hands, HANDS_SHOWN_MAX + 5)
})
