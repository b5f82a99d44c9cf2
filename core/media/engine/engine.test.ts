import test from 'ava'
import {
  ENGINE_ROOMS_MAX,
  ENGINE_TRANSPORTS_MAX,
  QUALITY_REPEAT_MS,
  SECTIONS_PER_TRANSPORT_MAX,
  SWITCH_HOLD_MS,
} from '../../../config/limits.ts'
import { DROP_CODE } from '../rtp/index.ts'
import { incoming, outgoing, SimulatedRoom, Track, VP8, viewerSections } from './simulated-room.ts'
import {
  assertContinuous,
  CAMERA,
  createTalk,
  MICROPHONE,
  OTHER_CAMERA,
  RIDS,
  run,
  takePli,
} from './simulated-talk.ts'

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

test('quality is told when it changes, and seldom while it does not', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room } = talk
  const told = () =>
    room.reports.filter((r) => r.type === 'quality' && r.transportId === 100).length
  run(talk, 5_000)
  const settled = told()
  run(talk, QUALITY_REPEAT_MS * 3)
  t.true(told() - settled >= 2 && told() - settled <= 4, `${told() - settled} in 30 s`)
  const before = told()
  room.assign([0, 0, 0], 0, 0)
  run(talk, 2_500)
  t.is(told(), before + 1)
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

test('a listener with fewer audio slots hears in them what its view says', (t) => {
  const talk = createTalk({ viewers: 1 })
  const { room, viewers } = talk
  room.assign([0, 0, MICROPHONE], CAMERA)
  run(talk, 200)
  const before = room.sentTo(viewers[0]!, 1_000).length
  const view = (publicationId: number) => {
    const views = [{ mid: 'audio0', publicationId, widthPx: 0, heightPx: 0 }]
    room.engine.command({ type: 'view', transportId: 100, views }, room.nowMs)
    run(talk, 200)
    return room.sentTo(viewers[0]!, 1_000).length
  }
  t.is(view(MICROPHONE), before + 10)
  t.is(view(0), before + 10, 'follows the room again, which is silent in this slot')
  assertContinuous(t, room.sentTo(viewers[0]!, 1_000))
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
