import test from 'ava'
import fc from 'fast-check'
import { backoffMs } from './backoff.ts'
import { createCodec } from './codec.ts'
import type { Fate } from './errors.ts'
import { fateOf } from './errors.ts'
import { BACKOFF_MS_MAX, CHAT_ENTRIES_MAX } from './limits.ts'
import { preferCodec } from './media.ts'
import type { ChatEntry, ErrorCode, Pin, ServerMessage } from './messages.ts'
import { combineQuality, overallQuality } from './quality.ts'
import { withOpusResilience } from './sdp.ts'
import { applyMessage, initialState, mergeChat } from './state.ts'
import { read, summarise } from './statistics.ts'
import { assignTiles } from './tiles.ts'

test('waiting times double up to their ceiling, with half left to chance', (t) => {
  t.is(backoffMs(0, 0), 250)
  t.is(backoffMs(0, 1), 500)
  t.is(backoffMs(2, 1), 2_000)
  t.is(backoffMs(1e9, 1), BACKOFF_MS_MAX)
})

test('msgpack frames are plain maps without the fields that are undefined', (t) => {
  const codec = createCodec('msgpack')
  const frame = codec.encode({
    type: 'ping',
    ref: 7,
  }) as Uint8Array<ArrayBuffer>
  // A map of two: fixmap or map 16, never an extension type.
  t.true(frame[0] === 0x82 || frame[0] === 0xde)
  t.deepEqual(codec.decode(frame.buffer), { type: 'ping', ref: 7 } as unknown as ServerMessage)
})

test('times beyond 32 bits come back as numbers, whichever way they were packed', (t) => {
  const codec = createCodec('msgpack')
  // {type: 'x', time: uint64 2^40}
  const head = [0x82, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xa1, 0x78, 0xa4, 0x74, 0x69, 0x6d, 0x65]
  const frame = Uint8Array.from([...head, 0xcf, 0, 0, 1, 0, 0, 0, 0, 0])
  t.is((codec.decode(frame) as unknown as { time: number }).time, 2 ** 40)
})

test('no frame makes a codec throw', (t) => {
  const msgpack = createCodec('msgpack')
  const json = createCodec('json')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, text) => {
      const decoded = [msgpack.decode(bytes), msgpack.decode(text), json.decode(text)]
      return decoded.every((value) => value === undefined || typeof value.type === 'string')
    }),
  )
  t.pass()
})

test('every documented code has a fate', (t) => {
  const fates: Record<ErrorCode, Fate> = {
    'bad-message': 'end',
    'bad-state': 'end',
    'unsupported-version': 'end',
    unauthorized: 'end',
    'token-expired': 'end',
    'token-not-yet-valid': 'end',
    forbidden: 'end',
    'not-found': 'end',
    'room-locked': 'end',
    'room-full': 'end',
    kicked: 'end',
    replaced: 'end',
    'rate-limited': 'retry',
    'too-large': 'end',
    'bad-sdp': 'retry',
    'unsupported-media': 'retry',
    'session-gone': 'rejoin',
    overloaded: 'retry',
    'store-unavailable': 'retry',
    'shutting-down': 'retry',
    internal: 'retry',
  }
  for (const [code, fate] of Object.entries(fates)) t.is(fateOf(code), fate, code)
  t.is(fateOf('a-code-of-tomorrow'), 'retry')
})

test('Opus gets FEC and DTX in the microphone’s section only, and only once', (t) => {
  const section = (mid: string, fmtp: string): string =>
    `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:${mid}\r\na=rtpmap:111 opus/48000/2\r\n${fmtp}`
  const sdp = `v=0\r\n${section('0', 'a=fmtp:111 minptime=10;useinbandfec=1\r\n')}${section('3', '')}`
  const edited = withOpusResilience(sdp, ['0'])
  t.true(edited.includes('a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n'))
  t.true(edited.endsWith(section('3', '')))
  t.is(withOpusResilience(edited, ['0']), edited)
  const bare = withOpusResilience(`v=0\r\n${section('0', '')}`, ['0'])
  t.true(bare.includes('a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1;usedtx=1\r\n'))
})

test('the preferred codec moves to the front and nothing is lost', (t) => {
  const codecs = ['video/H264', 'video/VP8', 'video/rtx'].map((mimeType) => ({
    mimeType,
    clockRate: 90_000,
  }))
  t.deepEqual(
    preferCodec(codecs, 'video/vp8').map(({ mimeType }) => mimeType),
    ['video/VP8', 'video/H264', 'video/rtx'],
  )
})

const pin = fc.record({
  participant: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  use: fc.constantFrom('camera' as const, 'screen' as const),
})
const key = (value: Pin | undefined): string | undefined =>
  value && `${value.participant}/${value.use}`

test('tiles show the first wanted ones, each once, and nobody moves without need', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(pin, { selector: key }),
      fc.uniqueArray(pin, { selector: key }),
      fc.nat(6),
      (before, wanted, count) => {
        const first = assignTiles([], before, count)
        const second = assignTiles(first, wanted, count)
        const shown = second.flatMap((value) => key(value) ?? [])
        const chosen = wanted.slice(0, count).map(key)
        const stayed = first.every(
          (value, index) =>
            value === undefined || !chosen.includes(key(value)) || second[index] === value,
        )
        return stayed && second.length === count && shown.sort().join() === chosen.sort().join()
      },
    ),
  )
  t.pass()
})

