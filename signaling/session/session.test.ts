import test from 'ava'
import { JOIN_MS_MAX, MESSAGES_BURST_MAX, REFUSALS_PER_MIN_MAX } from '../../config/index.ts'
import type { MediaReport } from '../../core/media/control.ts'
import { Harness } from '../test/harness.ts'
import { FINGERPRINT_B, offerOf, SITE_PARTS, SITE_SECTIONS } from '../test/offers.ts'

const OFFER = { type: 'offer', sdp: offerOf(SITE_PARTS), sections: SITE_SECTIONS }

test('a join is answered with the room, oneself, and what one may do', async (t) => {
  const harness = new Harness()
  const an = await harness.join({ role: 'chair', name: 'An' })
  t.is(an.joined.protocol, 1)
  t.is(an.joined.role, 'chair')
  t.false(an.joined.resumed)
  t.is(an.joined.room.room, 'giao-ban')
  t.is(an.joined.room.counts.sites, 1)
  const [self] = an.take('self')
  t.true(self?.onStage)
  t.deepEqual([...(self?.permitted ?? [])].sort(), ['camera', 'microphone', 'screen'])
})

test('nothing but join and ping is answered before the join', async (t) => {
  const harness = new Harness()
  const client = harness.connect()
  t.like(await client.ask({ type: 'chat', text: 'x' }), { type: 'error', code: 'bad-state' })
  t.like(await client.ask({ type: 'ping' }), { type: 'pong' })
  t.is(client.socket.closed, undefined)
})

test('a second join on a joined connection is refused', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  t.like(await an.ask({ type: 'join', token: an.token }), { type: 'error', code: 'bad-state' })
})

test('who does not join in time is sent away', async (t) => {
  const harness = new Harness()
  const client = harness.connect()
  await harness.pass(JOIN_MS_MAX - 1)
  t.is(client.socket.closed, undefined)
  await harness.pass(1)
  t.is(client.socket.closed?.code, 1008)
  t.like(client.take('bye')[0], { code: 'bad-state' })
  t.is(harness.hub.socketCount, 0)
})

for (const [name, request, code] of [
  ['expired', { ttlS: 1, nowMs: Date.UTC(2026, 0, 1) }, 'token-expired'],
  ['not yet valid', { notBeforeMs: Date.UTC(2027, 0, 1) }, 'token-not-yet-valid'],
  ['admin', { role: 'admin', room: '*' }, 'forbidden'],
] as const) {
  test(`a token that is ${name} is refused with its code, a bye, and 1008`, async (t) => {
    const harness = new Harness()
    const client = harness.connect()
    const answer = await client.ask({ type: 'join', token: await harness.token(request) })
    t.like(answer, { type: 'error', code, fatal: true })
    t.like(client.take('bye')[0], { code })
    t.is(client.socket.closed?.code, 1008)
    t.is(harness.hub.seatCount, 0)
  })
}

test('an offer opens a transport with what the role permits, and its answer fits the offer', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  const answer = await an.ask(OFFER)
  t.is(answer.type, 'answer')
  const [open] = harness.media.take('open')
  t.is(open?.spec.sections.length, SITE_PARTS.length)
  t.deepEqual([...(open?.spec.permitted ?? [])].sort(), ['camera', 'microphone', 'screen'])
  const camera = open?.spec.sections.find((section) => section.mid === '1')
  t.like(camera, { direction: 'in', use: 'camera', rids: ['q', 'h', 'f'] })
})

test('a viewer may negotiate sending, yet nothing is permitted until brought on stage', async (t) => {
  const harness = new Harness()
  const chair = await harness.join({ role: 'chair' })
  const viewer = await harness.join({ role: 'viewer' })
  await viewer.ask(OFFER)
  t.deepEqual(harness.media.take('open')[0]?.spec.permitted, [])
  const { participant } = viewer.joined
  t.like(await chair.ask({ type: 'stage', participant, onStage: true }), { type: 'ok' })
  const permit = harness.media.take('permit').at(-1)
  t.deepEqual([...(permit?.uses ?? [])].sort(), ['camera', 'microphone', 'screen'])
  t.true(viewer.take('self').at(-1)?.onStage)
  await chair.ask({ type: 'stage', participant, onStage: false })
  t.deepEqual(harness.media.take('permit').at(-1)?.uses, [])
})

