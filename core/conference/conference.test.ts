import test from 'ava'
import { ROOM_EMPTY_MS, ROOM_UNUSED_MS, SESSION_RESUME_MS } from '../../config/limits.ts'
import type { ParticipantCommand } from './commands.ts'
import { MemoryStore, TestConference } from './conference.fixture.ts'
import type { Role } from './roles.ts'

test('the first authorised join opens the room, and everyone sees who is on stage', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair', { name: 'Bình', site: 'Hà Nội' })
  const viewer = hall.join('viewer')
  t.true(chair.self.onStage)
  t.false(viewer.self.onStage)
  t.deepEqual(viewer.room.counts, { sites: 2, stage: 1, audience: 1, hands: 0 })
  t.deepEqual(
    viewer.room.stage.map(({ name, site, role }) => [name, site, role]),
    [['Bình', 'Hà Nội', 'chair']],
  )
  t.deepEqual(
    hall.store.events.map(({ type }) => type),
    ['room-created', 'joined', 'joined'],
  )
})

const MATRIX: Record<string, [command: (target: string) => ParticipantCommand, allowed: Role[]]> = {
  'mute others': [(p) => ({ type: 'mute', participant: p, use: 'camera', muted: true }), ['chair']],
  'mute self': [
    () => ({ type: 'mute', use: 'camera', muted: true }),
    ['chair', 'speaker', 'viewer'],
  ],
  'raise a hand': [() => ({ type: 'hand', raised: true }), ['chair', 'speaker', 'viewer']],
  chat: [() => ({ type: 'chat', text: 'chào' }), ['chair', 'speaker', 'viewer']],
  publish: [() => ({ type: 'publish', use: 'camera', live: true }), ['chair', 'speaker']],
  stage: [(p) => ({ type: 'stage', participant: p, onStage: false }), ['chair']],
  pin: [(p) => ({ type: 'pin', participant: p }), ['chair']],
  unpin: [() => ({ type: 'pin', participant: null }), ['chair']],
  kick: [(p) => ({ type: 'kick', participant: p }), ['chair']],
  lock: [() => ({ type: 'lock', locked: true }), ['chair']],
  emergency: [() => ({ type: 'emergency', on: true }), ['chair']],
  'close the room': [() => ({ type: 'close-room' }), ['chair']],
  leave: [() => ({ type: 'leave' }), ['chair', 'speaker', 'viewer', 'observer']],
}

for (const [act, [command, allowed]] of Object.entries(MATRIX)) {
  for (const role of ['chair', 'speaker', 'viewer', 'observer'] as const) {
    const may = allowed.includes(role)
    test(`${role} ${may ? 'may' : 'may not'} ${act}`, (t) => {
      const hall = new TestConference()
      const target = hall.join('speaker')
      const actor = hall.join(role)
      t.is(hall.ask(actor.participant, command(target.participant)), may ? 'ok' : 'forbidden')
    })
  }
}

test('what the chair muted, its owner cannot unmute, and the chair leaves the owner’s own mute alone', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  const speaker = hall.join('speaker').participant
  const mute = (muted: boolean, participant = speaker) =>
    ({ type: 'mute', use: 'microphone', muted, participant }) as const
  t.is(hall.ask(speaker, mute(true)), 'ok')
  t.is(hall.ask(chair, mute(true)), 'ok')
  t.is(hall.ask(speaker, mute(false)), 'forbidden')
  t.is(hall.ask(chair, mute(false)), 'ok')
  const after = () => hall.conference.participant(speaker)!.self.muted.microphone
  t.deepEqual(after(), { self: true, chair: false })
  t.is(hall.ask(speaker, mute(false)), 'ok')
  t.deepEqual(after(), { self: false, chair: false })
})

test('a chair called to the stage may publish, and loses its sources when sent down', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  const viewer = hall.join('viewer').participant
  hall.ask(viewer, { type: 'hand', raised: true })
  hall.takeNotices()
  t.is(hall.ask(viewer, { type: 'publish', use: 'microphone', live: true }), 'forbidden')
  t.is(hall.ask(chair, { type: 'stage', participant: viewer, onStage: true }), 'ok')
  t.deepEqual(hall.conference.summary('hall')!.hands, [], 'called up is what the hand was for')
  t.is(hall.ask(viewer, { type: 'publish', use: 'microphone', live: true }), 'ok')
  t.is(hall.ask(chair, { type: 'pin', participant: viewer }), 'ok')
  t.is(hall.ask(chair, { type: 'stage', participant: viewer, onStage: false }), 'ok')
  t.is(hall.conference.summary('hall')!.pin, null)
  const selves = hall.takeNotices().filter((notice) => notice.type === 'self')
  t.deepEqual(
    selves.map(({ self }) => [self.onStage, self.permitted.length, self.live]),
    [
      [true, 3, []],
      [true, 3, ['microphone']],
      [false, 0, []],
    ],
  )
})

