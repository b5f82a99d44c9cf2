import test, { type ExecutionContext } from 'ava'
import {
  ENGINE_ROOMS_MAX,
  ENGINE_TRANSPORTS_MAX,
  SECTIONS_PER_TRANSPORT_MAX,
  SWITCH_HOLD_MS,
} from '../../../config/limits.ts'
import { DROP_CODE } from '../rtp/index.ts'
import { incoming, outgoing, SimulatedRoom, Track, VP8, viewerSections } from './simulated-room.ts'

const MICROPHONE = 11
const CAMERA = 12
const OTHER_CAMERA = 22
const RIDS = ['q', 'h', 'f']

/** A speaker with microphone and camera, at index 0; viewers follow. */
function createTalk(options: { viewers: number; rids?: string[] }) {
  const room = new SimulatedRoom()
  const rids = options.rids ?? []
  const speaker = room.join(1, [
    incoming('microphone', MICROPHONE),
    incoming('camera', CAMERA, { rids }),
    ...viewerSections(),
  ])
  const viewers = Array.from({ length: options.viewers }, (_, i) =>
    room.join(100 + i, viewerSections()),
  )
  const voice = new Track({
    room,
    transportIndex: speaker,
    ssrc: 1,
    mid: 'microphone',
    kind: 'audio',
  })
  const cameras = (rids.length === 0 ? [undefined] : rids).map((rid, i) => {
    const place = { room, transportIndex: speaker, ssrc: 10 + i, mid: 'camera' } as const
    const track = new Track({ ...place, kind: 'video', ...(rid === undefined ? {} : { rid }) })
    track.heightPx = [180, 360, 720][rids.length === 0 ? 2 : i]!
    track.payloadBytes = [60, 250, 1_000][rids.length === 0 ? 0 : i]!
    return track
  })
  room.assign([MICROPHONE, 0, 0], CAMERA)
  return { room, speaker, viewers, voice, cameras }
}

/** Runs for `ms` of virtual time: audio every 20 ms, a frame every 40 ms, keyframes when asked by PLI. */
function run(talk: ReturnType<typeof createTalk>, ms: number): void {
  const { room, voice, cameras } = talk
  const until = room.nowMs + ms
  while (room.nowMs < until) {
    voice.audio()
    if (Math.floor(room.nowMs / 20) % 2 === 0) {
      cameras.forEach((camera, i) => {
        if (takePli(talk, 10 + i)) camera.keyframeWanted = true
        camera.frame(i + 1, 3_600)
      })
    }
    room.advance(20)
  }
}

/** True when the speaker got a PLI for this SSRC since the last call. */
function takePli(
  { room, speaker }: { room: SimulatedRoom; speaker: number },
  ssrc: number,
): boolean {
  const found = room.sink.rtcp.findIndex(
    ({ transportIndex, bytes }) => transportIndex === speaker && hasPli(bytes, ssrc),
  )
  if (found >= 0) room.sink.rtcp.splice(found, 1)
  return found >= 0
}

function hasPli(bytes: Uint8Array, ssrc: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = 0; at + 12 <= bytes.length; at += 4 + view.getUint16(at + 2) * 4) {
    const isPli = bytes[at + 1] === 206 && (bytes[at]! & 31) === 1
    if (isPli && view.getUint32(at + 8) === ssrc) return true
  }
  return false
}

function assertContinuous(t: ExecutionContext, sent: { index: number }[]): void {
  const gaps = sent.filter((row, i) => i > 0 && row.index !== sent[i - 1]!.index + 1)
  t.deepEqual(gaps, [])
}

test('everyone hears and sees the speaker, nobody itself', (t) => {
  const talk = createTalk({ viewers: 3 })
  run(talk, 1_000)
  const { room, viewers, speaker } = talk
  for (const viewer of viewers) {
    t.is(room.sentTo(viewer, 1_000).length, 50)
    t.true(room.sentTo(viewer, 2_000).length >= 24)
    assertContinuous(t, room.sentTo(viewer, 1_000))
    assertContinuous(t, room.sentTo(viewer, 2_000))
    t.is(room.sentTo(viewer, 1_000)[0]!.payloadType, 111)
    t.true(room.sentTo(viewer, 1_000)[0]!.marker)
  }
  t.is(room.sink.rtp.filter((row) => row.transportIndex === speaker).length, 0)
  t.deepEqual(room.sink.violations, [])
})