test('an observer’s sending sections are rejected, the others taken', async (t) => {
  const harness = new Harness()
  const observer = await harness.join({ role: 'observer' })
  await observer.ask(OFFER)
  const sections = harness.media.take('open')[0]?.spec.sections ?? []
  t.deepEqual(new Set(sections.map(({ direction }) => direction)), new Set(['out']))
  t.is(sections.length, 6)
})

test('the same offer again gets the same answer and opens nothing', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  const first = await an.ask(OFFER)
  const second = await an.ask(OFFER)
  t.is(first.type === 'answer' && first.sdp, second.type === 'answer' && second.sdp)
  t.is(harness.media.take('open').length, 1)
})

test('new ICE credentials over the same certificate restart ICE', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  const first = await an.ask(OFFER)
  const sdp = offerOf(SITE_PARTS, { ufrag: 'efgh', pwd: 'zyxwvutsrqponmlkjihgfedc' })
  const second = await an.ask({ ...OFFER, sdp })
  const [restart] = harness.media.take('restart')
  t.is(restart?.iceRemote.usernameFragment, 'efgh')
  const ufragOf = (message: typeof first): string | undefined =>
    message.type === 'answer' ? /a=ice-ufrag:(\S+)/.exec(message.sdp)?.[1] : undefined
  t.is(ufragOf(second), restart?.iceLocal.usernameFragment)
  t.not(ufragOf(first), ufragOf(second))
  t.is(harness.media.open.size, 1)
})

test('an ICE restart with other sections is refused and the old transport stays', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  await an.ask(OFFER)
  const sdp = offerOf(SITE_PARTS.slice(0, 8), { ufrag: 'efgh' })
  const answer = await an.ask({ type: 'offer', sdp, sections: SITE_SECTIONS.slice(0, 8) })
  t.like(answer, { type: 'error', code: 'bad-sdp' })
  t.is(harness.media.open.size, 1)
})

test('an offer with another certificate replaces the transport', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  await an.ask(OFFER)
  await an.ask({ ...OFFER, sdp: offerOf(SITE_PARTS, { fingerprint: FINGERPRINT_B }) })
  t.is(harness.media.take('close').length, 1)
  t.is(harness.media.take('open').length, 2)
  t.is(harness.media.open.size, 1)
})

test('when consent expires the client hears it and may offer afresh', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  await an.ask(OFFER)
  const transportId = harness.media.take('open')[0]?.spec.transportId ?? 0
  harness.media.onReport({ type: 'connected', transportId })
  t.like(an.take('media')[0], { state: 'connected' })
  harness.media.open.delete(transportId)
  harness.media.onReport({ type: 'disconnected', transportId, cause: 'consent-expired' })
  t.like(an.take('media')[0], { state: 'disconnected', cause: 'consent-expired' })
  t.is((await an.ask(OFFER)).type, 'answer')
  t.is(harness.media.take('open').length, 1)
  t.is(harness.media.open.size, 1)
})

test('a lost socket resumes within 60 s: same participant, media untouched, room not told', async (t) => {
  const harness = new Harness()
  const chair = await harness.join({ role: 'chair' })
  const an = await harness.join()
  await an.ask(OFFER)
  await harness.pass(1_000)
  chair.socket.sent = []
  an.drop()
  await harness.pass(59_000)
  const again = harness.connect()
  const { session, secret, participant } = an.joined
  const answer = await again.ask({ type: 'join', token: an.token, resume: { session, secret } })
  t.like(answer, { type: 'joined', resumed: true, participant })
  t.is(answer.type === 'joined' && answer.slots?.length, 6)
  await harness.pass(1_000)
  t.is(harness.media.take('close').length, 0)
  t.deepEqual(chair.take('room'), [])
})

test('after 60 s the session is gone: the transport is closed and a resume gets session-gone', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  await an.ask(OFFER)
  an.drop()
  await harness.pass(61_000)
  t.is(harness.media.take('close').length, 1)
  t.is(harness.hub.seatCount, 0)
  const again = harness.connect()
  const { session, secret } = an.joined
  const answer = await again.ask({ type: 'join', token: an.token, resume: { session, secret } })
  t.like(answer, { type: 'error', code: 'session-gone', fatal: false })
  t.like(await again.ask({ type: 'join', token: an.token }), { type: 'joined', resumed: false })
})

