import test from 'ava'
import { FakeWorld, fakeTrack, joinedMessage } from '../test/fake-world.ts'
import type { Conference } from './conference.ts'
import { connect } from './conference.ts'
import { ConferenceError } from './errors.ts'
import type { SourceUse } from './messages.ts'

const ALL: SourceUse[] = ['microphone', 'camera', 'screen']

const ANSWER = 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n'

type Begun = { world: FakeWorld; conference: Conference }

const begin = (): Begun => {
  const world = new FakeWorld()
  const conference = connect({
    token: 'token',
    url: 'ws://node/ws',
    format: 'json',
    tiles: 2,
    environment: world,
  })
  return { world, conference }
}

const self = (permitted: SourceUse[]) =>
  ({ type: 'self', onStage: permitted.length > 0, permitted, muted: {} }) as const

/** Joined, negotiated, media connected, all sources permitted. */
const live = async (sdp = 'v=0\r\n'): Promise<Begun> => {
  const begun = begin()
  const { world } = begun
  world.socket.onopen?.()
  await world.settle()
  world.socket.answer('join', joinedMessage())
  await world.settle()
  world.socket.say(self(ALL))
  world.socket.answer('offer', { type: 'answer', sdp })
  await world.settle()
  world.connection.become('connected')
  return begun
}

const drop = (world: FakeWorld): void => world.socket.onclose?.({ code: 1006, reason: '' })

const resume = async (world: FakeWorld, resumed: boolean): Promise<void> => {
  world.socket.onopen?.()
  await world.settle()
  world.socket.answer('join', joinedMessage({ resumed, session: 'session-2', secret: 's2' }))
  await world.settle()
}

test('joins with the token, then offers once with the use of every section', async (t) => {
  const { world, conference } = await live()
  t.deepEqual(world.sockets[0]?.protocols, ['nhipcau.1.json'])
  t.is(world.socket.sent[0]?.type, 'join')
  const offer = world.socket.last('offer')
  t.deepEqual(
    offer?.sections.map(({ use }) => use),
    ['microphone', 'camera', 'screen', 'audio', 'audio', 'audio', 'main', 'tile', 'tile'],
  )
  t.deepEqual(
    world.connection.transceivers[1]?.encodings.map(({ rid, scaleResolutionDownBy }) => [
      rid,
      scaleResolutionDownBy,
    ]),
    [
      ['q', 4],
      ['h', 2],
      ['f', 1],
    ],
  )
  t.is(conference.state.media, 'connected')
  t.is(conference.slots.length, 6)
})

const speechOf = (world: FakeWorld) => ({
  packets: /a=ptime:\d+/.exec(world.connection.remoteDescription?.sdp ?? '')?.[0],
  bps: world.connection.transceivers[0]?.encodings[0]?.maxBitrate,
  offersMade: world.connection.offers.length,
  offersTold: world.socket.all('offer').length,
})

test('speech that a link below has no room for gets longer packets and a lower rate, and the node is not asked', async (t) => {
  const { world } = await live(ANSWER)
  t.deepEqual(speechOf(world), { packets: undefined, bps: 32_000, offersMade: 1, offersTold: 1 })
  world.socket.say({ type: 'limit', use: 'microphone', packetMs: 60, bitrateBps: 12_000 })
  await world.settle()
  t.deepEqual(speechOf(world), { packets: 'a=ptime:60', bps: 12_000, offersMade: 2, offersTold: 1 })
  world.socket.say({ type: 'limit', use: 'microphone', packetMs: 60, bitrateBps: 16_000 })
  await world.settle()
  t.deepEqual(speechOf(world), { packets: 'a=ptime:60', bps: 16_000, offersMade: 2, offersTold: 1 })
  world.socket.say({ type: 'limit', use: 'microphone', packetMs: 20, bitrateBps: 0 })
  await world.settle()
  t.deepEqual(speechOf(world), { packets: 'a=ptime:20', bps: 32_000, offersMade: 3, offersTold: 1 })
})

test('a limit on speech holds for the transport after this one too', async (t) => {
  const { world } = await live(ANSWER)
  world.socket.say({ type: 'limit', use: 'microphone', packetMs: 40, bitrateBps: 8_000 })
  await world.settle()
  world.socket.say({ type: 'media', state: 'disconnected' })
  await world.settle()
  world.socket.answer('offer', { type: 'answer', sdp: ANSWER })
  await world.settle()
  t.is(world.connections.length, 2)
  t.like(speechOf(world), { packets: 'a=ptime:40', bps: 8_000 })
})

