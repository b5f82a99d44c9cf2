import test from 'ava'
import fc from 'fast-check'
import { LATE_PACKETS_MAX, SOURCE_GAP_PACKETS_MAX } from '../../../config/limits.ts'
import { DROP_CODE, MediaPacket } from '../rtp/index.ts'
import { createForwarder, give, type Sent } from './simulated-slot.ts'
import { SimulatedSource } from './simulated-source.ts'
import { SourceLayer } from './source-layer.ts'

function createSource(publicationId: number, extra: Partial<{ ntpMsAtZero: number }> = {}) {
  const numbers = { sequence: 65_535, timestamp: 1_000, pictureId: 5, tl0PicIdx: 9 }
  return new SimulatedSource({ publicationId, ...numbers, ...extra })
}

test('the old picture goes on until the keyframe of the new one', (t) => {
  const forwarder = createForwarder({})
  const [old, next] = [createSource(1), createSource(2)]
  const sent: Sent[] = []
  forwarder.retarget(old.layer, 0)
  for (const packet of old.frame(0, 2)) give({ forwarder, source: old, packet, sent })
  next.keyframeWanted = false
  forwarder.retarget(next.layer, 20)
  t.true(forwarder.isAwaitingKeyframe)
  const [early] = next.frame(30, 1)
  t.is(give({ forwarder, source: next, packet: early!, sent }), DROP_CODE['awaiting-keyframe'])
  for (const packet of old.frame(33, 1)) give({ forwarder, source: old, packet, sent })
  next.keyframeWanted = true
  for (const packet of next.frame(60, 1)) give({ forwarder, source: next, packet, sent })
  t.false(forwarder.isAwaitingKeyframe)
  t.deepEqual(old.layer.subscribers, [])
  t.is(sent.length, 4)
  // Another source: the timestamp advances by the time that passed.
  t.is((sent[3]!.timestamp - sent[2]!.timestamp) | 0, 27 * 90)
})

test('a keyframe that comes late or by retransmission is no place to switch', (t) => {
  const forwarder = createForwarder({})
  const source = createSource(1)
  forwarder.retarget(source.layer, 0)
  const [packet] = source.frame(0, 1)
  packet!.late = true
  t.is(forwarder.accept(packet!, source.layer), DROP_CODE['awaiting-keyframe'])
})

test('layers of one publication are aligned by the clock of their sender, not by arrival', (t) => {
  const forwarder = createForwarder({})
  const low = new SimulatedSource({
    publicationId: 1,
    ...{ sequence: 10, timestamp: 500, pictureId: 1, tl0PicIdx: 1, ntpMsAtZero: 7_000 },
  })
  const high = new SimulatedSource({
    publicationId: 1,
    spatialLayer: 1,
    ...{ sequence: 90, timestamp: 0xffff_ff00, pictureId: 8, tl0PicIdx: 2, ntpMsAtZero: 7_000 },
  })
  const sent: Sent[] = []
  forwarder.retarget(low.layer, 0)
  for (const packet of low.frame(0, 1)) give({ forwarder, source: low, packet, sent })
  forwarder.retarget(high.layer, 10)
  const [packet] = high.frame(33, 1)
  // Forty milliseconds in a queue.
  packet!.arrivalMs = 73
  give({ forwarder, source: high, packet: packet!, sent })
  t.is((sent[1]!.timestamp - sent[0]!.timestamp) | 0, 33 * 90)
})

