import test from 'ava'
import { fuzz } from '../../../test/fuzz.ts'
import type { CodecName } from '../control.ts'
import {
  describePayload,
  ExtensionWriter,
  MediaPacket,
  opusDurationTicks,
  parseRed,
  parseRtp,
  RedBlocks,
  RtpPacket,
  unwrapRtx,
  writeRtpHeader,
} from './index.ts'

/** Every case runs alone, so that each has its whole time. */
function rtpSample(twoByte: boolean): Uint8Array {
  const bytes = new Uint8Array(60)
  writeRtpHeader(bytes, 0, {
    payloadType: 96,
    marker: false,
    sequenceNumber: 1,
    timestamp: 2,
    ssrc: 3,
  })
  const writer = new ExtensionWriter()
  writer.begin(bytes, 0, twoByte)
  writer.addUint8(1, 20)
  writer.addUint16(2, 77)
  writer.addBytes(4, new TextEncoder().encode('__proto__'))
  writer.finish()
  bytes[0] = bytes[0]! | 0x20
  bytes[59] = 4
  return bytes
}

test.serial('RTP headers and RTX: random and mutated packets', (t) => {
  const packet = new RtpPacket()
  const result = fuzz({
    samples: [rtpSample(false), rtpSample(true), rtpSample(false).subarray(0, 40)],
    parse: (bytes, start, end) => {
      if (!parseRtp(packet, bytes, start, end)) return 0
      if (packet.payloadStart < start + 12 || packet.payloadEnd > end) throw new Error('outside')
      let digest = packet.sequenceNumber + packet.timestamp * 31 + packet.ssrc * 7 + 1
      for (let index = 0; index < packet.extensionCount; index++) {
        const id = packet.extensionIds[index]!
        digest += id * packet.extensionLength[id]! * packet.bytes[packet.extensionStart[id]!]!
        if (packet.extensionStart[id]! + packet.extensionLength[id]! > end)
          throw new Error('outside')
      }
      if (unwrapRtx(packet, 1, 96)) digest += packet.sequenceNumber * 3
      return digest + packet.payloadStart + packet.payloadEnd * 5
    },
  })
  t.log(result.summary)
  t.true(result.accepted > 0 && result.accepted < result.count)
})

const SAMPLES: Record<CodecName, number[][]> = {
  vp8: [[0x90, 0xf0, 0x92, 0x34, 200, 0x40, 0x01, 9, 9]],
  h264: [
    [24, 0, 2, 0x67, 1, 0, 1, 0x68, 0, 3, 0x65, 1, 2],
    [28, 0x87, 1, 2, 3],
  ],
  vp9: [[0xa8, 0x81, 0x02, 0x40, 0x07, 0, 9, 9]],
  av1: [
    [0x00, 0x02, 0x0a, 1, 0x84, 0x01],
    [0x18, 0x0a, 1],
  ],
  opus: [[0x7b, 3, 1, 2, 3]],
  red: [[0x80 | 111, 0xff, 0xfc, 2, 0x80 | 111, 0x0f, 0x00, 1, 111, 1, 2, 3, 7, 8, 9]],
}

for (const codec of ['vp8', 'h264', 'vp9', 'av1'] as const) {
  test.serial(`${codec} payloads: random and mutated`, (t) => {
    const out = new MediaPacket()
    out.codec = codec
    const result = fuzz({
      samples: SAMPLES[codec].map((bytes) => Uint8Array.from(bytes)),
      parse: (bytes, start, end) => {
        out.bytes = bytes
        out.start = start - 12
        out.end = end
        if (!describePayload(out)) return 0
        const flags = (out.keyframe ? 1 : 0) + (out.frameStart ? 2 : 0) + 4
        return flags + out.temporalLayer * 8 + out.pictureId * 64 + out.tl0PicIdx * 2 ** 24
      },
    })
    t.log(result.summary)
    t.true(result.accepted > 0 && result.accepted < result.count)
  })
}

test.serial('RED and Opus payloads: random and mutated', (t) => {
  const blocks = new RedBlocks()
  const result = fuzz({
    samples: [...SAMPLES.red, ...SAMPLES.opus].map((bytes) => Uint8Array.from(bytes)),
    parse: (bytes, start, end) => {
      const ticks = opusDurationTicks(bytes, start, end)
      if (!parseRed(blocks, bytes, start, end)) return ticks
      let digest = ticks + blocks.count * 10_000
      for (let index = 0; index < blocks.count; index++) {
        if (blocks.start[index]! < start || blocks.end[index]! > end) throw new Error('outside')
        if (blocks.start[index]! > blocks.end[index]!) throw new Error('negative length')
        digest += blocks.timestampOffsetTicks[index]! * 31 + blocks.end[index]! * 7
      }
      return digest
    },
  })
  t.log(result.summary)
  t.true(result.accepted > 0 && result.accepted < result.count)
})
