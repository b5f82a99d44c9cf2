import test from 'ava'
import {
  TRUNK_BUFFERED_BYTES_HIGH,
  TRUNK_BUFFERED_BYTES_MAX,
  TRUNK_MESSAGE_BYTES_MAX,
} from '../../config/index.ts'
import { packPlain } from '../../core/msgpack/index.ts'
import { FUZZ_MS, fuzz } from '../../test/fuzz.ts'
import type { TrackDescription } from '../stage-port.ts'
import { ControlSession, type SessionEnd, type TrunkMessage } from './index.ts'
import { parseMessage, writeMessage } from './parse-message.ts'

const MASTER = { profile: 'aes-cm' as const, key: new Uint8Array(16), salt: new Uint8Array(14) }

type End = {
  session: ControlSession
  sent: Uint8Array[]
  heard: TrunkMessage[]
  ends: SessionEnd[]
  closes: string[]
  bufferedBytes: number
}

function endOf(direction: 'up' | 'down'): End {
  const end: Omit<End, 'session'> = { sent: [], heard: [], ends: [], closes: [], bufferedBytes: 0 }
  const isUp = direction === 'up'
  const session = new ControlSession({
    carrier: {
      send: (frame) => end.sent.push(frame),
      bufferedBytes: () => result.bufferedBytes,
      close: (reason) => end.closes.push(reason),
    },
    selfId: isUp ? 'nchild' : 'nparent',
    peer: { nodeId: isUp ? 'nparent' : 'nchild', name: 'x', program: '0' },
    direction,
    flow: { trunkId: 1, send: { ssrc: 1, master: MASTER }, receive: { ssrc: 2, master: MASTER } },
    path: isUp ? ['nparent'] : [],
    tokenKeys: [],
    leaseMs: 10_000,
    heartbeatMs: 2_500,
    nowMs: 0,
  })
  session.onMessage = (message) => end.heard.push(message)
  session.onClosed = (reason) => end.ends.push(reason)
  const result: End = { ...end, session }
  return result
}

/** Carries what waits from one end to the other. */
function carry(from: End, to: End, nowMs: number): void {
  for (const frame of from.sent.splice(0)) to.session.onFrame(frame, nowMs)
}

const track = (participant: string): TrackDescription => ({
  room: 'giao-ban',
  participant,
  use: 'camera',
  kind: 'video',
  codecs: [{ codec: 'vp8', payloadType: 96, rtxPayloadType: 97, clockRate: 90_000 }],
  layerCount: 3,
  started: true,
  flowing: false,
})

const MESSAGES: TrunkMessage[] = [
  { type: 'sync', vector: { nabc: 12 }, lost: [{ origin: 'nabc', sequence: 3 }], more: false },
  { type: 'events-taken', batch: 1, vector: { nabc: 12 }, refused: null },
  { type: 'events-wanted', creditBytes: 0 },
  { type: 'announce', tracks: [{ streamId: 1, track: track('pabc') }] },
  { type: 'withdraw', streamIds: [1, 65_535] },
  {
    type: 'choice',
    choice: {
      room: 'giao-ban',
      heard: ['', 'pabc'],
      main: { participant: 'pabc', use: 'screen' },
      mainFallback: null,
      active: null,
    },
  },
  { type: 'rooms', rooms: [{ room: 'tuần', present: true }] },
  { type: 'status', status: { name: 'x', below: [{ sites: 3 }] } },
  { type: 'token-keys', keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }] },
  { type: 'revoked', tokens: [{ tokenId: 't', expiresMs: 1 }] },
  {
    type: 'events',
    batch: 1,
    events: [
      {
        origin: 'nabc',
        sequence: 1,
        time: 5,
        room: 'giao-ban',
        type: 'hand-raised',
        payload: { participant: 'pabc' },
      },
    ],
  },
]

test('every message arrives as it was said', (t) => {
  const [up, down] = [endOf('up'), endOf('down')]
  for (const message of MESSAGES) down.session.send(message)
  carry(down, up, 1)
  const events = MESSAGES.at(-1)!
  t.deepEqual(up.heard, [...MESSAGES.slice(0, -1), { ...events, unreadable: [] }] as TrunkMessage[])
  t.deepEqual(up.session.tokenKeys.length, 1)
})

test('a long list is told in several messages, each within its bounds, in order', (t) => {
  const tracks = Array.from({ length: 300 }, (_, index) => ({
    streamId: index + 1,
    track: { ...track('pabc'), codecs: [{ ...track('p').codecs[0]!, fmtp: 'x'.repeat(500) }] },
  }))
  const frames = writeMessage({ type: 'announce', tracks })
  t.true(frames.length > 4)
  const heard = frames.flatMap((frame) => {
    t.true(frame.length <= TRUNK_MESSAGE_BYTES_MAX)
    const parsed = parseMessage(frame)
    const message = parsed.kind === 'message' ? parsed.message : undefined
    return message?.type === 'announce' ? message.tracks : []
  })
  t.deepEqual(heard, tracks)
  t.deepEqual(writeMessage({ type: 'status', status: { text: 'x'.repeat(70_000) } }), [])
})

test('the child asks, both learn the round trip, and neither gives up while they hear each other', (t) => {
  const [up, down] = [endOf('up'), endOf('down')]
  for (let nowMs = 0; nowMs < 60_000; nowMs += 500) {
    up.session.tick(nowMs)
    down.session.tick(nowMs)
    carry(up, down, nowMs + 40)
    carry(down, up, nowMs + 80)
  }
  t.is(up.session.rttMs, 80)
  t.is(down.session.rttMs, 80)
  t.deepEqual([...up.ends, ...down.ends], [])
})