test('a second connection that resumes replaces the first', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  const again = harness.connect()
  const { session, secret } = an.joined
  await again.ask({ type: 'join', token: an.token, resume: { session, secret } })
  t.like(an.take('bye')[0], { code: 'replaced' })
  t.is(an.socket.closed?.code, 1008)
  t.like(await again.ask({ type: 'chat', text: 'còn đây' }), { type: 'ok' })
  await harness.pass(61_000)
  t.is(harness.hub.seatCount, 1)
})

test('a stranger with the session but not its secret does not resume', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  const other = harness.connect()
  const resume = { session: an.joined.session, secret: 'guess' }
  const answer = await other.ask({ type: 'join', token: await harness.token(), resume })
  t.like(answer, { type: 'error', code: 'session-gone' })
  t.is(an.socket.closed, undefined)
})

test('a kick says why, closes socket and transport at once, and the token stays out', async (t) => {
  const harness = new Harness()
  const chair = await harness.join({ role: 'chair' })
  const an = await harness.join()
  await an.ask(OFFER)
  const { participant } = an.joined
  await chair.ask({ type: 'kick', participant, reason: 'ồn quá' })
  t.like(an.take('bye')[0], { code: 'kicked', message: 'ồn quá' })
  t.is(an.socket.closed?.code, 1008)
  t.is(harness.media.take('close').length, 1)
  const again = harness.connect()
  const answer = await again.ask({ type: 'join', token: an.token })
  t.like(answer, { type: 'error', code: 'kicked', fatal: true })
})

test('leave is answered, then the socket closes with 1000 and the transport is gone', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  await an.ask(OFFER)
  t.like(await an.ask({ type: 'leave' }), { type: 'ok' })
  t.deepEqual(an.socket.closed, { code: 1000, reason: 'left' })
  t.is(harness.media.open.size, 0)
  t.is(harness.hub.seatCount, 0)
})

test('what the conference refuses comes back with its code and the ref', async (t) => {
  const harness = new Harness()
  const viewer = await harness.join({ role: 'viewer' })
  t.like(await viewer.ask({ type: 'lock', locked: true }), { type: 'error', code: 'forbidden' })
  harness.host.store.refuses = 'full'
  const answer = await viewer.ask({ type: 'chat', text: 'x' })
  t.like(answer, { type: 'error', code: 'store-unavailable', fatal: false })
})

test('chat reaches everybody, history and roster come in pages', async (t) => {
  const harness = new Harness()
  const an = await harness.join({ name: 'An' })
  const binh = await harness.join({ name: 'Bình' })
  await an.ask({ type: 'chat', text: 'xin chào' })
  t.is(binh.take('chat')[0]?.entries[0]?.text, 'xin chào')
  const page = await binh.ask({ type: 'chat-history', limit: 10 })
  t.is(page.type === 'chat-page' && page.entries.length, 1)
  const roster = await an.ask({ type: 'roster', limit: 1 })
  t.is(roster.type === 'roster-page' && roster.total, 2)
  t.is(roster.type === 'roster-page' && roster.members.length, 1)
})

test('a poll is opened, voted and closed; counts go to all, one’s own vote to oneself, nothing to media', async (t) => {
  const harness = new Harness()
  const chair = await harness.join({ role: 'chair' })
  const viewer = await harness.join({ role: 'viewer' })
  await viewer.ask(OFFER)
  const opening = { type: 'poll-open', question: 'Mổ ngay?', options: ['Có', 'Không'] }
  t.like(await viewer.ask(opening), { type: 'error', code: 'forbidden' })
  t.like(await chair.ask({ ...opening, options: ['Có'] }), { type: 'error', code: 'bad-message' })
  t.like(await chair.ask(opening), { type: 'ok' })
  await harness.pass(250)
  const poll = viewer.take('room').at(-1)?.polls?.set[0]?.poll ?? ''
  harness.media.commands.splice(0)
  viewer.take('self')
  t.like(await viewer.ask({ type: 'vote', poll, option: 1 }), { type: 'ok' })
  await harness.pass(250)
  t.deepEqual(viewer.take('self').at(-1)?.votes, [{ poll, option: 1 }])
  t.deepEqual(chair.take('room').at(-1)?.tallies, [{ poll, counts: [0, 1] }])
  t.deepEqual(harness.media.commands, [])
  t.like(await chair.ask({ type: 'poll-close', poll }), { type: 'ok' })
  t.like(await chair.ask({ type: 'vote', poll, option: 0 }), { type: 'error', code: 'bad-state' })
  const late = await harness.join()
  t.like(late.joined.room.polls, [{ poll, counts: [0, 1], closed: true }])
})

