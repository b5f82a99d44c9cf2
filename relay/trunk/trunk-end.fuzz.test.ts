import test from 'ava'
import fc from 'fast-check'
import { TRUNK_STREAMS_MAX } from '../../config/limits.ts'
import { writeVarint } from '../wire/index.ts'
import type { TrunkEnd } from './contract.ts'
import { cameraSpec, voiceSpec } from './simulated-media.fixture.ts'
import { SimulatedTrunk } from './simulated-trunk.fixture.ts'
import { createTrunkEnd } from './trunk-end.ts'

const LAYERS = [
  { bitrateBps: 100_000, heightPx: 180 },
  { bitrateBps: 300_000, heightPx: 360 },
]

/** Datagrams as both ends of a lossy trunk send them. */
function samples(): Uint8Array[] {
  const kept: Uint8Array[] = []
  const world = new SimulatedTrunk({ down: { lossRatio: 0.1 }, up: { lossRatio: 0.1 }, seed: 3 })
  world.onDatagram = (bytes) => {
    if (kept.length < 2_000) kept.push(bytes.slice())
  }
  world.voice(world.core, 1)
  world.camera(world.core, 2, LAYERS)
  world.voice(world.relay, 9)
  world.relay.end.want(1, 1)
  world.relay.end.want(2, 3)
  world.core.end.want(9, 1)
  world.relay.end.requestKeyframe(2, 1)
  world.run(6_000)
  return kept
}

function victim(): { end: TrunkEnd; frames: () => number } {
  let frames = 0
  const end = createTrunkEnd({
    ssrc: 1,
    nowMs: 0,
    randomUint32: () => 7,
    outlet: {
      datagram: () => undefined,
      frame: () => {
        frames += 1
      },
      wanted: () => undefined,
      keyframeWanted: () => undefined,
    },
  })
  end.expect(voiceSpec(1))
  end.expect(cameraSpec(2, 2))
  end.offer(voiceSpec(9), { place: 'heard', emergency: false, room: 1 })
  end.want(1, 1)
  end.want(2, 3)
  return { end, frames: () => frames }
}

test('whatever an authenticated datagram holds, nothing throws', (t) => {
  const datagrams = samples()
  t.true(datagrams.length > 500)
  const { end, frames } = victim()
  let nowMs = 0
  let index = 0
  const mutation = fc.record({
    sample: fc.nat(datagrams.length - 1),
    cut: fc.option(fc.nat(1_500), { freq: 5 }),
    flips: fc.array(fc.tuple(fc.nat(1_500), fc.nat(255)), { maxLength: 4 }),
    skip: fc.oneof(fc.constant(1), fc.nat(10), fc.nat(100_000)),
  })
  fc.assert(
    fc.property(mutation, ({ sample, cut, flips, skip }) => {
      const source = datagrams[sample]!
      const bytes = source.slice(0, cut ?? source.length)
      for (const [at, value] of flips) if (at < bytes.length && at > 11) bytes[at] = value
      index += skip
      nowMs += 5
      end.onDatagram(bytes, 0, bytes.length, index, nowMs)
      end.onDeadline(nowMs)
    }),
    { numRuns: 20_000, interruptAfterTimeLimit: 20_000 },
  )
  t.true(frames() > 0)
})

test('bytes of pure chance do no harm', (t) => {
  const { end } = victim()
  let nowMs = 0
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
      const bytes = Uint8Array.of(0x80, 97, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...body)
      nowMs += 1
      end.onDatagram(bytes, 0, bytes.length, nowMs, nowMs)
      end.onDeadline(nowMs)
    }),
    { numRuns: 20_000, interruptAfterTimeLimit: 20_000 },
  )
  t.is(end.heardMs, nowMs)
})

test('streams, wants and announcements beyond the limits are not taken', (t) => {
  const { end } = victim()
  for (let i = 1; i <= TRUNK_STREAMS_MAX + 100; i++) {
    end.expect(voiceSpec(i))
    end.offer(voiceSpec(i), { place: 'other', emergency: false, room: 1 })
    end.want(i, 1)
  }
  end.onDeadline(10)
  t.is(end.report(1_000).streams.length, TRUNK_STREAMS_MAX)
  // A far end that wants every number there is.
  for (let from = 1; from < 65_000; from += 200) {
    const body = new Uint8Array(1_000)
    let at = writeVarint(body, 0, (from - 1) / 200)
    at = writeVarint(body, at, (from - 1) / 200 + 1)
    for (let id = from; id < from + 200; id++) {
      at = writeVarint(body, at, id)
      body[at++] = 7
    }
    const bytes = Uint8Array.of(
      0x80,
      97,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      5 << 3,
      ...body.subarray(0, at),
    )
    end.onDatagram(bytes, 0, bytes.length, from, 10)
  }
  end.onDeadline(20)
  t.true(end.report(2_000).streams.length <= TRUNK_STREAMS_MAX)
})

test('what was not announced, or is not wanted, goes nowhere', (t) => {
  const world = new SimulatedTrunk()
  const voice = world.voice(world.core, 1)
  world.relay.end.want(1, 1)
  world.run(2_000)
  const heard = world.relay.of(1).length
  t.true(heard > 50)
  world.relay.end.unexpect(1)
  world.core.end.want(77, 1)
  world.run(2_000)
  t.true(world.relay.of(1).length <= heard + 2)
  t.true(voice.sent.length < 130, `${voice.sent.length} sent`)
})