test('a source is announced only when it is permitted, and its mute before it', async (t) => {
  const { world, conference } = await live()
  world.socket.say(self([]))
  const microphone = fakeTrack('audio')
  await conference.setMuted('microphone', true)
  await conference.setSource('microphone', microphone)
  t.false(microphone.enabled)
  t.is(world.connection.transceivers[0]?.sender.track, microphone)
  t.is(world.socket.last('publish'), undefined)
  world.socket.say(self(['microphone']))
  await world.settle()
  t.like(world.socket.last('mute'), { use: 'microphone', muted: true })
  world.socket.answer('mute', { type: 'ok' })
  await world.settle()
  t.like(world.socket.last('publish'), { use: 'microphone', live: true })
})

test('replacing a camera neither renegotiates nor announces it again', async (t) => {
  const { world, conference } = await live()
  const settled = conference.setSource('camera', fakeTrack('video'))
  await world.settle()
  world.socket.answer('mute', { type: 'ok' })
  await world.settle()
  world.socket.answer('publish', { type: 'ok' })
  await settled
  const second = fakeTrack('video')
  await conference.setSource('camera', second)
  t.is(world.connection.transceivers[1]?.sender.track, second)
  t.is(world.socket.all('publish').length, 1)
  t.is(world.socket.all('offer').length, 1)
})

test('a lost socket resumes with session and secret, and media is left alone', async (t) => {
  const { world, conference } = await live()
  drop(world)
  t.is(conference.state.phase, 'reconnecting')
  await world.pass(400)
  t.is(world.sockets.length, 2)
  world.socket.onopen?.()
  await world.settle()
  t.deepEqual(world.socket.last('join')?.resume, { session: 'session-1', secret: 'secret-1' })
  world.socket.answer('join', joinedMessage({ resumed: true }))
  await world.settle()
  t.is(conference.state.phase, 'live')
  t.is(world.connections.length, 1)
  t.is(world.socket.last('offer'), undefined)
})

test('what was muted while the socket was away is told after it came back', async (t) => {
  const { world, conference } = await live()
  const settled = conference.setSource('microphone', fakeTrack('audio'))
  await world.settle()
  world.socket.answer('mute', { type: 'ok' })
  await world.settle()
  world.socket.answer('publish', { type: 'ok' })
  await settled
  drop(world)
  await conference.setMuted('microphone', true)
  await world.pass(400)
  await resume(world, true)
  t.like(world.socket.last('mute'), { use: 'microphone', muted: true })
})

test('a session that is gone is joined anew, with a fresh transport and sources again', async (t) => {
  const { world, conference } = await live()
  void conference.setSource('camera', fakeTrack('video'))
  await world.settle()
  world.socket.answer('mute', { type: 'ok' })
  await world.settle()
  world.socket.answer('publish', { type: 'ok' })
  drop(world)
  await world.pass(400)
  world.socket.onopen?.()
  await world.settle()
  world.socket.answer('join', {
    type: 'error',
    code: 'session-gone',
    message: 'gone',
    fatal: false,
  })
  await world.settle()
  t.is(world.sockets.length, 3)
  world.socket.onopen?.()
  await world.settle()
  t.is(world.socket.last('join')?.resume, undefined)
  world.socket.answer('join', joinedMessage())
  await world.settle()
  t.is(world.connections.length, 2)
  t.true(world.connections[0]?.closed)
  world.socket.say(self(ALL))
  await world.settle()
  world.socket.answer('mute', { type: 'ok' })
  await world.settle()
  t.like(world.socket.last('publish'), { use: 'camera', live: true })
})

test('attempts to reconnect never end and are at most 10 s apart', async (t) => {
  const { world } = await live()
  drop(world)
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const before = world.sockets.length
    await world.pass(10_000)
    t.true(world.sockets.length > before)
    drop(world)
  }
})

test('"reconnect now" and a network that is back skip the wait', async (t) => {
  const { world, conference } = await live()
  drop(world)
  conference.reconnectNow()
  t.is(world.sockets.length, 2)
  drop(world)
  world.wake()
  t.is(world.sockets.length, 3)
})