test('observers never come on stage, and nobody raises the hand of another', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  const observer = hall.join('observer').participant
  const viewer = hall.join('viewer').participant
  t.is(hall.ask(chair, { type: 'stage', participant: observer, onStage: true }), 'forbidden')
  t.is(hall.ask(chair, { type: 'hand', participant: viewer, raised: true }), 'forbidden')
  hall.ask(viewer, { type: 'hand', raised: true })
  t.is(hall.ask(chair, { type: 'hand', participant: viewer, raised: false }), 'ok')
})

test('hands queue in order of raising', (t) => {
  const hall = new TestConference()
  const [a, b, c] = [1, 2, 3].map(() => hall.join('viewer').participant) as [string, string, string]
  for (const id of [b, a, c]) hall.ask(id, { type: 'hand', raised: true })
  hall.ask(a, { type: 'hand', raised: false })
  hall.ask(a, { type: 'hand', raised: true })
  t.deepEqual(hall.conference.summary('hall')!.hands, [b, c, a])
})

test('a kicked one stays out by subject and by token, also after the room was closed and opened', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  const bad = hall.join('viewer', { subject: 'u1', tokenId: 't1' })
  const twin = hall.join('viewer', { subject: 'u1', tokenId: 't2' })
  t.is(hall.ask(chair, { type: 'kick', participant: bad.participant, reason: 'noise' }), 'ok')
  const gone = hall.takeNotices().filter((notice) => notice.type === 'gone')
  t.deepEqual(
    gone.map(({ participant, cause, reason }) => [participant, cause, reason]),
    [bad, twin].map(({ participant }) => [participant, 'kicked', 'noise']),
  )
  const again = (options: object) => {
    const result = hall.tryJoin('viewer', options)
    return result.ok ? 'ok' : result.code
  }
  t.is(again({ subject: 'u1', tokenId: 't9' }), 'kicked')
  t.is(again({ subject: 'u9', tokenId: 't1' }), 'kicked')
  t.is(again({ resume: { session: bad.session, secret: bad.secret } }), 'session-gone')
  t.is(again({ subject: 'u2', tokenId: 't3' }), 'ok')
  t.is(again({ subject: 'u1', tokenId: 't1', room: 'other' }), 'ok', 'only that room')
  hall.ask(chair, { type: 'close-room' })
  t.is(again({ subject: 'u1', tokenId: 't1' }), 'kicked', 'the token has not ended')
  hall.join('chair')
  t.is(again({ subject: 'u1', tokenId: 't1' }), 'kicked')
  hall.pass(3_600_001)
  t.is(again({ subject: 'u1', tokenId: 't5' }), 'ok', 'another meeting, after the token ended')
})

test('a kick survives a restart of the node', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  const bad = hall.join('viewer', { tokenId: 't1' }).participant
  hall.ask(chair, { type: 'kick', participant: bad })
  const result = new TestConference(hall.store).tryJoin('viewer', { tokenId: 't1' })
  t.false(result.ok)
})

test('a locked room lets in chairs only, and resumes go on', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  const viewer = hall.join('viewer')
  hall.ask(chair, { type: 'lock', locked: true })
  const refused = hall.tryJoin('viewer')
  t.is(refused.ok ? 'ok' : refused.code, 'room-locked')
  t.true(hall.tryJoin('chair').ok)
  t.true(hall.join('viewer', { resume: viewer }).resumed)
})

test('a lost connection resumes within 60 s without the room noticing', (t) => {
  const hall = new TestConference()
  const viewer = hall.join('viewer', { connection: 7 })
  hall.pass(1_000)
  const eventCount = hall.store.events.length
  hall.conference.disconnected(viewer.participant, 7, hall.nowMs)
  t.false(hall.conference.participant(viewer.participant)!.connected)
  hall.pass(SESSION_RESUME_MS - 1)
  const back = hall.join('viewer', { resume: viewer, connection: 8 })
  t.true(back.resumed)
  t.is(back.participant, viewer.participant)
  hall.conference.disconnected(viewer.participant, 7, hall.nowMs)
  hall.pass(SESSION_RESUME_MS * 2)
  t.is(hall.store.events.length, eventCount, 'the replaced socket’s end means nothing')
})

test('after 60 s without a connection the participant leaves', (t) => {
  const hall = new TestConference()
  hall.join('chair')
  const viewer = hall.join('viewer', { connection: 7 })
  hall.conference.disconnected(viewer.participant, 7, hall.nowMs)
  hall.pass(SESSION_RESUME_MS)
  const gone = hall.takeNotices().find((notice) => notice.type === 'gone')
  t.like(gone, { participant: viewer.participant, cause: 'session-gone' })
  const result = hall.tryJoin('viewer', { resume: viewer })
  t.is(result.ok ? 'ok' : result.code, 'session-gone')
  t.like(hall.store.events.at(-1), { type: 'left', payload: { cause: 'connection-lost' } })
})

