import test from 'ava'
import fc from 'fast-check'
import { FrameAssembler, FramePacket } from './frame-assembler.ts'

const FRAME_TICKS = 3_600
const FRAME_MS = 40

type Packet = { frame: number; part: number; parts: number; sequence: number }

/** Frames with the given numbers of packets, in the order of sending. */
function packetsOf(parts: readonly number[]): Packet[] {
  let sequence = 65_536
  return parts.flatMap((count, frame) =>
    Array.from({ length: count }, (_, part) => ({
      frame,
      part,
      parts: count,
      sequence: sequence++,
    })),
  )
}

function rig({ opened = false, firstTimestamp = 0 } = {}) {
  const shownMs: number[] = []
  const keysMs: number[] = []
  const listener = {
    onShown: (nowMs: number) => shownMs.push(nowMs),
    onKeyframe: (nowMs: number) => keysMs.push(nowMs),
  }
  const assembler = new FrameAssembler(listener, opened)
  const packet = new FramePacket()
  const give = ({ frame, part, parts, sequence }: Packet, nowMs: number, key = false): void => {
    packet.sequence = sequence
    packet.timestamp = (firstTimestamp + frame * FRAME_TICKS) >>> 0
    packet.marker = part === parts - 1
    packet.isOpened = opened
    packet.isStart = part === 0
    packet.isKey = key
    packet.tl0PicIdx = frame & 0xff
    assembler.add(packet, nowMs)
  }
  return { assembler, give, shownMs, keysMs }
}

const shapes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 40 })
const starts = fc.constantFrom(0, 2 ** 32 - 2 * FRAME_TICKS, 2 ** 31 - FRAME_TICKS)

test('without loss every frame is whole and shown, in whatever order its packets come', (t) => {
  const property = fc.property(
    shapes,
    starts,
    fc.boolean(),
    fc.nat(),
    (parts, firstTimestamp, opened, seed) => {
      const { assembler, give, shownMs } = rig({ opened, firstTimestamp })
      const packets = packetsOf(parts)
      // Moved by up to two places, within the frame.
      const order = packets
        .map((packet, index) => ({ packet, key: index + ((seed >>> (index % 13)) % 3) * 0.9 }))
        .sort((a, b) => a.packet.frame - b.packet.frame || a.key - b.key)
      for (const { packet } of order) give(packet, packet.frame * FRAME_MS, packet.frame === 0)
      t.is(assembler.complete, parts.length)
      t.is(shownMs.length, parts.length)
      t.is(assembler.read(1e6).incomplete, 0)
    },
  )
  fc.assert(property)
})

test('a lost packet leaves its frame incomplete; opened packets spare the one after it', (t) => {
  const property = fc.property(shapes, fc.nat(), fc.boolean(), (parts, pick, opened) => {
    const packets = packetsOf(parts)
    const lost = packets[pick % packets.length]!
    if (lost.frame === parts.length - 1 || lost.frame === 0) return
    const { assembler, give } = rig({ opened })
    for (const packet of packets) if (packet !== lost) give(packet, packet.frame * FRAME_MS)
    const isWholeFrame = lost.parts === 1
    const isTail = lost.part === lost.parts - 1
    const { complete, incomplete } = assembler.read(1e6)
    if (opened) t.deepEqual([complete, incomplete], [parts.length - 1, 1])
    else {
      // From headers nobody can tell whether a frame after a lost marker begins where it seems to.
      t.is(complete, parts.length - 1 - (isTail ? 1 : 0))
      t.is(incomplete, isTail && !isWholeFrame ? 2 : 1)
    }
  })
  fc.assert(property)
})

test('a repaired packet makes its frame whole, and the one after it', (t) => {
  for (const opened of [false, true]) {
    const { assembler, give, shownMs } = rig({ opened })
    const packets = packetsOf([3, 3, 3, 3])
    const lost = packets[5]!
    for (const packet of packets)
      if (packet !== lost) give(packet, packet.frame * FRAME_MS, packet.frame === 0)
    give(lost, 300)
    t.is(assembler.complete, 4)
    t.is(assembler.late, opened ? 1 : 2)
    // A decoder shows what waited as soon as it can; whoever only sees headers does not know that
    // it waited.
    t.deepEqual(shownMs, opened ? [0, 300, 300, 300] : [0, 120])
  }
})

test('a frame that was lost whole can come back between its neighbours', (t) => {
  const { assembler, give, shownMs } = rig({ opened: true })
  const packets = packetsOf([1, 1, 1, 1])
  for (const packet of packets)
    if (packet.frame !== 1) give(packet, packet.frame * FRAME_MS, packet.frame === 0)
  t.deepEqual(shownMs, [0])
  t.is(assembler.stuckSinceMs, 80)
  give(packets[1]!, 150)
  t.deepEqual(shownMs, [0, 150, 150, 150])
  t.is(assembler.stuckSinceMs, Number.POSITIVE_INFINITY)
  t.is(assembler.read(1e6).incomplete, 0)
})

test('what cannot be decoded is not shown until the next key frame', (t) => {
  const { give, shownMs, keysMs, assembler } = rig({ opened: true })
  const packets = packetsOf([2, 2, 2, 2, 2])
  for (const packet of packets) {
    if (packet.sequence !== 65_536 + 3)
      give(packet, packet.frame * FRAME_MS, packet.frame % 4 === 0)
  }
  t.deepEqual(shownMs, [0, 160])
  t.deepEqual(keysMs, [0, 160])
  t.is(assembler.read(1e6).incomplete, 1)
})

test('a higher temporal layer needs its own base only, and its loss harms nobody', (t) => {
  const shown: number[] = []
  const assembler = new FrameAssembler(
    { onShown: (ms) => shown.push(ms), onKeyframe: () => {} },
    true,
  )
  const packet = Object.assign(new FramePacket(), { marker: true, isOpened: true, isStart: true })
  const temporal = [0, 2, 1, 2, 0, 2, 1, 2]
  const tl0 = [10, 10, 10, 10, 11, 11, 11, 11]
  temporal.forEach((temporalLayer, frame) => {
    if (frame === 1 || frame === 6) return
    Object.assign(packet, {
      sequence: frame,
      timestamp: frame * FRAME_TICKS,
      temporalLayer,
      tl0PicIdx: tl0[frame],
    })
    packet.isKey = frame === 0
    assembler.add(packet, frame * FRAME_MS)
  })
  t.deepEqual(shown, [0, 80, 120, 160, 200, 280])
})

test('hours of frames are counted in the same memory', (t) => {
  const { assembler, give } = rig()
  for (let frame = 0; frame < 70_000; frame++) {
    const sequence = 65_536 + frame * 2
    give({ frame, part: 0, parts: 2, sequence }, frame * FRAME_MS)
    if (frame % 1000 !== 7)
      give({ frame, part: 1, parts: 2, sequence: sequence + 1 }, frame * FRAME_MS + 2)
  }
  const { complete, incomplete } = assembler.read(70_000 * FRAME_MS + 5_000)
  t.is(complete, 70_000 - 140)
  t.is(incomplete, 140)
})