test('a silent link is noticed by an unanswered ping', async (t) => {
  const { world, conference } = await live()
  await world.pass(10_000)
  t.is(world.socket.all('ping').length, 1)
  world.socket.say({ type: 'pong' })
  await world.pass(10_000)
  t.is(conference.state.phase, 'live')
  await world.pass(6_000)
  t.is(conference.state.phase, 'reconnecting')
})

test('requests without an answer fail when the socket is lost, and after 10 s', async (t) => {
  const { world, conference } = await live()
  const lost = t.throwsAsync(conference.sendChat('a'), { instanceOf: ConferenceError })
  drop(world)
  t.is((await lost)?.message, 'the connection was lost')
  conference.reconnectNow()
  await resume(world, true)
  const late = t.throwsAsync(conference.sendChat('b'), { message: 'no answer to chat' })
  await world.pass(9_000)
  world.socket.say({ type: 'pong' })
  await world.pass(1_000)
  await late
})

test('at most 64 requests wait at a time', async (t) => {
  const { world, conference } = await live()
  const waiting = world.socket.sent.length
  const refused: string[] = []
  for (let count = 0; count < 80; count += 1) {
    conference.sendChat('x').catch((error: ConferenceError) => refused.push(error.code))
  }
  await world.settle()
  t.true(refused.length >= 16)
  t.true(world.socket.sent.length - waiting <= 64)
  t.true(refused.every((code) => code === 'rate-limited'))
})

for (const code of ['kicked', 'replaced', 'token-expired', 'room-locked'] as const) {
  test(`a bye with ${code} ends the conference and reconnects no more`, async (t) => {
    const { world, conference } = await live()
    world.socket.say({ type: 'bye', code, message: 'because' })
    t.is(conference.state.phase, 'ended')
    t.is(conference.state.ended?.code, code)
    t.true(world.connection.closed)
    await world.pass(60_000)
    t.is(world.sockets.length, 1)
  })
}

for (const code of ['shutting-down', 'overloaded', 'internal'] as const) {
  test(`a bye with ${code} is followed by another attempt`, async (t) => {
    const { world, conference } = await live()
    world.socket.say({ type: 'bye', code, message: 'later' })
    t.is(conference.state.phase, 'reconnecting')
    await world.pass(10_000)
    t.is(world.sockets.length, 2)
  })
}

test('a failed transport is restarted first and replaced when that does not help', async (t) => {
  const { world, conference } = await live()
  world.connection.become('failed')
  await world.settle()
  t.is(conference.state.media, 'interrupted')
  t.deepEqual(world.connection.offers.at(-1), { iceRestart: true })
  world.socket.answer('offer', { type: 'answer', sdp: 'v=0\r\n' })
  await world.settle()
  world.socket.say({ type: 'pong' })
  await world.pass(10_000)
  t.is(world.connections.length, 2)
  world.socket.answer('offer', { type: 'answer', sdp: 'v=0\r\n' })
  await world.settle()
  world.connection.become('connected')
  t.is(conference.state.media, 'connected')
  t.is(conference.state.mediaEpoch, 2)
})

test('a short interruption heals by itself without a restart', async (t) => {
  const { world } = await live()
  world.connection.become('disconnected')
  await world.pass(2_000)
  world.connection.become('connected')
  await world.pass(5_000)
  t.is(world.connection.offers.length, 1)
})

test('a transport that the server has lost is replaced at once', async (t) => {
  const { world } = await live()
  world.socket.say({ type: 'media', state: 'disconnected', cause: 'consent-expired' })
  await world.settle()
  t.is(world.connections.length, 2)
  t.like(world.socket.last('offer'), { sdp: 'offer-1' })
})

test('media that failed while the socket was away is restarted on resume', async (t) => {
  const { world } = await live()
  drop(world)
  world.connection.become('failed')
  await world.settle()
  t.is(world.connection.offers.length, 1)
  await world.pass(400)
  await resume(world, true)
  t.deepEqual(world.connection.offers.at(-1), { iceRestart: true })
})

test('many changes of the view within 150 ms are one message with the last of them', async (t) => {
  const { world, conference } = await live()
  const before = world.socket.all('view').length
  for (let width = 100; width <= 640; width += 20)
    conference.setView({ main: null, mainSize: { widthPx: width, heightPx: 9.4 }, tiles: [] })
  await world.pass(150)
  t.is(world.socket.all('view').length, before + 1)
  t.deepEqual(world.socket.last('view')?.slots, [
    { mid: '6', widthPx: 640, heightPx: 9 },
    { mid: '7', widthPx: 0, heightPx: 0 },
    { mid: '8', widthPx: 0, heightPx: 0 },
  ])
})