test('a change of speaker is continuous in the same slots, and the speaker sees the fallback', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers } = talk
  const second = room.join(2, [incoming('camera', OTHER_CAMERA), ...viewerSections()])
  const camera = new Track({ room, transportIndex: second, ssrc: 77, mid: 'camera', kind: 'video' })
  camera.frame()
  run(talk, 400)
  room.assign([MICROPHONE, 0, 0], OTHER_CAMERA, CAMERA)
  run(talk, 100)
  t.true(room.sentTo(second, 2_000).length > 0, 'the other sees the fallback')
  t.true(takePli({ room, speaker: second }, 77), 'the new one is asked for a keyframe')
  camera.keyframeWanted = true
  camera.frame()
  camera.frame()
  const sent = room.sentTo(viewers[0]!, 2_000)
  assertContinuous(t, sent)
  for (let i = 1; i < sent.length; i++)
    t.true(((sent[i]!.timestamp - sent[i - 1]!.timestamp) | 0) >= 0)
  const before = sent.length
  camera.frame()
  t.is(room.sentTo(viewers[0]!, 2_000).length, before + 2)
  t.deepEqual(room.sink.violations, [])
})

test('a larger view gets a higher layer, a smaller one a lower, and 0x0 nothing', (t) => {
  const talk = createTalk({ viewers: 1, rids: RIDS })
  const { room, viewers } = talk
  const view = (widthPx: number, heightPx: number) =>
    room.engine.command(
      {
        type: 'view',
        transportId: 100,
        views: [{ mid: 'main0', publicationId: 0, widthPx, heightPx }],
      },
      room.nowMs,
    )
  view(160, 90)
  run(talk, 3_000)
  const layerNow = () => {
    const quality = room.reports.filter((r) => r.type === 'quality' && r.transportId === 100).at(-1)
    if (quality?.type !== 'quality') return undefined
    return quality.streams.find(({ mid }) => mid === 'main0')?.spatialLayer
  }
  t.is(layerNow(), 0)
  view(640, 360)
  run(talk, 5_000)
  t.is(layerNow(), 1)
  assertContinuous(t, room.sentTo(viewers[0]!, 2_000))
  view(0, 0)
  const before = room.sentTo(viewers[0]!, 2_000).length
  run(talk, 500)
  t.is(room.sentTo(viewers[0]!, 2_000).length, before)
  view(160, 90)
  run(talk, 2_000)
  const sent = room.sentTo(viewers[0]!, 2_000)
  t.true(sent.length > before)
  assertContinuous(t, sent)
  t.deepEqual(room.sink.violations, [])
})

test('a tile shows what its participant asked for, but never its own picture', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers, speaker } = talk
  const views = [{ mid: 'tile0', publicationId: CAMERA, widthPx: 320, heightPx: 180 }]
  room.engine.command({ type: 'view', transportId: 100, views }, room.nowMs)
  room.engine.command({ type: 'view', transportId: 1, views }, room.nowMs)
  talk.cameras[0]!.keyframeWanted = true
  run(talk, 300)
  t.true(room.sentTo(viewers[0]!, 3_000).length > 0)
  t.is(room.sentTo(speaker, 3_000).length, 0)
})

test('muted and not permitted publications are dropped by name, and come back without a gap', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers } = talk
  const drops = room.engine.counters.drops
  run(talk, 200)
  room.engine.command({ type: 'mute', publicationId: MICROPHONE, muted: true }, room.nowMs)
  const before = room.sentTo(viewers[0]!, 1_000).length
  run(talk, 200)
  t.is(room.sentTo(viewers[0]!, 1_000).length, before)
  t.is(drops[DROP_CODE.muted], 10)
  room.engine.command({ type: 'mute', publicationId: MICROPHONE, muted: false }, room.nowMs)
  run(talk, 200)
  t.is(room.sentTo(viewers[0]!, 1_000).length, before + 10)
  assertContinuous(t, room.sentTo(viewers[0]!, 1_000))
  room.engine.command({ type: 'permit', transportId: 1, uses: ['microphone'] }, room.nowMs)
  const video = room.sentTo(viewers[0]!, 2_000).length
  run(talk, 200)
  t.true(drops[DROP_CODE['not-permitted']]! >= 5)
  t.is(room.sentTo(viewers[0]!, 2_000).length, video)
})

