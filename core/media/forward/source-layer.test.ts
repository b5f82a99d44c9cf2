import test from 'ava'
import { MediaPacket } from '../rtp/index.ts'
import { RateMeter } from './rate-meter.ts'
import { SourceLayer } from './source-layer.ts'

test('7-bit picture ids become 15-bit ones that do not jump at the wrap', (t) => {
  const layer = new SourceLayer({
    publicationId: 1,
    kind: 'video',
    spatialLayer: 0,
    clockRate: 90_000,
  })
  const out = new Uint8Array(100)
  const ids: number[] = []
  for (let i = 0; i < 300; i++) {
    const packet = new MediaPacket()
    // Header, descriptor with PictureID (7 bits) and TL0PICIDX, one byte of payload.
    packet.bytes = Uint8Array.of(...new Array(12).fill(9), 0x90, 0xc0, (i + 100) & 0x7f, 7, 0xaa)
    packet.end = 17
    Object.assign(packet, { pictureIdOffset: 14, pictureIdBits: 7, pictureId: (i + 100) & 0x7f })
    packet.tl0PicIdxOffset = 15
    t.true(layer.widenPictureId(packet, out))
    t.is(packet.end, 18)
    t.deepEqual([out[11], out[12], out[13], out[16], out[17]], [9, 0x90, 0xc0, 7, 0xaa])
    t.is(packet.tl0PicIdxOffset, 16)
    t.is(((out[14]! & 0x7f) << 8) | out[15]!, packet.pictureId)
    ids.push(packet.pictureId)
  }
  t.true(ids.every((id, i) => i === 0 || id === ids[i - 1]! + 1))
})

test('a rate follows the stream within a second, by temporal layer, and ends with it', (t) => {
  const meter = new RateMeter()
  let nowMs = 0
  meter.update(nowMs)
  for (let i = 0; i < 12; i++) {
    for (let k = 0; k < 10; k++) meter.add(1_000, k % 2 === 0 ? 0 : 2)
    nowMs += 250
    meter.update(nowMs)
  }
  t.true(Math.abs(meter.bitrateBps - 320_000) < 5_000, `${meter.bitrateBps}`)
  t.true(Math.abs(meter.temporalShare[0]! - 0.5) < 0.02)
  t.is(meter.temporalShare[3], 1)
  t.is(meter.temporalMax, 2)
  for (let i = 0; i < 40; i++) {
    nowMs += 250
    meter.update(nowMs)
  }
  t.is(meter.bitrateBps, 0)
})
