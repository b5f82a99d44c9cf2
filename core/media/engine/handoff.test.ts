import test from 'ava'
import fc from 'fast-check'
import { HANDOFF_BYTES_MAX } from '../../../config/limits.ts'
import { DROP_CODE } from '../rtp/index.ts'
import type { ExportOutlet } from './contract.ts'
import { incoming, SimulatedRoom, Track, VP8, viewerSections } from './simulated-room.ts'

const CAMERA = 12

/** Two workers: the camera is on one, the viewers on the other. */
function createPair(rids = ['q', 'h', 'f']) {
  const home = new SimulatedRoom()
  const asked: string[] = []
  const away = new SimulatedRoom({
    upstream: {
      requestKeyframe: (publicationId, layer) => {
        asked.push(`keyframe ${publicationId}.${layer}`)
        home.engine.onUpstreamKeyframe(publicationId, layer, home.nowMs)
      },
      wantLayers: (publicationId, layerMask) => {
        asked.push(`want ${publicationId}: ${layerMask}`)
        home.engine.onUpstreamWant(publicationId, layerMask, home.nowMs)
      },
    },
  })
  const speaker = home.join(1, [incoming('camera', CAMERA, { rids })])
  const outlet: ExportOutlet = {
    handoff: (bytes, start, end) => away.engine.onImported(bytes, start, end, away.nowMs),
  }
  home.engine.exportPublication(CAMERA, outlet)
  const publication = {
    publicationId: CAMERA,
    kind: 'video',
    use: 'camera',
    codecs: [VP8],
    layerCount: rids.length,
  } as const
  const imported = { ...publication, codecs: [VP8] }
  away.engine.command({ type: 'import', roomId: 1, publication: imported }, away.nowMs)
  const tracks = rids.map((rid, i) => {
    const place = { room: home, transportIndex: speaker, ssrc: 10 + i, mid: 'camera', rid } as const
    const track = new Track({ ...place, kind: 'video' })
    track.heightPx = [180, 360, 720][i]!
    track.payloadBytes = [60, 250, 500][i]!
    return track
  })
  return { home, away, asked, tracks, speaker }
}

function run({ home, away, tracks, speaker }: ReturnType<typeof createPair>, frames: number): void {
  for (let i = 0; i < frames; i++) {
    tracks.forEach((track, layer) => {
      const ssrc = 10 + layer
      const isAsked = home.sink.rtcp.some(
        ({ transportIndex, bytes }) =>
          transportIndex === speaker && bytes[9] === 206 && bytes[19] === ssrc,
      )
      if (isAsked) track.keyframeWanted = true
      track.frame(layer + 1, 3_600)
    })
    home.sink.rtcp.length = 0
    home.advance(40)
    away.advance(40)
  }
}

test('a viewer on another worker sees the camera, and only wanted layers cross', (t) => {
  const pair = createPair()
  const viewer = pair.away.join(2, viewerSections())
  run(pair, 5)
  t.is(pair.away.engine.counters.packetsOut, 0)
  pair.away.assign([], CAMERA)
  run(pair, 25)
  const sent = pair.away.sentTo(viewer, 2_000)
  t.true(sent.length >= 20)
  t.deepEqual(
    sent.filter((row, i) => i > 0 && row.index !== sent[i - 1]!.index + 1),
    [],
  )
  t.true(pair.asked.some((line) => line.startsWith(`want ${CAMERA}`)))
  pair.away.assign([], 0)
  run(pair, 10)
  t.is(pair.asked.at(-1), `want ${CAMERA}: 0`)
  t.deepEqual(pair.away.sink.violations, [])
})

test('keyframes of an imported layer are asked for once in half a second', (t) => {
  const pair = createPair()
  pair.away.assign([], CAMERA)
  for (let i = 0; i < 20; i++) pair.away.join(2 + i, viewerSections())
  t.is(pair.asked.filter((line) => line.startsWith('keyframe')).length, 1)
})

test('who comes late to an imported layer gets what the others have, and nobody is asked for a keyframe', (t) => {
  const pair = createPair(['q'])
  pair.away.assign([], CAMERA)
  const first = pair.away.join(2, viewerSections())
  run(pair, 30)
  const asked = pair.asked.filter((line) => line.startsWith('keyframe')).length
  const second = pair.away.join(3, viewerSections())
  const atOnce = pair.away.sentTo(second, 2_000)
  t.true(atOnce.length > 20)
  run(pair, 10)
  t.is(pair.asked.filter((line) => line.startsWith('keyframe')).length, asked)
  const late = pair.away.sentTo(second, 2_000)
  t.deepEqual(
    late.filter((row, i) => i > 0 && row.index !== late[i - 1]!.index + 1),
    [],
  )
  const early = pair.away.sentTo(first, 2_000)
  const payloads = (rows: typeof late) =>
    rows.map(({ bytes }) => Buffer.from(bytes.subarray(20)).toString('hex'))
  t.deepEqual(payloads(late), payloads(early).slice(-late.length), 'all since the keyframe, once')
  t.deepEqual(pair.away.sink.violations, [])
})

test('what is replayed lies right before the present, and rises', (t) => {
  const pair = createPair(['q'])
  pair.away.assign([], CAMERA)
  pair.away.join(2, viewerSections())
  run(pair, 60)
  const second = pair.away.join(3, viewerSections())
  const replayed = pair.away.sentTo(second, 2_000).length
  run(pair, 2)
  const stamps = pair.away.sentTo(second, 2_000).map(({ timestamp }) => timestamp)
  const steps = stamps.slice(1).map((timestamp, i) => (timestamp - stamps[i]!) >>> 0)
  t.true(steps.every((step) => step <= 3_600))
  const behind = (stamps[replayed - 1]! - stamps[0]!) >>> 0
  t.true(behind > 0 && behind < 9_000, `${behind} ticks`)
  t.is((stamps[replayed]! - stamps[replayed - 1]!) >>> 0, 3_600)
})

test('a layer that nobody showed for a while is begun by a keyframe of its own', (t) => {
  const pair = createPair()
  pair.away.assign([], CAMERA)
  pair.away.join(2, viewerSections())
  run(pair, 20)
  pair.away.assign([], 0)
  run(pair, 20)
  const asked = pair.asked.filter((line) => line.startsWith('keyframe')).length
  pair.away.assign([], CAMERA)
  t.true(pair.asked.filter((line) => line.startsWith('keyframe')).length > asked)
})

test('a forgotten publication is gone from every slot and from the counts', (t) => {
  const pair = createPair()
  const viewer = pair.away.join(2, viewerSections())
  pair.away.assign([], CAMERA)
  run(pair, 10)
  pair.away.engine.command({ type: 'forget', publicationId: CAMERA }, pair.away.nowMs)
  const before = pair.away.sentTo(viewer, 2_000).length
  run(pair, 10)
  t.is(pair.away.sentTo(viewer, 2_000).length, before)
  t.is(pair.away.engine.publicationCount, 0)
  t.true(pair.away.engine.counters.drops[DROP_CODE['handoff-unknown']]! > 0)
})

test('any bytes from the ring are refused or harmless', (t) => {
  const pair = createPair()
  const bytesArbitrary = fc.uint8Array({ maxLength: HANDOFF_BYTES_MAX + 10 })
  fc.assert(
    fc.property(bytesArbitrary, (bytes) => {
      pair.away.engine.onImported(bytes, 0, bytes.length, pair.away.nowMs)
    }),
  )
  t.true(pair.away.engine.counters.drops[DROP_CODE['handoff-malformed']]! > 0)
})
