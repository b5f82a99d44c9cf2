import test from 'ava'
import { FRAME_MEDIA, FrameReader, MediaContext, MediaFrame, WireReader } from '../wire/index.ts'
import { type GotPacket, SimulatedTrunk } from './simulated-trunk.fixture.ts'

const LAYERS = [
  { bitrateBps: 100_000, heightPx: 180 },
  { bitrateBps: 300_000, heightPx: 360 },
  { bitrateBps: 1_100_000, heightPx: 720 },
]

/** How often each packet of media leaves, by stream, layer and sequence. */
function countMedia(world: SimulatedTrunk): Map<string, number> {
  const counts = new Map<string, number>()
  const frames = new FrameReader()
  const context = new MediaContext()
  const reader = new WireReader()
  const media = new MediaFrame()
  world.onDatagram = (bytes, from) => {
    if (from !== world.core) return
    context.reset()
    frames.begin(bytes, 12, bytes.length)
    while (frames.next()) {
      reader.begin(bytes, frames.start, frames.end)
      if (frames.type !== FRAME_MEDIA || !context.read(media, frames.form, reader)) continue
      const key = `${media.streamId}.${media.layer}.${media.sequence & 0xffff}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return counts
}

function late(got: GotPacket[], fromMs: number): GotPacket[] {
  return got.filter(({ atMs }) => atMs >= fromMs)
}

test('over 512 kbit/s each packet of each layer crosses once, and audio whole', (t) => {
  const link = { rateBps: 512_000, queueBytes: 19_200, delayMs: 30 }
  const world = new SimulatedTrunk({ down: link, up: link })
  const counts = countMedia(world)
  const voice = world.voice(world.core, 1)
  world.camera(world.core, 2, LAYERS)
  world.relay.end.want(1, 1)
  world.relay.end.want(2, 1)
  world.run(15_000)
  t.true(counts.size > 1_000)
  t.deepEqual(
    [...counts].filter(([, count]) => count !== 1),
    [],
  )
  t.true(voice.sent.length - world.relay.of(1).length <= 5)
  t.is(world.relay.of(2, 1).length + world.relay.of(2, 2).length, 0)
})

test('what nobody wants does not cross, and its source is told', (t) => {
  const world = new SimulatedTrunk()
  const camera = world.camera(world.core, 2, LAYERS)
  world.run(1_000)
  t.is(camera.mask, 0)
  world.relay.end.want(2, 1)
  world.run(1_000)
  t.is(camera.mask, 1)
  const before = world.relay.of(2).length
  t.true(before > 10)
  world.relay.end.want(2, 0)
  world.run(1_000)
  t.is(camera.mask, 0)
  t.true(world.relay.of(2).length <= before + 3)
})

test('rates, sizes, clocks and levels are told, and 0 of a layer that does not fit', (t) => {
  const link = { rateBps: 512_000, queueBytes: 19_200, delayMs: 30 }
  const world = new SimulatedTrunk({ down: link, up: link })
  const camera = world.camera(world.core, 2, LAYERS)
  const voice = world.voice(world.core, 1)
  voice.levelDbov = 42
  world.relay.end.want(2, 5)
  world.run(10_000)
  const [low, , high] = [0, 1, 2].map((layer) => world.relay.told.get(`2.${layer}`))
  t.is(low?.bitrateBps, 100_000)
  t.is(low?.facts.heightPx, 180)
  t.is(high?.bitrateBps, 0)
  t.is(world.relay.told.get('1.0')?.levelDbov, 42)
  // The same moment of the source has the same NTP time here, whatever the trunk's own timestamps.
  const last = world.relay.of(2).at(-1)!
  const sent = camera.sent.find(({ payload }) => payload.slice(10) === last.payload.slice(10))!
  const ntpMs = low!.facts.clock.ntpMsAt(last.timestamp)
  t.true(Math.abs(ntpMs - 1_700_000_000_000 - sent.atMs) < 2, `${ntpMs}`)
})

test('wants and keyframe requests survive a fifth of loss in both directions', (t) => {
  const link = { delayMs: 40, lossRatio: 0.2 }
  for (const seed of [1, 2, 3]) {
    const world = new SimulatedTrunk({ down: link, up: link, seed })
    for (let streamId = 1; streamId <= 3; streamId++) world.voice(world.core, streamId)
    world.camera(world.core, 40, [{ bitrateBps: 60_000, heightPx: 180 }])
    for (let streamId = 1; streamId <= 3; streamId++) world.relay.end.want(streamId, 1)
    world.relay.end.want(40, 1)
    world.run(20_000)
    t.deepEqual([...world.core.wanted.values()], [1, 1, 1, 1], `seed ${seed}`)
    const fromMs = world.nowMs
    world.relay.end.requestKeyframe(40, 0)
    world.run(8_000)
    t.true(
      late(world.relay.of(40), fromMs).some(({ keyframe }) => keyframe),
      `seed ${seed}`,
    )
    for (const streamId of [1, 2, 3, 40]) world.relay.end.want(streamId, 0)
    world.run(3_000)
    t.deepEqual([...world.core.wanted.values()], [0, 0, 0, 0], `seed ${seed}`)
  }
})

test('the largest datagram of the path is found, and given up when large ones vanish', (t) => {
  const world = new SimulatedTrunk({ down: { mtuBytes: 1_410 } })
  world.camera(world.core, 2, LAYERS)
  world.relay.end.want(2, 4)
  world.run(20_000)
  t.is(world.core.end.report(world.nowMs).mtuBytes, 1_400)
  world.down.change({ mtuBytes: 1_060 }, world.nowMs)
  world.run(10_000)
  t.true(world.core.end.report(world.nowMs).mtuBytes <= 1_060)
  const fromMs = world.nowMs
  world.run(3_000)
  t.true(late(world.relay.of(2, 2), fromMs).length > 100)
})

test('a frame larger than the smallest datagram arrives whole', (t) => {
  const link = { rateBps: 96_000, queueBytes: 9_000, delayMs: 20 }
  const world = new SimulatedTrunk({ down: link, up: link })
  const camera = world.camera(world.core, 2, [{ bitrateBps: 60_000, heightPx: 180 }])
  world.relay.end.want(2, 1)
  world.run(20_000)
  const whole = new Set(camera.sent.map(({ payload }) => payload.slice(10)))
  const got = world.relay.of(2)
  const large = got.filter(({ payload }) => payload.length / 2 > 700)
  t.true(large.length >= 2, `${large.length} of ${got.length}`)
  t.true(got.every(({ payload }) => whole.has(payload.slice(10))))
})

test('reordering changes nothing but the order in which late ones come', (t) => {
  const down = { rateBps: 4_000_000, queueBytes: 150_000, delayMs: 20, jitterMs: 15, reorder: true }
  const world = new SimulatedTrunk({ down, up: { delayMs: 20 } })
  const voice = world.voice(world.core, 1)
  world.camera(world.core, 2, LAYERS)
  world.relay.end.want(1, 1)
  world.relay.end.want(2, 2)
  world.run(15_000)
  const isWithin = ({ atMs }: { atMs: number }): boolean => atMs >= 9_000 && atMs < 15_000
  const heard = new Set(world.relay.of(1).map(({ payload }) => payload))
  t.is(voice.sent.filter((row) => isWithin(row) && !heard.has(row.payload)).length, 0)
  const got = world.relay.of(2, 1)
  t.true(got.length > 200)
  // The trunk's numbers have no gaps: what is missing of them was lost.
  const numbers = got.map(({ sequence }) => sequence).sort((a, b) => a - b)
  t.is(numbers.filter((number, at) => at > 0 && number - numbers[at - 1]! > 1).length, 0)
  t.is(new Set(got.map(({ sequence }) => sequence)).size, got.length)
})

test('after a restart of both ends the stream goes on as a new source', (t) => {
  const world = new SimulatedTrunk({ down: { delayMs: 20 }, up: { delayMs: 20 } })
  const voice = world.voice(world.core, 1)
  const camera = world.camera(world.core, 2, LAYERS)
  world.relay.end.want(1, 1)
  world.relay.end.want(2, 1)
  world.run(3_000)
  const epochs = new Set(world.relay.of(2).map(({ epoch }) => epoch))
  world.restart()
  voice.mask = 0
  camera.mask = 0
  world.announce(world.core, voice, 'heard')
  world.announce(world.core, camera, 'main')
  world.relay.end.want(1, 1)
  world.relay.end.want(2, 1)
  const fromMs = world.nowMs
  world.run(3_000)
  const after = late(world.relay.of(2), fromMs)
  t.true(after.length > 30)
  t.true(after[0]?.keyframe)
  t.true(after.every(({ epoch }) => !epochs.has(epoch)))
  t.true(late(world.relay.of(1), fromMs).length > 100)
})

test('idle ends keep the path open and know its round trip', (t) => {
  const world = new SimulatedTrunk({ down: { delayMs: 50 }, up: { delayMs: 50 } })
  world.run(10_000)
  const { rttMs } = world.core.end.report(world.nowMs)
  t.true(rttMs > 95 && rttMs < 150, `${rttMs}`)
  t.true(world.core.end.heardMs > world.nowMs - 1_200)
  t.true(world.core.datagrams < 60, `${world.core.datagrams} datagrams`)
})