test('a wrong secret, another room or another role resumes nothing', (t) => {
  const hall = new TestConference()
  const viewer = hall.join('viewer')
  const code = (role: Role, options: object) => {
    const result = hall.tryJoin(role, options)
    return result.ok ? 'ok' : result.code
  }
  const wrong = { session: viewer.session, secret: `${viewer.secret.slice(0, -1)}!` }
  t.is(code('viewer', { resume: wrong }), 'session-gone')
  t.is(code('viewer', { resume: viewer, room: 'other' }), 'session-gone')
  t.is(code('chair', { resume: viewer }), 'session-gone')
  t.is(code('viewer', { resume: viewer }), 'ok')
})

test('an empty room closes after a while, its log stays, and it opens again with its chat', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  hall.ask(chair, { type: 'chat', text: 'hẹn tuần sau' })
  hall.ask(chair, { type: 'leave' })
  hall.pass(ROOM_EMPTY_MS - 1)
  t.truthy(hall.conference.summary('hall'))
  hall.pass(1)
  t.is(hall.conference.summary('hall'), undefined)
  t.is(hall.conference.deadlineMs, Number.POSITIVE_INFINITY)
  t.is(hall.join('viewer').chat[0]!.text, 'hẹn tuần sau')
})

test('a room made by the operator waits a day for its first participant', (t) => {
  const hall = new TestConference()
  hall.conference.operate('plan', { type: 'create-room' }, (result) => t.true(result.ok))
  hall.flush()
  hall.pass(ROOM_UNUSED_MS - 1)
  t.deepEqual(
    hall.conference.rooms().map(({ room }) => room),
    ['plan'],
  )
  hall.pass(1)
  t.deepEqual(hall.conference.rooms(), [])
})

test('the operator may kick, mute and close, and gets not-found for a room that is not open', (t) => {
  const hall = new TestConference()
  const { participant } = hall.join('speaker')
  const codes: string[] = []
  const operate = (room: string, command: Parameters<typeof hall.conference.operate>[1]) =>
    hall.conference.operate(room, command, (result) => codes.push(result.ok ? 'ok' : result.code))
  operate('nowhere', { type: 'lock', locked: true })
  operate('hall', { type: 'mute', participant, use: 'microphone', muted: true })
  operate('hall', { type: 'kick', participant })
  operate('hall', { type: 'close-room' })
  hall.flush()
  t.deepEqual(codes, ['not-found', 'ok', 'ok', 'ok'])
  t.is(hall.store.appendCount, 2, 'one transaction for the join, one for all of these')
})

test('closing a room sends everyone home', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  hall.join('viewer')
  hall.takeNotices()
  t.is(hall.ask(chair, { type: 'close-room' }), 'ok')
  t.deepEqual(
    hall.takeNotices().map((notice) => [notice.type, 'cause' in notice && notice.cause]),
    [
      ['gone', 'room-closed'],
      ['gone', 'room-closed'],
      ['room-closed', 'chair'],
    ],
  )
  t.is(hall.ask(chair, { type: 'chat', text: 'còn ai không?' }), 'not-found')
})

test('a token that is kicked in the batch of its own join does not stay', (t) => {
  const hall = new TestConference()
  const chair = hall.join('chair').participant
  const bad = hall.join('viewer', { subject: 'u1' }).participant
  const codes: string[] = []
  const identity = { role: 'viewer', name: '', site: '', tokenId: '', tokenExpiresMs: 0 } as const
  hall.conference.join(
    { room: 'hall', identity: { ...identity, subject: 'u1' }, connection: 99 },
    (result) => codes.push(result.ok ? 'ok' : result.code),
  )
  hall.conference.command(chair, { type: 'kick', participant: bad }, () => codes.push('kicked him'))
  hall.flush()
  t.deepEqual(codes, ['kicked', 'kicked him'])
  t.is(hall.conference.summary('hall')!.counts.audience, 0)
})

test('without permission to open rooms, a join to a closed room is not-found', async (t) => {
  const { createConference } = await import('./node-conference.ts')
  const { seededBytes } = await import('./conference.fixture.ts')
  const now = { nowMs: 0, wallMs: 0 }
  const conference = createConference({
    store: new MemoryStore(),
    randomBytes: seededBytes(1),
    now,
    joinCreatesRooms: false,
  })
  const identity = { role: 'chair', name: '', site: '', subject: '', tokenId: '' } as const
  const request = { room: 'x', identity: { ...identity, tokenExpiresMs: 0 }, connection: 1 }
  conference.join(request, (result) => t.is(result.ok ? 'ok' : result.code, 'not-found'))
  conference.operate('x', { type: 'create-room' }, (result) => t.true(result.ok))
  conference.join(request, (result) => t.true(result.ok))
  t.is(conference.flush(now, [])!.length, 2)
  conference.settle({ ok: true }, now, [])
})
