import test from 'ava'
import type { JoinRequest, Result } from './commands.ts'
import { TestConference } from './conference.fixture.ts'

/** A hall with its chair in, and requests whose batch is on its way when the test says so. */
function hallWithChair() {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  hall.pass(60_000)
  hall.takeNotices()
  const answers: string[] = []
  const note = (result: Result<unknown>): void => void answers.push(result.ok ? 'ok' : result.code)
  const joinLater = (connection: number): void => {
    const identity = { role: 'viewer', name: 'Hoa', site: 'Huế', subject: '', tokenId: '' } as const
    const request = { room: 'hall', identity: { ...identity, tokenExpiresMs: 4e12 }, connection }
    hall.conference.join(request satisfies JoinRequest, note)
  }
  const lock = (): void => hall.conference.command(chair, { type: 'lock', locked: true }, note)
  const send = () => hall.conference.flush(hall.now(), hall.notices)
  const settle = (cause?: 'full'): void => {
    const result = cause === undefined ? { ok: true as const } : { ok: false as const, cause }
    hall.conference.settle(result, hall.now(), hall.notices)
  }
  return { hall, chair, answers, joinLater, lock, send, settle }
}

test('what is on its way to the disk is neither answered nor seen', (t) => {
  const { hall, chair, answers, joinLater, send, settle } = hallWithChair()
  joinLater(7)
  hall.conference.command(chair, { type: 'chat', text: 'chào' }, () => answers.push('said'))
  const batch = send()!
  t.deepEqual(
    batch.map(({ type }) => type),
    ['joined', 'chat'],
  )
  const seen = () => ({
    audience: hall.conference.summary('hall')!.counts.audience,
    roster: hall.conference.roster('hall', { limit: 10 }).total,
    chat: hall.conference.chatPage('hall', undefined, 10).entries.length,
    sites: hall.conference.rooms()[0]!.counts.sites,
  })
  t.deepEqual(seen(), { audience: 0, roster: 1, chat: 0, sites: 1 })
  t.deepEqual(answers, [])
  t.deepEqual(hall.takeNotices(), [])
  settle()
  t.deepEqual(seen(), { audience: 1, roster: 2, chat: 1, sites: 2 })
  t.deepEqual(answers, ['ok', 'said'])
  t.deepEqual(
    hall.takeNotices().map(({ type }) => type),
    ['chat', 'room'],
  )
})

test('requests gather while a batch is on its way, and are decided with it folded in', (t) => {
  const { hall, answers, joinLater, lock, send, settle } = hallWithChair()
  lock()
  t.is(send()!.length, 1)
  joinLater(7)
  joinLater(8)
  t.is(send(), undefined, 'one batch at a time')
  t.is(hall.conference.deadlineMs, Number.POSITIVE_INFINITY, 'nothing to do until it is there')
  settle()
  t.deepEqual(answers, ['ok'])
  t.is(hall.conference.deadlineMs, 0)
  t.is(send(), undefined, 'a locked room lets no viewer in')
  t.deepEqual(answers, ['ok', 'room-locked', 'room-locked'])
})

test('a refused batch is answered, forgotten, and its numbers are used again', (t) => {
  const { hall, answers, joinLater, lock, send, settle } = hallWithChair()
  const before = { ...hall.conference.summary('hall') }
  lock()
  joinLater(7)
  const refused = send()!
  joinLater(8)
  settle('full')
  t.deepEqual(
    answers,
    ['ok', 'room-locked'].map(() => 'store-unavailable'),
  )
  t.is(hall.conference.storeState, 'full')
  t.deepEqual({ ...hall.conference.summary('hall') }, before)
  t.is(send(), undefined, 'while the disk is known to refuse, no request waits for it')
  t.is(answers.length, 3)
  hall.nowMs += 1_000
  t.deepEqual(send(), [], 'an empty batch tries')
  settle()
  t.is(hall.conference.storeState, 'ok')
  lock()
  t.is(send()![0]!.sequence, refused[0]!.sequence)
})

test('events of other nodes are taken once they are on disk', (t) => {
  const { hall, send, settle } = hallWithChair()
  const results: unknown[] = []
  const place = { origin: 'nother', time: hall.store.timeLast + 1, room: 'hall' }
  const events = [1, 2].map((sequence) => ({
    ...place,
    sequence,
    type: 'locked' as const,
    payload: { locked: true },
  }))
  for (const refuses of [true, false]) {
    hall.conference.ingest(events.slice(0, 1), (result) => results.push(result))
    hall.conference.ingest(events.slice(1), (result) => results.push(result))
    t.is(send()!.length, 2)
    t.false(hall.conference.summary('hall')!.locked)
    settle(refuses ? 'full' : undefined)
    hall.nowMs += 2_000
  }
  const refusal = { acceptedCount: 0, refused: 'store-unavailable' }
  const success = { acceptedCount: 1, refused: null }
  t.deepEqual(results, [refusal, refusal, success, success])
  t.true(hall.conference.summary('hall')!.locked)
})
