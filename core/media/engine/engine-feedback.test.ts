import test from 'ava'
import { DROP_CODE } from '../rtp/index.ts'
import { incoming, outgoing, SimulatedRoom, Track } from './simulated-room.ts'
import { CAMERA, createTalk, MICROPHONE, run, takePli } from './simulated-talk.ts'

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