test('more than the burst is refused, and going on ends the connection', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  an.socket.sent = []
  for (let i = 0; i < MESSAGES_BURST_MAX + 20; i++) an.say({ type: 'ping' })
  t.true(an.take('pong').length <= MESSAGES_BURST_MAX)
  t.true(an.take('error').every((error) => error.code === 'rate-limited'))
  for (let i = 0; i < MESSAGES_BURST_MAX; i++) an.say({ type: 'ping' })
  t.is(an.socket.closed?.code, 1008)
  t.like(an.take('bye')[0], { code: 'rate-limited' })
})

test('garbage is answered with bad-message, and a flood of it ends the connection', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  harness.hub.onMessage(an.socket, Buffer.from('{'), false)
  t.like(an.take('error')[0], { code: 'bad-message' })
  t.is(an.socket.closed, undefined)
  for (let i = 0; i < REFUSALS_PER_MIN_MAX; i++) {
    harness.hub.onMessage(an.socket, Buffer.from('{'), false)
  }
  t.is(an.socket.closed?.code, 1008)
})

test('a slip now and then is forgiven, however long the session', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  for (let minute = 0; minute < 10; minute++) {
    for (let i = 0; i < REFUSALS_PER_MIN_MAX * 0.9; i++) {
      harness.hub.onMessage(an.socket, Buffer.from('{'), false)
    }
    await harness.pass(60_000)
  }
  t.is(an.take('error').length, REFUSALS_PER_MIN_MAX * 9)
  t.is(an.socket.closed, undefined)
})

test('only an offer may be larger than 64 KiB', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  an.say({ type: 'ping', padding: 'x'.repeat(65 * 1024) })
  t.like(an.take('bye')[0], { code: 'too-large' })
  t.is(an.socket.closed?.code, 1009)
})

test('a slow reader loses statistics first and is then ended with 1013', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  const binh = await harness.join()
  await an.ask(OFFER)
  const transportId = harness.media.take('open')[0]?.spec.transportId ?? 0
  const report: MediaReport = { type: 'quality', transportId, streams: [] }
  harness.media.onReport(report)
  t.is(an.take('quality').length, 1)
  an.socket.buffered = 65 * 1024
  harness.media.onReport(report)
  t.is(an.take('quality').length, 0)
  t.is(harness.hub.counters.statisticsDropped, 1)
  await binh.ask({ type: 'chat', text: 'vẫn tới' })
  t.is(an.take('chat').length, 1)
  an.socket.buffered = 1024 * 1024 + 1
  await binh.ask({ type: 'chat', text: 'hết' })
  t.is(an.socket.closed?.code, 1013)
  t.is(an.take('chat').length, 0)
  t.is(harness.hub.seatCount, 2)
})

test('shutting down tells everybody, and nobody new is taken', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  harness.hub.close()
  t.like(an.take('bye')[0], { code: 'shutting-down' })
  t.is(an.socket.closed?.code, 1001)
  t.false(harness.hub.hasPlaceFor('192.0.2.9', false))
})

test('a thousand joins cost no fault and leave no waiting connection', async (t) => {
  const harness = new Harness()
  const token = await harness.token({ role: 'viewer' })
  const clients = Array.from({ length: 1_000 }, () => harness.connect())
  for (const client of clients) client.say({ type: 'join', token, ref: 1 })
  await harness.settle()
  await harness.settle()
  t.is(clients.filter((client) => client.take('joined').length === 1).length, 1_000)
  t.is(harness.hub.seatCount, 1_000)
  t.deepEqual(harness.faults, [])
})