const entry = (number: number): ChatEntry => ({
  number,
  participant: 'p',
  name: 'n',
  site: 's',
  text: 't',
  time: 0,
})

test('chat is in order, without duplicates, and bounded to the newest', (t) => {
  const known = [3, 5].map(entry)
  t.deepEqual(
    mergeChat(known, [5, 4, 1].map(entry)).map(({ number }) => number),
    [1, 3, 4, 5],
  )
  const many = Array.from({ length: CHAT_ENTRIES_MAX + 9 }, (_, index) => entry(index))
  t.is(mergeChat([], many).length, CHAT_ENTRIES_MAX)
  t.is(mergeChat([], many)[0]?.number, 9)
})

test('a room delta changes what it names, and an old one nothing', (t) => {
  const member = (participant: string, name: string) => ({
    participant,
    name,
    site: '',
    role: 'speaker' as const,
    sources: {},
  })
  const before = { ...initialState(0), revision: 4, stage: [member('a', 'A'), member('b', 'B')] }
  const after = applyMessage(before, {
    type: 'room',
    revision: 5,
    stage: { set: [member('b', 'B2'), member('c', 'C')], remove: ['a'] },
    pin: null,
  })
  t.deepEqual(
    after.stage.map(({ name }) => name),
    ['B2', 'C'],
  )
  t.is(applyMessage(after, { type: 'room', revision: 5, locked: true }), after)
})

const reading = (nowMs: number, entries: Record<string, unknown>[]) =>
  read(new Map(entries.map((one) => [String(one.id), one])), nowMs)

test('rates are growth over time; loss is of the interval; layers are in order', (t) => {
  const inbound = { id: 'i', type: 'inbound-rtp', kind: 'video', mid: '6' }
  const layer = (rid: string, bytesSent: number) => ({
    id: rid,
    type: 'outbound-rtp',
    kind: 'video',
    mid: '1',
    rid,
    framesEncoded: 1,
    bytesSent,
    frameHeight: 180,
    qualityLimitationReason: 'bandwidth',
  })
  const before = reading(0, [
    { ...inbound, bytesReceived: 1_000, packetsReceived: 100, packetsLost: 50 },
    layer('f', 0),
    layer('q', 0),
  ])
  const now = reading(2_000, [
    { ...inbound, bytesReceived: 26_000, packetsReceived: 190, packetsLost: 60 },
    layer('f', 0),
    layer('q', 5_000),
  ])
  const [sent, received] = summarise(before, now)
  t.like(received, { mid: '6', bitrateBps: 100_000, lossRatio: 0.1 })
  t.is(sent?.bitrateBps, 20_000)
  t.is(sent?.spatialLayer, 0)
  t.is(sent?.limitedBy, 'bandwidth')
  t.deepEqual(
    sent?.layers.map(({ rid }) => rid),
    ['q', 'f'],
  )
})

test('a section that has only sent probes is no stream', (t) => {
  const probes = { id: 'o', type: 'outbound-rtp', kind: 'video', mid: '2', packetsSent: 40 }
  t.deepEqual(summarise(undefined, reading(0, [{ ...probes, framesEncoded: 0 }])), [])
})

test('counters that begin anew do not count backwards', (t) => {
  const inbound = { id: 'i', type: 'inbound-rtp', kind: 'audio', mid: '3' }
  const before = reading(0, [{ ...inbound, bytesReceived: 9_000, packetsReceived: 90 }])
  const now = reading(2_000, [{ ...inbound, bytesReceived: 10, packetsReceived: 1 }])
  t.like(summarise(before, now)[0], { bitrateBps: 0, lossRatio: 0 })
})

const own = (change: object) => ({
  mid: '6',
  kind: 'video' as const,
  direction: 'receive' as const,
  bitrateBps: 1,
  lossRatio: 0,
  rttMs: 10,
  jitterMs: 0,
  framesPerSecond: 25,
  widthPx: 640,
  heightPx: 360,
  freezesNow: 0,
  frames: 1,
  limitedBy: 'none' as const,
  spatialLayer: -1,
  layers: [],
  ...change,
})

const server = (change: object) => ({
  mid: '6',
  direction: 'out' as const,
  mark: 'green' as const,
  reason: 'none',
  bitrateBps: 1,
  lossRatio: 0,
  rttMs: 10,
  spatialLayer: 1,
  ...change,
})

test('the worse of both views counts, with its reason', (t) => {
  t.like(combineQuality([own({ lossRatio: 0.2 })], [server({ mark: 'amber' })])[0], {
    mark: 'red',
    reason: 'loss',
  })
  t.like(combineQuality([own({})], [server({ mark: 'amber', reason: 'bandwidth' })])[0], {
    mark: 'amber',
    reason: 'bandwidth',
  })
  t.like(combineQuality([own({ freezesNow: 1 })], [])[0], { mark: 'amber', reason: 'freeze' })
  t.like(combineQuality([], [server({ direction: 'in' })])[0], { direction: 'send' })
})

test('a bad small picture makes the whole amber at most', (t) => {
  const streams = combineQuality([], [server({ mark: 'red', reason: 'loss' })])
  t.is(overallQuality(streams).mark, 'red')
  t.is(overallQuality(streams, new Set(['6'])).mark, 'amber')
  t.is(overallQuality([]).mark, 'green')
})