test('media keeps a trunk whose control is stuck, for four leases at most', (t) => {
  const { session, ends } = endOf('up')
  for (let nowMs = 500; nowMs <= 40_000; nowMs += 500) {
    session.noteMedia(nowMs)
    session.tick(nowMs)
  }
  t.deepEqual(ends, [])
  session.noteMedia(40_500)
  session.tick(40_500)
  t.deepEqual(ends, ['lease'])
})

test('silence for the time of the lease ends both ends', (t) => {
  const ends = [endOf('up'), endOf('down')]
  for (const end of ends) {
    end.session.tick(10_000)
    t.deepEqual(end.ends, [])
    end.session.tick(10_001)
    t.deepEqual(end.ends, ['lease'])
    t.deepEqual(end.closes, ['lease'])
  }
})

test('who closes says why, the other hears it, and it is over once', (t) => {
  const [up, down] = [endOf('up'), endOf('down')]
  down.session.close('fenced')
  down.session.close('revoked')
  carry(down, up, 1)
  down.session.onLost()
  up.session.onLost()
  t.deepEqual(down.ends, ['fenced'])
  t.deepEqual(up.ends, ['fenced'])
  up.session.send(MESSAGES[0]!)
  t.deepEqual(up.sent, [])
})

test('datagrams pass through as they are, until the connection is behind', (t) => {
  const [up, down] = [endOf('up'), endOf('down')]
  const got: Uint8Array[] = []
  down.session.onDatagram = (bytes) => got.push(bytes)
  t.true(up.session.sendDatagram(Uint8Array.of(0x80, 1, 2)))
  up.bufferedBytes = TRUNK_BUFFERED_BYTES_HIGH + 1
  t.false(up.session.sendDatagram(Uint8Array.of(3)))
  carry(up, down, 1)
  t.deepEqual(
    got.map((bytes) => [...bytes]),
    [[0x80, 1, 2]],
  )
})

test('a reader that does not read is ended by the next tick', (t) => {
  const up = endOf('up')
  up.bufferedBytes = TRUNK_BUFFERED_BYTES_MAX + 1
  up.session.send(MESSAGES[0]!)
  t.deepEqual(up.ends, [])
  up.session.tick(1)
  t.deepEqual(up.ends, ['slow-reader'])
})

test('a new way to the top is told, unless it goes through ourselves or is too long', (t) => {
  const told: unknown[] = []
  const moved = (path: string[]): SessionEnd | undefined => {
    const [up, down] = [endOf('up'), endOf('down')]
    up.session.onPath = (now) => told.push(now)
    down.session.tellPath(path)
    carry(down, up, 1)
    return up.ends[0]
  }
  t.is(moved(['nparent', 'ntop']), undefined)
  t.deepEqual(told, [['nparent', 'ntop']])
  t.is(moved(['nparent', 'nchild']), 'loop')
  t.is(moved(['nparent', ...'bcdefgh'].map((id) => (id.length > 1 ? id : `n${id}`))), 'too-deep')
  t.is(moved(['nother']), 'malformed')
  t.is(told.length, 1)
})

test('what only a newer program says is skipped and counted; what is malformed ends the trunk', (t) => {
  const up = endOf('up')
  up.session.onFrame(packPlain({ type: 'of-version-2', a: 1 }), 1)
  up.session.onFrame(packPlain({ type: 'withdraw', streamIds: [1], future: true }), 1)
  t.is(up.session.unknownCount, 1)
  t.deepEqual(up.heard, [{ type: 'withdraw', streamIds: [1] }])
  t.deepEqual(up.ends, [])
  const bad = [
    { type: 'withdraw', streamIds: [0] },
    { type: 'withdraw', streamIds: [65_536] },
    { type: 'announce', tracks: [{ streamId: 1, track: { ...track('pabc'), codecs: [] } }] },
    { type: 'announce', tracks: [{ streamId: 1, track: { ...track('p\n'), room: 'x' } }] },
    { type: 'rooms', rooms: [{ room: 'a\u0000b', present: true }] },
    { type: 'sync', vector: { nabc: -1 }, lost: [], more: false },
    { type: 'sync', vector: { 'no id': 1 }, lost: [], more: false },
    { type: 'events', batch: 1, events: [{ type: 'chat' }] },
    { type: 'status', status: [1] },
    { type: 7 },
    {},
  ]
  for (const message of bad) {
    const end = endOf('up')
    end.session.onFrame(packPlain(message), 1)
    t.deepEqual(end.ends, ['malformed'], JSON.stringify(message))
  }
  for (const frame of [new Uint8Array(0), Uint8Array.of(0), new Uint8Array(70_000).fill(0x81)]) {
    const end = endOf('up')
    end.session.onFrame(frame, 1)
    t.deepEqual(end.ends, ['malformed'])
  }
})

test('an event that only a newer program can read keeps its place', (t) => {
  const events = [
    { origin: 'nabc', sequence: 4, time: 5, room: 'x', type: 'case-opened', payload: {} },
  ]
  const parsed = parseMessage(packPlain({ type: 'events', batch: 2, events }))
  t.like(parsed, {
    message: { type: 'events', events: [], unreadable: [{ origin: 'nabc', sequence: 4 }] },
  })
})

test.serial('whatever bytes come, a message is read or refused and nothing throws', (t) => {
  t.timeout(FUZZ_MS + 30_000)
  const result = fuzz({
    samples: MESSAGES.flatMap((message) => writeMessage(message)),
    copies: true,
    parse: (bytes, start, end) =>
      parseMessage(bytes.slice(start, end)).kind === 'message' ? 1 : 0,
  })
  t.log(result.summary)
  t.true(result.accepted > 100)
})
