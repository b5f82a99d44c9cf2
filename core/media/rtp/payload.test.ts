import test from 'ava'
import fc from 'fast-check'
import { Vp8RtpPayload, Vp9RtpPayload } from 'werift'
import type { CodecName } from '../control.ts'
import { describePayload, isOpusDtx, MediaPacket, opusDurationTicks } from './index.ts'

/** Describes a payload behind a header, somewhere in a larger buffer. */
function describe(codec: CodecName, ...payload: number[]): MediaPacket | undefined {
  const packet = new MediaPacket()
  packet.bytes = new Uint8Array(payload.length + 40)
  packet.start = 5
  packet.end = 5 + 12 + payload.length
  packet.bytes.set(payload, 17)
  packet.codec = codec
  return describePayload(packet) ? packet : undefined
}

test('VP8 without extended fields: keyframe only where a frame starts', (t) => {
  t.like(describe('vp8', 0x10, 0x00), { keyframe: true, frameStart: true, pictureIdOffset: -1 })
  t.like(describe('vp8', 0x10, 0x01), { keyframe: false, frameStart: true })
  t.like(describe('vp8', 0x00, 0x00), { keyframe: false, frameStart: false })
  t.like(describe('vp8', 0x11, 0x00), { keyframe: false, frameStart: false })
})

test('VP8 with all fields gives offsets to patch', (t) => {
  t.like(describe('vp8', 0x90, 0xf0, 0xff, 0xff, 200, 0xa0 | 5, 0x01), {
    pictureIdOffset: 14,
    pictureIdBits: 15,
    pictureId: 32_767,
    tl0PicIdxOffset: 16,
    tl0PicIdx: 200,
    temporalLayer: 2,
    temporalSwitch: true,
  })
})

test('VP8 with a 7-bit PictureID, and switching only by Y or at layer 0', (t) => {
  t.like(describe('vp8', 0x90, 0x80, 0x7f, 0x01), { pictureIdBits: 7, pictureId: 127 })
  t.like(describe('vp8', 0x90, 0x20, 0x40, 0x01), { temporalLayer: 1, temporalSwitch: false })
  t.like(describe('vp8', 0x90, 0x20, 0x00, 0x01), { temporalLayer: 0, temporalSwitch: true })
  t.like(describe('vp8', 0x90, 0x10, 0xdf, 0x01), { temporalLayer: 0, temporalSwitch: true })
})

test('VP8 descriptors that end early are refused at every length', (t) => {
  const whole = [0x90, 0xf0, 0xff, 0xff, 200, 0x20, 0x01]
  for (let length = 0; length < whole.length; length++) {
    t.is(describe('vp8', ...whole.slice(0, length)), undefined, `length ${length}`)
  }
})

test('H.264: a picture starts decoding at its SPS in all three packetizations', (t) => {
  t.true(describe('h264', 0x67, 1, 2)?.keyframe)
  t.true(describe('h264', 24, 0, 2, 0x67, 1, 0, 1, 0x68)?.keyframe)
  t.true(describe('h264', 24, 0, 1, 0x09, 0, 1, 0x67)?.keyframe)
  t.true(describe('h264', 28, 0x87, 1)?.keyframe)
  t.false(describe('h264', 28, 0x07, 1)?.keyframe)
})

test('H.264: an IDR slice alone, and a continuation, are no place to start', (t) => {
  t.like(describe('h264', 0x65, 1), { keyframe: false, frameStart: true })
  t.like(describe('h264', 28, 0x05, 1), { keyframe: false, frameStart: false })
  t.like(describe('h264', 28, 0x85, 1), { keyframe: false, frameStart: true })
})

test('H.264: lying STAP-A sizes and short fragments are refused', (t) => {
  t.is(describe('h264'), undefined)
  t.is(describe('h264', 24), undefined)
  t.is(describe('h264', 24, 0), undefined)
  t.is(describe('h264', 24, 0, 0, 1), undefined)
  t.is(describe('h264', 24, 0, 2, 0x67), undefined)
  t.is(describe('h264', 24, 0xff, 0xff, 0x67), undefined)
  t.is(describe('h264', 28, 0x85), undefined)
})