test('redundancy goes to those who negotiated it, the primary alone to the others', (t) => {
  const room = new SimulatedRoom()
  const speaker = room.join(1, [incoming('microphone', MICROPHONE, { red: true })])
  const modern = room.join(2, [outgoing('audio', 0, { red: true })])
  const plain = room.join(3, [outgoing('audio', 0)])
  room.assign([MICROPHONE], 0)
  const voice = new Track({
    room,
    transportIndex: speaker,
    ssrc: 1,
    mid: 'microphone',
    kind: 'audio',
  })
  voice.payloadType = 63
  // One block of 3 bytes that is 960 ticks old, then the primary of 2 bytes.
  voice.audio(Uint8Array.of(0x80 | 111, 0x0f, 0x00, 0x03, 111, 1, 1, 1, 2, 2))
  t.deepEqual(
    [...room.sentTo(modern, 1_000)[0]!.bytes.subarray(12)],
    [...[0x80 | 111, 0x0f, 0x00, 0x03, 111, 1, 1, 1, 2, 2]],
  )
  t.is(room.sentTo(modern, 1_000)[0]!.payloadType, 64)
  t.deepEqual([...room.sentTo(plain, 1_000)[0]!.bytes.subarray(12)], [2, 2])
  t.is(room.sentTo(plain, 1_000)[0]!.payloadType, 111)
  voice.payloadType = 111
  voice.audio(Uint8Array.of(7, 7))
  t.is(room.sentTo(modern, 1_000)[1]!.payloadType, 111)
})

/** A generic NACK for one number. */
function nack(mediaSsrc: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  bytes.set([0x81, 205, 0, 3])
  view.setUint32(8, mediaSsrc)
  view.setUint16(12, sequence)
  return bytes
}

function pli(mediaSsrc: number): Uint8Array {
  const bytes = new Uint8Array(12)
  bytes.set([0x81, 206, 0, 2])
  new DataView(bytes.buffer).setUint32(8, mediaSsrc)
  return bytes
}

test('a NACK is answered by RTX with the original payload, once per round trip', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers } = talk
  run(talk, 400)
  const viewer = viewers[0]!
  const lost = room.sentTo(viewer, 2_000).at(-3)!
  const give = (bytes: Uint8Array) => room.engine.onRtcp(viewer, bytes, 0, bytes.length, room.nowMs)
  give(nack(2_000, lost.sequence))
  give(nack(2_000, lost.sequence))
  const [answer, ...more] = room.sentTo(viewer, 2_001)
  t.is(more.length, 0)
  t.is(answer!.payloadType, 97)
  t.is(answer!.timestamp, lost.timestamp)
  t.is((answer!.bytes[12]! << 8) | answer!.bytes[13]!, lost.sequence)
  t.deepEqual(answer!.bytes.subarray(14), lost.bytes.subarray(12))
  t.is(room.engine.counters.drops[DROP_CODE['nack-throttled']], 1)
  give(nack(2_000, lost.sequence + 20_000))
  give(nack(9_999, lost.sequence))
  t.is(room.engine.counters.drops[DROP_CODE['nack-unknown']], 2)
})

test('without RTX the very same bytes go out again under the same index', (t) => {
  for (const transportWide of [false, true]) {
    const room = new SimulatedRoom()
    const speaker = room.join(1, [incoming('camera', CAMERA)])
    const viewer = room.join(2, [outgoing('main', 0, { rtx: false, transportWide })])
    room.assign([], CAMERA)
    const camera = new Track({
      room,
      transportIndex: speaker,
      ssrc: 5,
      mid: 'camera',
      kind: 'video',
    })
    for (let i = 0; i < 10; i++) {
      camera.frame()
      room.advance(40)
    }
    const first = room.sentTo(viewer, 2_000)[4]!
    const bytes = nack(2_000, first.sequence)
    room.engine.onRtcp(viewer, bytes, 0, bytes.length, room.nowMs)
    const again = room.sentTo(viewer, 2_000).at(-1)!
    t.is(again.index, first.index)
    t.deepEqual(again.bytes, first.bytes)
    t.deepEqual(room.sink.violations, [])
  }
})

