import test from 'ava'
import { POLLS_PER_ROOM_MAX, VOTES_PER_POLL_MAX } from '../../config/limits.ts'
import { MemoryStore, TestConference } from './conference.fixture.ts'
import { addPoll, castVote, type Polls } from './polls.ts'

const QUESTION = { type: 'poll-open', question: 'Mổ ngay?', options: ['Có', 'Không'] } as const
const open = { ...QUESTION, options: [...QUESTION.options] }

function hallWithPoll() {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  hall.ask(chair, open)
  const poll = hall.conference.summary('hall')!.polls[0]!.poll
  const vote = (participant: string, option: number) =>
    hall.ask(participant, { type: 'vote', poll, option })
  const counts = () => hall.conference.summary('hall')!.polls[0]!.counts
  return { hall, chair, poll, vote, counts }
}

test('only the chair opens and closes polls, only observers do not vote', (t) => {
  const { hall, chair, poll } = hallWithPoll()
  for (const role of ['speaker', 'viewer', 'observer'] as const) {
    const { participant } = hall.join(role)
    t.is(hall.ask(participant, open), 'forbidden', role)
    t.is(hall.ask(participant, { type: 'poll-close', poll }), 'forbidden', role)
    const voted = hall.ask(participant, { type: 'vote', poll, option: 0 })
    t.is(voted, role === 'observer' ? 'forbidden' : 'ok', role)
  }
  t.is(hall.ask(chair, { type: 'vote', poll, option: 1 }), 'ok')
  t.is(hall.ask(chair, { type: 'poll-close', poll }), 'ok')
  t.like(hall.conference.summary('hall')?.polls, [{ counts: [2, 1], closed: true }])
})

test('a voter counts once with the last vote, until the poll is closed', (t) => {
  const { hall, chair, poll, vote, counts } = hallWithPoll()
  const { participant } = hall.join('viewer')
  vote(participant, 0)
  vote(participant, 0)
  t.deepEqual(counts(), [1, 0])
  vote(participant, 1)
  t.deepEqual(counts(), [0, 1])
  t.is(hall.store.events.filter(({ type }) => type === 'vote').length, 2)
  hall.ask(participant, { type: 'leave' })
  t.deepEqual(counts(), [0, 1], 'who has voted and left has voted')
  hall.ask(chair, { type: 'poll-close', poll })
  t.is(vote(chair, 0), 'bad-state')
  t.deepEqual(counts(), [0, 1])
  t.is(hall.ask(chair, { type: 'vote', poll: 'nhome-99', option: 0 }), 'not-found')
  t.is(hall.ask(chair, { type: 'vote', poll, option: 2 }), 'not-found')
})

test('a person with a sub has one vote over all joins and devices, and sees it', (t) => {
  const { hall, poll, vote, counts } = hallWithPoll()
  const first = hall.join('viewer', { subject: 'u1' }).participant
  vote(first, 0)
  const second = hall.join('viewer', { subject: 'u1' })
  t.deepEqual(second.self.votes, [{ poll, option: 0 }])
  vote(second.participant, 1)
  t.deepEqual(counts(), [0, 1])
})

test('counts are told and never who; the voter alone hears of the own vote', (t) => {
  const { hall, chair, poll, vote } = hallWithPoll()
  const { participant } = hall.join('viewer')
  hall.pass(1_000)
  hall.takeNotices()
  vote(participant, 1)
  hall.pass(1_000)
  const notices = hall.takeNotices()
  const selves = notices.filter((notice) => notice.type === 'self')
  t.like(selves, [{ participant, self: { votes: [{ poll, option: 1 }] } }])
  const deltas = notices.filter((notice) => notice.type === 'room')
  t.deepEqual(deltas[0]?.delta.tallies, [{ poll, counts: [0, 1] }])
  t.is(deltas[0]?.delta.polls, undefined)
  t.false(JSON.stringify(deltas).includes(participant))
  t.true(hall.ask(chair, { type: 'poll-close', poll }) === 'ok')
  hall.pass(1_000)
  const [closing] = hall.takeNotices().filter((notice) => notice.type === 'room')
  t.like(closing?.delta.polls?.set, [{ poll, closed: true, counts: [0, 1] }])
})