test('a hundred switches back and forth do not let the timestamps run ahead of time', (t) => {
  const forwarder = createForwarder({})
  const sources = [createSource(1, { ntpMsAtZero: 0 }), createSource(1, { ntpMsAtZero: 0 })]
  const sent: Sent[] = []
  forwarder.retarget(sources[0]!.layer, 0)
  const clockDelta = -1_000
  for (let i = 0; i < 200; i++) {
    const nowMs = i * 33
    const [source, other] = [sources[0]!, sources[1]!]
    source.keyframeWanted = true
    forwarder.retarget(source.layer, nowMs)
    // Both encoders show the same instant: the second one must be put a little after the first.
    const [packet] = source.frame(nowMs, 1)
    give({ forwarder, source, packet: packet!, sent })
    other.keyframeWanted = true
    forwarder.retarget(other.layer, nowMs)
    const [second] = other.frame(nowMs, 1)
    give({ forwarder, source: other, packet: second!, sent })
    // Both count from the same start, so what sender reports say of the clock must not move at all.
    t.is(forwarder.clockDelta, clockDelta)
  }
  const first = sent[0]!.timestamp
  const spanMs = ((sent.at(-1)!.timestamp - first) | 0) / 90
  t.true(Math.abs(spanMs - 199 * 33) <= 2, `${spanMs}`)
})

test('higher temporal layers are entered only where the codec allows', (t) => {
  const forwarder = createForwarder({})
  const source = createSource(1)
  const sent: Sent[] = []
  forwarder.retarget(source.layer, 0)
  forwarder.setTemporal(0)
  // Pattern 0 2 1 2: after the first keyframe only base frames pass.
  for (let i = 0; i < 8; i++) {
    for (const packet of source.frame(i * 33, 2)) give({ forwarder, source, packet, sent })
  }
  t.deepEqual([...new Set(sent.map((row) => row.temporalLayer))], [0])
  forwarder.setTemporal(2)
  for (const packet of source.frame(264, 1)) give({ forwarder, source, packet, sent })
  const [second] = source.frame(297, 1)
  second!.temporalSwitch = false
  t.is(give({ forwarder, source, packet: second!, sent }), DROP_CODE['temporal-filtered'])
  const [third] = source.frame(330, 1)
  t.is(give({ forwarder, source, packet: third!, sent }), 0)
  t.is(forwarder.temporalLimit, 1)
})

test('a late packet of before the switch, and one beyond the window, are refused by name', (t) => {
  const forwarder = createForwarder({})
  const source = createSource(1)
  forwarder.retarget(source.layer, 0)
  const early = source.padding(0)
  early.timestamp = 500
  const [first] = source.frame(0, 1)
  t.is(forwarder.accept(first!, source.layer), 0)
  early.late = true
  t.is(forwarder.accept(early, source.layer), DROP_CODE['before-switch'])
  const [lost] = source.frame(33, 1)
  for (let i = 0; i <= LATE_PACKETS_MAX; i++) {
    const [packet] = source.frame(66 + i, 1)
    forwarder.accept(packet!, source.layer)
  }
  lost!.late = true
  t.is(forwarder.accept(lost!, source.layer), DROP_CODE['too-late'])
})

test('after an outage the numbers go on without the gap, at a keyframe', (t) => {
  const forwarder = createForwarder({})
  const source = createSource(1)
  const sent: Sent[] = []
  forwarder.retarget(source.layer, 0)
  for (const packet of source.frame(0, 1)) give({ forwarder, source, packet, sent })
  source.sequence += SOURCE_GAP_PACKETS_MAX + 1
  const [packet] = source.frame(60_000, 1)
  t.is(give({ forwarder, source, packet: packet!, sent }), DROP_CODE['awaiting-keyframe'])
  t.true(forwarder.isAwaitingKeyframe)
  source.keyframeWanted = true
  for (const key of source.frame(60_033, 1)) give({ forwarder, source, packet: key, sent })
  t.is(sent[1]!.index, sent[0]!.index + 1)
  t.is(source.layer.subscribers.length, 1)
})

function createAudioLayer(publicationId: number): SourceLayer {
  return new SourceLayer({ publicationId, kind: 'audio', spatialLayer: 0, clockRate: 48_000 })
}

function audioPacket(sequence: number, timestamp: number, arrivalMs: number): MediaPacket {
  const packet = new MediaPacket()
  return Object.assign(packet, { sequence, timestamp, arrivalMs, keyframe: true })
}