test('a NACK storm is answered within the allowance only', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers } = talk
  run(talk, 2_000)
  const last = room.sentTo(viewers[0]!, 2_000).at(-1)!.sequence
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 40; i++) {
      const bytes = nack(2_000, (last - i) & 0xffff)
      room.engine.onRtcp(viewers[0]!, bytes, 0, bytes.length, room.nowMs + round * 25)
    }
  }
  // 256 at once and 500 a second for 2.5 s.
  t.true(room.engine.counters.retransmitted <= 256 + 1_250)
  t.true(room.engine.counters.drops[DROP_CODE['nack-throttled']]! >= 4_000 - 1_506)
})

test('a thousand wishes for a keyframe become one, and again one after half a second', (t) => {
  const talk = createTalk({ viewers: 50 })
  const { room, viewers } = talk
  run(talk, 1_000)
  takePli(talk, 10)
  const bytes = pli(2_000)
  const before = room.engine.counters.keyframesRequested
  for (let i = 0; i < 1_000; i++) {
    room.engine.onRtcp(viewers[i % 50]!, bytes, 0, bytes.length, room.nowMs)
    if (i % 10 === 9) room.advance(1)
  }
  room.advance(20)
  t.is(room.engine.counters.keyframesRequested, before + 1)
  room.advance(500)
  t.is(room.engine.counters.keyframesRequested, before + 2)
})

test('what a publisher lost is asked for again, and what comes late still goes out', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, speaker, cameras } = talk
  run(talk, 200)
  const lost = cameras[0]!.sequence
  cameras[0]!.lose = (sequence) => sequence === lost
  run(talk, 200)
  const asked = room.sink.rtcp.some(({ transportIndex, bytes }) => {
    const view = new DataView(bytes.buffer)
    if (transportIndex !== speaker || bytes.length < 24 || bytes[9] !== 205) return false
    return (bytes[8]! & 31) === 1 && view.getUint16(20) === (lost & 0xffff)
  })
  t.true(asked)
})

test('transport-wide feedback goes to a publisher that negotiated it, at least every 100 ms', (t) => {
  const room = new SimulatedRoom()
  const speaker = room.join(1, [incoming('camera', CAMERA, { transportWide: true })])
  const camera = new Track({ room, transportIndex: speaker, ssrc: 5, mid: 'camera', kind: 'video' })
  let number = 65_530
  camera.transportSequence = () => number++
  for (let i = 0; i < 50; i++) {
    camera.frame()
    room.advance(20)
  }
  const feedbacks = room.sink.rtcp.filter(
    ({ bytes }) => bytes[9] === 205 && (bytes[8]! & 31) === 15,
  )
  t.true(feedbacks.length >= 10, `${feedbacks.length}`)
})

test('a receiver with transport-wide numbers gets one more with each packet of any slot', (t) => {
  const room = new SimulatedRoom()
  const speaker = room.join(1, [incoming('microphone', MICROPHONE), incoming('camera', CAMERA)])
  const sections = [
    outgoing('audio', 0, { transportWide: true }),
    outgoing('main', 0, { transportWide: true }),
  ]
  const viewer = room.join(2, sections)
  room.assign([MICROPHONE], CAMERA)
  const voice = new Track({
    room,
    transportIndex: speaker,
    ssrc: 1,
    mid: 'microphone',
    kind: 'audio',
  })
  const camera = new Track({ room, transportIndex: speaker, ssrc: 5, mid: 'camera', kind: 'video' })
  for (let i = 0; i < 20; i++) {
    voice.audio()
    camera.frame()
    room.advance(5)
  }
  const numbers = room.sink.rtp
    .filter((row) => row.transportIndex === viewer && row.bytes[0] === 0x90)
    .map(({ bytes }) => (bytes[17]! << 8) | bytes[18]!)
  t.true(numbers.length >= 60)
  for (let i = 1; i < numbers.length; i++) t.is((numbers[i]! - numbers[i - 1]!) & 0xffff, 1)
})

test('sender reports tell all slots of one speaker the same wall time', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers } = talk
  run(talk, 3_000)
  const reports = room.sink.rtcp.filter(
    ({ transportIndex, bytes }) => transportIndex === viewers[0] && bytes[1] === 200,
  )
  t.true(reports.length >= 2)
  const view = new DataView(reports.at(-1)!.bytes.buffer)
  // Two reports in one compound: audio and main, then the name.
  t.is(view.getUint8(29), 200)
  t.is(view.getUint8(57), 202)
  const seconds = view.getUint32(8) - 2_208_988_800
  t.true(Math.abs(seconds - (1_700_000_000 + room.nowMs / 1_000)) < 1.5)
  const sent = room.sentTo(viewers[0]!, view.getUint32(4)).at(-1)!
  t.true(Math.abs((view.getUint32(16) - sent.timestamp) | 0) < 48_000)
})