test('a thousand votes are a few messages', (t) => {
  const { hall, vote, counts } = hallWithPoll()
  const viewers = Array.from({ length: 1_000 }, () => hall.join('viewer').participant)
  hall.pass(5_000)
  hall.takeNotices()
  for (const viewer of viewers) {
    vote(viewer, 0)
    hall.pass(10)
  }
  hall.pass(5_000)
  const deltas = hall.takeNotices().filter((notice) => notice.type === 'room')
  t.deepEqual(counts(), [1_000, 0])
  t.true(deltas.length <= 8, `${deltas.length}`)
})

test('votes of two nodes that were cut off from each other are counted once, and none after the close', (t) => {
  const core = new TestConference(new MemoryStore('ncore'))
  const relay = new TestConference(new MemoryStore('nrelay'), { closesEmptyRooms: false })
  const exchange = (): void => {
    const there = [...relay.store.events]
    relay.ingest([...core.store.events])
    core.ingest(there)
  }
  const chair = core.join('chair').participant
  const far = relay.join('viewer').participant
  const late = relay.join('viewer').participant
  core.ask(chair, open)
  exchange()
  const poll = core.conference.summary('hall')!.polls[0]!.poll
  for (const node of [core, relay]) node.pass(1_000)
  core.ask(chair, { type: 'vote', poll, option: 0 })
  relay.ask(far, { type: 'vote', poll, option: 1 })
  for (const node of [core, relay]) node.pass(1_000)
  core.ask(chair, { type: 'poll-close', poll })
  for (const node of [core, relay]) node.pass(1_000)
  t.is(relay.ask(late, { type: 'vote', poll, option: 1 }), 'ok', 'it cannot know yet')
  core.takeNotices()
  exchange()
  core.pass(1_000)
  const [told] = core.takeNotices().filter((notice) => notice.type === 'room')
  t.deepEqual(told?.delta.tallies, [{ poll, counts: [1, 1] }], 'a vote from before the close')
  for (const node of [core, relay]) {
    t.like(node.conference.summary('hall')?.polls, [{ counts: [1, 1], closed: true }])
  }
})

test('polls end with the room', (t) => {
  const { hall, chair } = hallWithPoll()
  hall.ask(chair, { type: 'close-room' })
  t.deepEqual(hall.join('viewer').room.polls, [])
})

test('polls, options, texts and voters have bounds', (t) => {
  const { hall, chair } = hallWithPoll()
  t.is(hall.ask(chair, { ...open, options: ['một'] }), 'too-large')
  t.is(hall.ask(chair, { ...open, options: Array<string>(11).fill('x') }), 'too-large')
  t.is(hall.ask(chair, { ...open, question: 'x'.repeat(301) }), 'too-large')
  t.is(hall.ask(chair, { ...open, options: ['a', 'x'.repeat(101)] }), 'too-large')
  for (let count = 1; count < POLLS_PER_ROOM_MAX; count += 1) t.is(hall.ask(chair, open), 'ok')
  t.is(hall.ask(chair, open), 'overloaded')
  const [first] = hall.conference.summary('hall')!.polls
  hall.ask(chair, { type: 'poll-close', poll: first!.poll })
  hall.pass(1_000)
  hall.takeNotices()
  t.is(hall.ask(chair, open), 'ok')
  hall.pass(1_000)
  t.is(hall.conference.summary('hall')?.polls.length, POLLS_PER_ROOM_MAX)
  const [delta] = hall.takeNotices().filter((notice) => notice.type === 'room')
  t.deepEqual(delta?.delta.polls?.remove, [first?.poll])
  const polls: Polls = new Map()
  addPoll(polls, 'na-1', { question: '?', options: ['a', 'b'], by: '' })
  const poll = polls.get('na-1')
  for (let voter = 0; voter < VOTES_PER_POLL_MAX; voter += 1) castVote(poll, `p${voter}`, 0)
  t.false(castVote(poll, 'late', 0))
  t.true(castVote(poll, 'p0', 1), 'who is in may still change')
})