test('VP9: keyframe where a frame of spatial layer 0 begins without prediction', (t) => {
  t.like(describe('vp9', 0x08, 0), { keyframe: true, frameStart: true })
  t.like(describe('vp9', 0x48, 0), { keyframe: false, frameStart: true })
  t.like(describe('vp9', 0x00, 0), { keyframe: false, frameStart: false })
  t.true(describe('vp9', 0xa8, 0x81, 0x02, 0x00, 0, 9)?.keyframe)
  t.false(describe('vp9', 0xa8, 0x01, 0x02, 0, 9)?.keyframe)
  t.is(describe('vp9', 0x88, 0x81), undefined)
  t.is(describe('vp9', 0xa8, 0x01), undefined)
  t.is(describe('vp9', 0x28, 0x00, 0x00), undefined)
})

test('AV1: keyframe by the N bit or by a leading sequence header', (t) => {
  t.true(describe('av1', 0x18, 0x0a, 1)?.keyframe)
  t.true(describe('av1', 0x10, 0x0a, 1)?.keyframe)
  t.true(describe('av1', 0x00, 0x02, 0x0a, 1)?.keyframe)
  t.like(describe('av1', 0x10, 0x32, 1), { keyframe: false, frameStart: true })
  t.like(describe('av1', 0x90, 0x0a, 1), { keyframe: false, frameStart: false })
  t.is(describe('av1', 0x98, 0x0a), undefined)
  t.is(describe('av1', 0x10), undefined)
  t.is(describe('av1', 0x00, 0x80, 0x80), undefined)
  t.is(describe('av1', 0x00, ...Array(9).fill(0x80), 1, 1), undefined)
})

test('audio can start at every packet, but not at an empty one', (t) => {
  t.true(describe('opus', 0x78)?.keyframe)
  t.true(describe('red', 111, 1)?.keyframe)
  t.is(describe('opus'), undefined)
})

test('a VP8 packet leaves nothing behind in the next description', (t) => {
  const packet = new MediaPacket()
  packet.bytes = new Uint8Array(40)
  packet.bytes.set([0x90, 0xf0, 0x81, 0x01, 200, 0x40, 0x01], 12)
  packet.end = 19
  packet.codec = 'vp8'
  t.true(describePayload(packet))
  t.is(packet.temporalLayer, 1)
  packet.codec = 'opus'
  t.true(describePayload(packet))
  t.like(packet, { temporalLayer: 0, temporalSwitch: true, pictureIdOffset: -1, pictureIdBits: 0 })
})

test('werift reads the same from VP8 and VP9 descriptors', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 24 }), (bytes) => {
      const vp8 = describe('vp8', ...bytes)
      const theirs = Vp8RtpPayload.deSerialize(Buffer.from(bytes))
      if (vp8 === undefined) return t.fail('twelve bytes are enough for any VP8 descriptor')
      t.is(vp8.frameStart, theirs.sBit === 1 && theirs.pid === 0)
      // It takes L for T where it looks for the octet of TID, Y and KEYIDX (RFC 7741 §4.2).
      const octetIsSeen = (theirs.lBit || theirs.kBit) === (theirs.tBit || theirs.kBit)
      if (vp8.frameStart && octetIsSeen) t.is(vp8.keyframe, theirs.isKeyframe)
      if (theirs.pictureId !== undefined) t.is(vp8.pictureId, theirs.pictureId)
      t.is(vp8.pictureIdOffset >= 0, theirs.pictureId !== undefined)
      // Its scalability structure and P_DIFF reading pass the end; we need neither.
      bytes[0] = bytes[0]! & 0xed
      const vp9 = describe('vp9', ...bytes)
      const theirs9 = Vp9RtpPayload.deSerialize(Buffer.from(bytes))
      t.is(vp9?.keyframe, theirs9.isKeyframe)
      t.pass()
    }),
    { numRuns: 3_000 },
  )
})

test('Opus packets tell how long they play', (t) => {
  const ticks = (...bytes: number[]) => opusDurationTicks(Uint8Array.from(bytes), 0, bytes.length)
  t.is(ticks(0x78), 960)
  t.is(ticks(0x79), 1_920)
  t.is(ticks(0x00), 480)
  t.is(ticks(0x18), 2_880)
  t.is(ticks(0x60), 480)
  t.is(ticks(0x68), 960)
  t.is(ticks(0x80), 120)
  t.is(ticks(0x7b, 3), 2_880)
  t.is(ticks(0x1b, 2), 5_760)
  t.is(ticks(0x1b, 3), 0)
  t.is(ticks(0x7b), 0)
  t.is(ticks(), 0)
  t.true(isOpusDtx(0, 1))
  t.false(isOpusDtx(0, 3))
})