test('levels are reported every 50 ms while audio flows, flowing when it begins and ends', (t) => {
  const talk = createTalk({ viewers: 0 })
  const { room } = talk
  run(talk, 1_000)
  const levels = room.reports.filter((report) => report.type === 'levels')
  t.true(levels.length >= 18 && levels.length <= 21, `${levels.length}`)
  const [first] = levels
  t.is(first?.type === 'levels' ? first.levels[0]?.[0] : 0, MICROPHONE)
  room.advance(3_000)
  const flowing = room.reports.filter((r) => r.type === 'flowing' && r.publicationId === CAMERA)
  t.deepEqual(
    flowing.map((report) => report.type === 'flowing' && report.flowing),
    [true, false],
  )
})

test('statistics of a gone transport are undefined, of a living one they are figures', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room } = talk
  run(talk, 500)
  room.engine.command({ type: 'request-stats', requestId: 5, transportId: 100 }, room.nowMs)
  room.engine.command({ type: 'request-stats', requestId: 6, transportId: 999 }, room.nowMs)
  const [known, unknown] = room.reports.filter((report) => report.type === 'stats')
  t.true(known?.type === 'stats' && known.stats!.packetsOut > 25)
  t.true(unknown?.type === 'stats' && unknown.stats === undefined)
})

test('a thousand viewers get every packet, and when all leave nothing is left', (t) => {
  const talk = createTalk({ viewers: 1_000, rids: RIDS })
  const { room, viewers } = talk
  run(talk, 300)
  const audio = viewers.map((viewer) => viewer)
  t.is(audio.length, 1_000)
  const counts = new Map<number, number>()
  for (const row of room.sink.rtp) {
    if (row.ssrc === 1_000)
      counts.set(row.transportIndex, (counts.get(row.transportIndex) ?? 0) + 1)
  }
  t.is(counts.size, 1_000)
  t.true([...counts.values()].every((count) => count === 15))
  for (let i = 0; i < 1_000; i++) {
    room.engine.command({ type: 'close', transportId: 100 + i }, room.nowMs)
  }
  room.engine.command({ type: 'close', transportId: 1 }, room.nowMs)
  room.assign([0, 0, 0], 0)
  t.is(room.engine.transportCount, 0)
  t.is(room.engine.publicationCount, 0)
  t.is(room.engine.roomCount, 0)
  t.is(room.sink.open.size, 0)
  t.is(room.engine.nextDeadlineMs(), Number.POSITIVE_INFINITY)
  t.deepEqual(room.sink.violations, [])
})

test('packets before the keys, for nobody, or without sense are counted and harm nothing', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room } = talk
  const { drops } = room.engine.counters
  room.engine.onRtp(999, new Uint8Array(20), 0, 20, room.nowMs)
  room.engine.onRtcp(999, new Uint8Array(20), 0, 20, room.nowMs)
  t.is(drops[DROP_CODE['transport-unknown']], 2)
  room.engine.onRtp(0, new Uint8Array(20), 0, 20, room.nowMs)
  t.is(drops[DROP_CODE['rtp-malformed']], 1)
  room.engine.onRtcp(0, new Uint8Array(20), 0, 20, room.nowMs)
  t.is(drops[DROP_CODE['rtcp-malformed']], 1)
  run(talk, 100)
  t.true(room.sink.rtp.length > 0)
})

test('a picture of another is not left standing when the new one cannot come', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers } = talk
  const second = room.join(2, [incoming('camera', OTHER_CAMERA)])
  const camera = new Track({ room, transportIndex: second, ssrc: 77, mid: 'camera', kind: 'video' })
  camera.keyframeWanted = false
  camera.frame()
  run(talk, 500)
  room.assign([MICROPHONE], OTHER_CAMERA)
  const atSwitch = room.sentTo(viewers[0]!, 2_000).length
  run(talk, SWITCH_HOLD_MS - 500)
  const held = room.sentTo(viewers[0]!, 2_000).length
  t.true(held > atSwitch)
  run(talk, 1_500)
  const after = room.sentTo(viewers[0]!, 2_000).length
  run(talk, 500)
  t.is(room.sentTo(viewers[0]!, 2_000).length, after)
})

