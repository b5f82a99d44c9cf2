import test from 'ava'
import fc from 'fast-check'
import { SITE_PACED_PACKETS_MAX } from '../../config/limits.ts'
import { describePayload, MediaPacket, parseRtp, RtpPacket } from '../../core/media/rtp/index.ts'
import { budgetLayers } from './layer-budget.ts'
import {
  type LayerPlan,
  OPUS_STAMP_OFFSET,
  OpusSource,
  VP8_LATER_STAMP_OFFSET,
  VP8_STAMP_OFFSET,
  Vp8Source,
} from './media-source.ts'
import { Pacer } from './pacer.ts'
import { isSealed, readStamp, Stamp } from './stamp.ts'

const LAYERS: LayerPlan[] = [
  { rid: 'l', bitrateBps: 150_000, width: 320, height: 180 },
  { rid: 'm', bitrateBps: 500_000, width: 640, height: 360 },
  { rid: 'h', bitrateBps: 1_700_000, width: 1280, height: 720 },
]
const ADDRESSING = {
  ssrc: 7,
  payloadType: 96,
  mid: '1',
  extensions: { mid: 1, rid: 4, level: 0, transportWide: 3, repairedRid: 5 },
}

test('layers never cost more than there is, the lowest aside, and none is on above one that is off', (t) => {
  const property = fc.property(fc.array(fc.nat(4_000_000), { minLength: 1 }), (estimates) => {
    const bitrates = new Float64Array(3)
    for (const availableBps of estimates) {
      const spentBps = budgetLayers(LAYERS, availableBps, bitrates)
      t.true(spentBps <= Math.max(availableBps, 30_000))
      t.true(bitrates[0]! >= 30_000)
      t.false(bitrates[1] === 0 && bitrates[2]! > 0)
      t.true(bitrates.every((bps, index) => bps <= LAYERS[index]!.bitrateBps))
    }
  })
  fc.assert(property)
})

test('the highest layer goes first, and comes back only with room to spare', (t) => {
  const bitrates = new Float64Array(3)
  budgetLayers(LAYERS, 3_000_000, bitrates)
  t.deepEqual([...bitrates], [150_000, 500_000, 1_700_000])
  budgetLayers(LAYERS, 1_340_000, bitrates)
  t.deepEqual([...bitrates], [150_000, 500_000, 690_000])
  budgetLayers(LAYERS, 1_320_000, bitrates)
  t.deepEqual([...bitrates], [150_000, 500_000, 0])
  budgetLayers(LAYERS, 1_450_000, bitrates)
  t.is(bitrates[2], 0)
  budgetLayers(LAYERS, 1_470_000, bitrates)
  t.is(bitrates[2], 820_000)
  budgetLayers(LAYERS, 0, bitrates)
  t.deepEqual([...bitrates], [30_000, 0, 0])
})

test('what is paced leaves in order, at two and a half times the estimate, and nothing waits for ever', (t) => {
  const property = fc.property(fc.integer({ min: 20_000, max: 5_000_000 }), (estimateBps) => {
    const pacer = new Pacer<number>()
    for (let item = 0; item < 100; item++) pacer.push(item, 1_000, 0)
    const sent: { item: number; atMs: number }[] = []
    for (
      let nowMs = 0;
      pacer.length > 0;
      nowMs = Math.max(nowMs + 1, pacer.nextDeadlineMs(estimateBps))
    ) {
      pacer.release(nowMs, estimateBps, (item) => sent.push({ item, atMs: nowMs }))
    }
    t.deepEqual(
      sent.map(({ item }) => item),
      Array.from({ length: 100 }, (_, item) => item),
    )
    const idealMs = (100_000 * 8_000) / (2.5 * estimateBps)
    const lastMs = sent.at(-1)!.atMs
    t.true(
      lastMs <= Math.min(idealMs, 2_000) + 2 + (8_000 * 1_000) / (2.5 * estimateBps),
      `${lastMs}`,
    )
    t.true(lastMs >= Math.min(idealMs * 0.9 - 15, 2_000), `${lastMs} of ${idealMs}`)
  })
  fc.assert(property)
})

test('no more packets wait than are allowed', (t) => {
  const pacer = new Pacer<number>()
  for (let item = 0; item < SITE_PACED_PACKETS_MAX + 500; item++) pacer.push(item, 1_000, 0)
  pacer.release(0, 20_000, () => {})
  t.true(pacer.length <= SITE_PACED_PACKETS_MAX)
})

/** Packets of so many frames, parsed by the engine's own parsers. */
function build(source: Vp8Source, frames: number) {
  const built: { rtp: RtpPacket; media: MediaPacket; bytes: Buffer }[] = []
  for (let frame = 0; frame < frames; frame++) {
    source.next(frame * 40, (out, end) => {
      const bytes = Buffer.from(out.slice(0, end))
      const rtp = new RtpPacket()
      if (!parseRtp(rtp, bytes, 0, end)) throw new Error('not RTP')
      const media = Object.assign(new MediaPacket(), {
        codec: 'vp8',
        bytes,
        start: rtp.payloadStart - 12,
        end,
      })
      if (!describePayload(media)) throw new Error('not VP8')
      built.push({ rtp, media, bytes })
    })
  }
  return built
}

