import test from 'ava'
import fc from 'fast-check'
import { Red, RtpPacket as WeriftPacket, unwrapRtx as weriftUnwrap } from 'werift'
import { RED_BLOCKS_MAX } from '../../../config/limits.ts'
import {
  MediaPacket,
  parseRed,
  parseRtp,
  RedBlocks,
  RedStripper,
  RtpPacket,
  unwrapRtx,
  writeRtpHeader,
  writeRtx,
} from './index.ts'

/** Two redundant blocks of 2 and 1 bytes at 960 and 16383 ticks, then the primary. */
const RED = [0x80 | 111, 0xff, 0xfc, 2, 0x80 | 111, 0x0f, 0x00, 1, 111, 1, 2, 3, 7, 8, 9]

function blocksOf(bytes: number[]): RedBlocks | undefined {
  const blocks = new RedBlocks()
  return parseRed(blocks, Uint8Array.from(bytes), 0, bytes.length) ? blocks : undefined
}

test('RED blocks are found oldest first with the primary last', (t) => {
  const blocks = blocksOf(RED)
  t.is(blocks?.count, 3)
  t.deepEqual([...(blocks?.start.subarray(0, 3) ?? [])], [9, 11, 12])
  t.deepEqual([...(blocks?.end.subarray(0, 3) ?? [])], [11, 12, 15])
  t.deepEqual([...(blocks?.timestampOffsetTicks.subarray(0, 3) ?? [])], [16_383, 960, 0])
})

test('RED refuses headers and lengths that leave the payload, at every length', (t) => {
  for (let length = 0; length < 12; length++) t.is(blocksOf(RED.slice(0, length)), undefined)
  t.is(blocksOf([0x80 | 111, 0, 3, 255, 111]), undefined)
})

test('RED takes as many blocks as the limit and not one more', (t) => {
  const redundant = (count: number) => Array.from({ length: count }, () => [0xef, 0, 0, 0]).flat()
  t.is(blocksOf([...redundant(RED_BLOCKS_MAX - 1), 111, 1])?.count, RED_BLOCKS_MAX)
  t.is(blocksOf([...redundant(RED_BLOCKS_MAX), 111, 1]), undefined)
})

// Werift cannot write an offset or a length of 0.
test('werift writes the RED that we read', (t) => {
  const block = fc.record({
    block: fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    blockPT: fc.integer({ min: 0, max: 127 }),
    timestampOffset: fc.integer({ min: 1, max: 16_383 }),
  })
  fc.assert(
    fc.property(fc.array(block, { maxLength: RED_BLOCKS_MAX - 1 }), (redundant) => {
      const red = new Red()
      red.blocks = [...redundant, { block: Buffer.from('primary'), blockPT: 111 }]
      const bytes = red.serialize()
      const blocks = new RedBlocks()
      t.true(parseRed(blocks, bytes, 0, bytes.length))
      t.is(blocks.count, red.blocks.length)
      red.blocks.forEach((theirs, index) => {
        t.is(blocks.payloadType[index], theirs.blockPT)
        t.is(blocks.timestampOffsetTicks[index], theirs.timestampOffset ?? 0)
        t.deepEqual(bytes.subarray(blocks.start[index], blocks.end[index]), theirs.block)
      })
    }),
  )
})

test('stripping leaves a plain packet of the primary and the source as it was', (t) => {
  const source = new MediaPacket()
  source.bytes = new Uint8Array(64)
  source.start = 3
  source.end = 15 + RED.length
  writeRtpHeader(source.bytes, 3, {
    payloadType: 63,
    marker: true,
    sequenceNumber: 65_535,
    timestamp: 1,
    ssrc: 5,
  })
  source.bytes.set(RED, 15)
  source.marker = true
  source.sequence = 131_071
  source.epoch = 4
  source.late = true
  const before = source.bytes.slice()
  const stripper = new RedStripper(1_500)
  const plain = stripper.strip(source)
  t.like(plain, { payloadType: 111, sequence: 131_071, epoch: 4, late: true, marker: true })
  const packet = new RtpPacket()
  t.true(plain !== undefined && parseRtp(packet, plain.bytes, plain.start, plain.end))
  t.is(packet.payloadType, 111)
  t.is(packet.sequenceNumber, 65_535)
  t.deepEqual([...packet.bytes.subarray(packet.payloadStart, packet.payloadEnd)], [7, 8, 9])
  t.deepEqual(source.bytes, before)
  source.end = 15 + 12
  t.is(stripper.strip(source), undefined, 'an empty primary is nothing to play')
  source.end = 15 + 5
  t.is(stripper.strip(source), undefined)
  t.is(new RedStripper(20).strip(source), undefined)
})

test('RTX wraps and unwraps to the same packet, header extensions included', (t) => {
  const original = Uint8Array.from([
    0x90,
    0x80 | 96,
    0xff,
    0xff,
    0,
    0,
    0,
    9,
    0,
    0,
    0,
    1,
    0xbe,
    0xde,
    0,
    1,
    0x10,
    5,
    0,
    0,
    42,
    43,
  ])
  const out = new Uint8Array(40)
  const end = writeRtx(out, 2, {
    bytes: original,
    start: 0,
    end: original.length,
    ssrc: 77,
    payloadType: 97,
    sequenceNumber: 0,
  })
  t.is(end, 2 + original.length + 2)
  const packet = new RtpPacket()
  t.true(parseRtp(packet, out, 2, end))
  t.is(packet.ssrc, 77)
  t.is(packet.payloadType, 97)
  t.is(packet.sequenceNumber, 0)
  const theirs = weriftUnwrap(WeriftPacket.deSerialize(Buffer.from(out.subarray(2, end))), 96, 1)
  t.is(theirs.header.sequenceNumber, 65_535)
  t.true(unwrapRtx(packet, 1, 96))
  t.is(packet.sequenceNumber, 65_535)
  t.is(packet.ssrc, 1)
  t.true(packet.marker)
  t.deepEqual([...out.subarray(packet.payloadStart, packet.payloadEnd)], [42, 43])
})

test('an RTX packet without two bytes of payload is a probe and stays as it is', (t) => {
  const packet = new RtpPacket()
  const bytes = new Uint8Array(13)
  writeRtpHeader(bytes, 0, {
    payloadType: 97,
    marker: false,
    sequenceNumber: 5,
    timestamp: 0,
    ssrc: 2,
  })
  t.true(parseRtp(packet, bytes, 0, 13))
  t.false(unwrapRtx(packet, 1, 96))
  t.is(packet.ssrc, 2)
  t.is(packet.payloadStart, 12)
})