test('a receiver without the codec gets nothing, by name, until the publisher changes to one it has', (t) => {
  const room = new SimulatedRoom()
  const h264 = { codec: 'h264' as const, payloadType: 102, clockRate: 90_000 }
  const section = { ...incoming('camera', CAMERA), codecs: [h264, VP8] }
  const speaker = room.join(1, [section])
  const viewer = room.join(2, [outgoing('main', 0)])
  room.assign([], CAMERA)
  t.true(room.engine.counters.drops[DROP_CODE['codec-not-negotiated']]! > 0)
  const camera = new Track({ room, transportIndex: speaker, ssrc: 5, mid: 'camera', kind: 'video' })
  camera.frame()
  camera.keyframeWanted = true
  camera.frame()
  t.is(room.sentTo(viewer, 2_000)[0]?.payloadType, 96)
})

test('a permission that returns begins at a keyframe, without a gap', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers } = talk
  run(talk, 300)
  room.engine.command({ type: 'permit', transportId: 1, uses: [] }, room.nowMs)
  run(talk, 300)
  const before = room.sentTo(viewers[0]!, 2_000).length
  room.engine.command({ type: 'permit', transportId: 1, uses: ['camera'] }, room.nowMs)
  run(talk, 300)
  const sent = room.sentTo(viewers[0]!, 2_000)
  t.true(sent.length > before)
  assertContinuous(t, sent)
  // VP8 payload header: P bit 0 is a keyframe.
  t.is(sent[before]!.bytes[18]! & 1, 0)
})

test('one transport more than the limit, or one with too many sections, is refused', (t) => {
  const room = new SimulatedRoom()
  const many = Array.from({ length: SECTIONS_PER_TRANSPORT_MAX + 1 }, (_, i) => outgoing('tile', i))
  t.is(room.join(5_000_000, many), -1)
  for (let i = 0; i < ENGINE_TRANSPORTS_MAX; i++) room.join(1 + i, [])
  t.is(room.join(9_000_000, []), -1)
  t.is(room.reports.filter((report) => report.type === 'disconnected').length, 2)
  room.engine.command({ type: 'close', transportId: 7 }, room.nowMs)
  t.is(room.join(9_000_001, []), 6, 'the place is used again')
})

test('rooms kept only by an assignment give way before they are too many', (t) => {
  const room = new SimulatedRoom()
  for (let i = 1; i <= ENGINE_ROOMS_MAX + 50; i++) room.assign([1], 2, 0, i)
  t.is(room.engine.roomCount, ENGINE_ROOMS_MAX)
})

test('an assignment that came before the first participant is what they see', (t) => {
  const room = new SimulatedRoom()
  room.assign([MICROPHONE], CAMERA)
  const viewer = room.join(2, viewerSections())
  const speaker = room.join(1, [incoming('microphone', MICROPHONE), incoming('camera', CAMERA)])
  const voice = new Track({
    room,
    transportIndex: speaker,
    ssrc: 1,
    mid: 'microphone',
    kind: 'audio',
  })
  const camera = new Track({ room, transportIndex: speaker, ssrc: 5, mid: 'camera', kind: 'video' })
  voice.audio()
  camera.frame()
  t.is(room.sentTo(viewer, 1_000).length, 1)
  t.is(room.sentTo(viewer, 2_000).length, 2)
})

test('when the main picture ends, the fallback is shown without waiting for the director', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers } = talk
  const second = room.join(2, [incoming('camera', OTHER_CAMERA)])
  const camera = new Track({ room, transportIndex: second, ssrc: 77, mid: 'camera', kind: 'video' })
  room.assign([MICROPHONE], CAMERA, OTHER_CAMERA)
  camera.frame()
  run(talk, 300)
  room.engine.command({ type: 'close', transportId: 1 }, room.nowMs)
  const before = room.sentTo(viewers[0]!, 2_000).length
  camera.keyframeWanted = true
  camera.frame()
  t.is(room.sentTo(viewers[0]!, 2_000).length, before + 2)
  assertContinuous(t, room.sentTo(viewers[0]!, 2_000))
})