test('video is VP8 to the engine: one start and one marker a frame, sizes as planned, a stamp in every packet', (t) => {
  const options = { framesPerSecond: 25, temporal: true, publisher: 77, layer: 2 }
  const source = new Vp8Source(ADDRESSING, LAYERS[2]!, options)
  const packets = build(source, 50)
  t.is(packets.filter(({ media }) => media.frameStart).length, 50)
  t.is(packets.filter(({ rtp }) => rtp.marker).length, 50)
  t.is(packets.filter(({ media }) => media.keyframe).length, 1)
  const stamp = new Stamp()
  for (const { rtp, media, bytes } of packets) {
    const offset = rtp.payloadStart + (media.frameStart ? VP8_STAMP_OFFSET : VP8_LATER_STAMP_OFFSET)
    t.true(readStamp(bytes, offset, bytes.length, stamp))
    t.true(isSealed(bytes, bytes.length, stamp))
    t.is(stamp.publisher, 77)
    t.is(stamp.layer, 2)
    t.is(stamp.isLast, rtp.marker)
  }
  t.deepEqual(
    packets
      .filter(({ media }) => media.frameStart)
      .slice(0, 6)
      .map(({ media }) => media.temporalLayer),
    [0, 2, 1, 2, 0, 2],
  )
  const bytes = packets
    .slice(0)
    .reduce((sum, { rtp }) => sum + rtp.payloadEnd - rtp.payloadStart, 0)
  const planned = (LAYERS[2]!.bitrateBps / 8 / 25) * (49 + 6)
  t.true(Math.abs(bytes / planned - 1) < 0.02, `${bytes / planned}`)
})

test('a packet over again is the same payload behind its number, on the stream of repairs', (t) => {
  const source = new Vp8Source(ADDRESSING, LAYERS[0]!, {
    framesPerSecond: 25,
    temporal: false,
    publisher: 1,
    layer: 0,
  })
  const [{ rtp, bytes } = { rtp: new RtpPacket(), bytes: Buffer.alloc(0) }] = build(source, 1)
  const repair = new Vp8Source({ ...ADDRESSING, ssrc: 8, payloadType: 97 }, LAYERS[0]!, {
    framesPerSecond: 25,
    temporal: false,
    publisher: 1,
    layer: 0,
  }).stream
  const end = repair.repeat(bytes)
  const again = new RtpPacket()
  t.true(parseRtp(again, repair.bytes, 0, end))
  t.is(again.timestamp, rtp.timestamp)
  t.is(again.payloadType, 97)
  const payload = Buffer.from(again.bytes.subarray(again.payloadStart, again.payloadEnd))
  t.is(payload.readUInt16BE(0), rtp.sequenceNumber)
  t.deepEqual(payload.subarray(2), bytes.subarray(rtp.payloadStart, rtp.payloadEnd))
})

test('padding alone has a number and no payload', (t) => {
  const { stream } = new Vp8Source(ADDRESSING, LAYERS[0]!, {
    framesPerSecond: 25,
    temporal: false,
    publisher: 1,
    layer: 0,
  })
  const rtp = new RtpPacket()
  t.true(parseRtp(rtp, stream.bytes, 0, stream.padding(5, 200)))
  t.is(rtp.payloadEnd, rtp.payloadStart)
})

test('silence with DTX is a packet in 400 ms, and speech after it is marked', (t) => {
  const source = new OpusSource(
    ADDRESSING,
    { payloadBytes: 80, dtx: true },
    { publisher: 3, layer: 0 },
  )
  const seen: { frame: number; size: number; marker: boolean; timestamp: number }[] = []
  for (let frame = 0; frame < 100; frame++) {
    const levelDbov = frame >= 10 && frame < 90 ? 127 : 20
    source.next(frame * 20, levelDbov, (bytes, end) => {
      const rtp = new RtpPacket()
      parseRtp(rtp, bytes, 0, end)
      seen.push({
        frame,
        size: rtp.payloadEnd - rtp.payloadStart,
        marker: rtp.marker,
        timestamp: rtp.timestamp,
      })
      const isSpeech = frame < 10 || frame >= 90
      const stamp = new Stamp()
      t.is(
        readStamp(Buffer.from(bytes), rtp.payloadStart + OPUS_STAMP_OFFSET, end, stamp),
        isSpeech,
      )
    })
  }
  t.deepEqual(
    seen.filter(({ size }) => size === 1).map(({ frame }) => frame),
    [10, 30, 50, 70],
  )
  t.deepEqual(
    seen.filter(({ marker }) => marker).map(({ frame }) => frame),
    [0, 90],
  )
  t.true(seen.every(({ frame, timestamp }) => timestamp === frame * 960))
})