test('another speaker in an audio slot begins with a marker, at the time that has passed', (t) => {
  const forwarder = createForwarder({ kind: 'audio' })
  const [one, two] = [createAudioLayer(1), createAudioLayer(2)]
  forwarder.retarget(one, 0)
  t.is(forwarder.accept(audioPacket(65_535, 0xffff_ffff, 0), one), 0)
  t.is(forwarder.accept(audioPacket(65_536, 959, 20), one), 0)
  const before = { index: forwarder.outIndex, timestamp: forwarder.outTimestamp }
  t.false(forwarder.outMarker)
  forwarder.retarget(two, 30)
  t.is(forwarder.current, undefined)
  t.is(forwarder.accept(audioPacket(7, 123_456, 520), two), 0)
  t.true(forwarder.outMarker)
  t.is(forwarder.outIndex, before.index + 1)
  t.is((forwarder.outTimestamp - before.timestamp) | 0, 500 * 48)
})

test('membership stays right when many come and go in any order', (t) => {
  const operation = fc.tuple(fc.nat(9), fc.integer({ min: -1, max: 3 }), fc.boolean())
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const sources = [1, 1, 2, 3].map((id) => createSource(id))
      const forwarders = Array.from({ length: 10 }, () => createForwarder({}))
      operations.forEach(([who, which, withKeyframe], i) => {
        const source = sources[which]
        forwarders[who]!.retarget(source?.layer, i)
        if (source === undefined || !withKeyframe) return
        source.keyframeWanted = true
        for (const packet of source.frame(i * 33, 1)) {
          const all = source.layer.subscribers
          for (let k = all.length - 1; k >= 0; k--) all[k]!.accept(packet, source.layer)
        }
      })
      for (const { layer } of sources) {
        const members = forwarders.filter((f) => f.current === layer || f.target === layer)
        if (layer.subscribers.length !== members.length) return false
        if (!members.every((f) => layer.subscribers.includes(f))) return false
      }
      return true
    }),
  )
  t.pass()
})

test('a late packet that is the newest to go out keeps its number over a switch', (t) => {
  const forwarder = createForwarder({})
  const source = createSource(1)
  const sent: Sent[] = []
  forwarder.retarget(source.layer, 0)
  for (const packet of source.frame(0, 1)) give({ forwarder, source, packet, sent })
  forwarder.setTemporal(1)
  source.frame(33, 1)
  const [late] = source.frame(66, 1)
  const [above] = source.frame(99, 1)
  t.is(give({ forwarder, source, packet: above!, sent }), DROP_CODE['temporal-filtered'])
  late!.late = true
  t.is(give({ forwarder, source, packet: late!, sent }), 0)
  forwarder.retarget(undefined, 100)
  forwarder.retarget(source.layer, 110)
  source.keyframeWanted = true
  for (const packet of source.frame(132, 1)) give({ forwarder, source, packet, sent })
  t.deepEqual(
    sent.map(({ index }) => index - sent[0]!.index),
    [0, 2, 3],
  )
})

test('of a frame that was filtered in part nothing comes late, however far its packets lie apart', (t) => {
  const forwarder = createForwarder({})
  const source = createSource(1)
  const sent: Sent[] = []
  forwarder.retarget(source.layer, 0)
  for (const packet of source.frame(0, 1)) give({ forwarder, source, packet, sent })
  forwarder.setTemporal(0)
  const [first, second, third] = source.frame(33, 3)
  t.is(give({ forwarder, source, packet: first!, sent }), DROP_CODE['temporal-filtered'])
  forwarder.setTemporal(3)
  for (const packet of source.frame(66, 1)) give({ forwarder, source, packet, sent })
  for (const packet of [third!, second!]) {
    packet.late = true
    t.is(give({ forwarder, source, packet, sent }), DROP_CODE['temporal-filtered'])
  }
})