test('leaving says so, ends, and is idempotent', async (t) => {
  const { world, conference } = await live()
  const left = conference.leave()
  world.socket.answer('leave', { type: 'ok' })
  await left
  await conference.leave()
  t.is(conference.state.ended?.code, 'left')
  t.is(world.socket.all('leave').length, 1)
  t.is(world.socket.closedWith, 1000)
})

test('statistics and the server’s view become one quality, of what is shown', async (t) => {
  const { world, conference } = await live()
  world.socket.say({
    type: 'quality',
    streams: [
      {
        mid: '6',
        direction: 'out',
        mark: 'amber',
        reason: 'bandwidth',
        bitrateBps: 1,
        lossRatio: 0,
        rttMs: 40,
        spatialLayer: 1,
      },
    ],
  })
  t.deepEqual(conference.state.quality, [])
  conference.setView({ main: null, mainSize: { widthPx: 640, heightPx: 360 }, tiles: [] })
  world.connection.stats = [
    { id: 'i', type: 'inbound-rtp', kind: 'video', mid: '6', packetsReceived: 10, packetsLost: 0 },
  ]
  await world.pass(2_000)
  t.like(conference.state.quality[0], { mid: '6', mark: 'amber', reason: 'bandwidth' })
  t.is(conference.statistics.length, 1)
})

const above = {
  type: 'upstream',
  state: 'island',
  forMs: 60_000,
  mark: 'red',
  rateBps: 0,
  lossRatio: 0,
  rttMs: 0,
  node: 'Mường Nhé',
  upstream: 'Điện Biên',
} as const

test('the link above is kept with a time of this machine, until another server is joined', async (t) => {
  const { world, conference } = await live()
  t.is(conference.state.upstream, undefined)
  world.socket.say(above)
  const { sinceMs } = conference.state.upstream ?? {}
  t.is(sinceMs, world.nowMs() - 60_000)
  t.like(conference.state.upstream, { state: 'island', mark: 'red', node: 'Mường Nhé' })
  await world.pass(5_000)
  world.socket.say({ ...above, state: 'connected', forMs: 0, mark: 'green' })
  t.like(conference.state.upstream, { state: 'connected', sinceMs: world.nowMs() })
  world.socket.onclose?.({ code: 1006, reason: '' })
  await world.pass(10_000)
  world.socket.onopen?.()
  await world.settle()
  world.socket.answer('join', joinedMessage({ resumed: true }))
  await world.settle()
  t.is(conference.state.upstream, undefined)
})

test('trying the server above and marking an emergency are requests of their own', async (t) => {
  const { world, conference } = await live()
  const tried = conference.tryUpstream()
  world.socket.answer('try-upstream', { type: 'ok' })
  await tried
  const marked = conference.setEmergency(true)
  t.is(world.socket.last('emergency')?.on, true)
  world.socket.answer('emergency', { type: 'ok' })
  await marked
  world.socket.say({ type: 'room', revision: 2, emergency: true })
  t.true(conference.state.emergency)
})

test('polls are kept by deltas, and voting is a request of its own', async (t) => {
  const { world, conference } = await live()
  const poll = { poll: 'na-1', question: '?', options: ['a', 'b'], counts: [0, 0], closed: false }
  world.socket.say({ type: 'room', revision: 2, polls: { set: [poll], remove: [] } })
  const voted = conference.vote('na-1', 1)
  t.like(world.socket.last('vote'), { poll: 'na-1', option: 1 })
  world.socket.answer('vote', { type: 'ok' })
  await voted
  const tallies = [
    { poll: 'na-1', counts: [0, 1] },
    { poll: 'unknown', counts: [1, 1] },
  ]
  world.socket.say({ type: 'room', revision: 3, tallies })
  world.socket.say({ ...self(ALL), votes: [{ poll: 'na-1', option: 1 }] })
  t.deepEqual(conference.state.polls, [{ ...poll, counts: [0, 1] }])
  t.deepEqual(conference.state.self.votes, [{ poll: 'na-1', option: 1 }])
  world.socket.say({ type: 'room', revision: 4, polls: { set: [], remove: ['na-1'] } })
  t.deepEqual(conference.state.polls, [])
})
