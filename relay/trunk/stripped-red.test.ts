import test from 'ava'
import {
  HandoffFrame,
  readHandoffPacket,
  writeHandoffPacket,
} from '../../core/media/engine/index.ts'
import { MediaPacket, writeRtpHeader } from '../../core/media/rtp/index.ts'
import { createTrunkEnd, type TrunkEnd, type TrunkStreamSpec } from './index.ts'

const SPEC: TrunkStreamSpec = {
  streamId: 5,
  kind: 'audio',
  use: 'microphone',
  codec: 'opus',
  payloadType: 111,
  clockRate: 48_000,
  layerCount: 1,
}

/** A RED packet (RFC 2198) with one redundant block of 3 bytes, as a handoff frame. */
function redFrame(sequence: number): Uint8Array {
  const packet = new MediaPacket()
  packet.bytes = new Uint8Array(64)
  writeRtpHeader(packet.bytes, 0, {
    payloadType: 63,
    marker: false,
    sequenceNumber: sequence & 0xffff,
    timestamp: sequence * 960,
    ssrc: 1,
  })
  const primary = [0xf8, sequence & 0xff, 1, 2]
  packet.bytes.set([0x80 | 111, 3_840 >> 6, 0, 3, 111, 0xf8, 9, 9, ...primary], 12)
  packet.end = 12 + 8 + primary.length
  packet.codec = 'red'
  packet.sequence = sequence
  packet.epoch = 1
  packet.timestamp = sequence * 960
  packet.payloadType = 63
  packet.keyframe = true
  packet.frameStart = true
  const out = new Uint8Array(200)
  const place = { publicationId: SPEC.streamId, spatialLayer: 0, isPadding: false }
  return out.slice(0, writeHandoffPacket(out, packet, place))
}

test("a publisher's own redundancy does not cross: the far end gets plain Opus", (t) => {
  const got: string[] = []
  const ends: TrunkEnd[] = []
  let nowMs = 0
  const create = (ssrc: number, far: () => TrunkEnd | undefined) =>
    createTrunkEnd({
      ssrc,
      nowMs,
      randomUint32: () => 7,
      outlet: {
        datagram: (bytes, start, end, index) => {
          const copy = bytes.slice(start, end)
          waiting.push(() => far()?.onDatagram(copy, 0, copy.length, index, nowMs))
        },
        frame: (_, bytes, start, end) => {
          const frame = new HandoffFrame()
          const packet = new MediaPacket()
          if (!frame.read(bytes, start, end) || frame.kind !== 1) return
          readHandoffPacket(packet, bytes, start, end)
          const payload = [...packet.bytes.subarray(packet.start + 12, packet.end)]
          got.push(`${packet.codec} ${packet.payloadType} ${payload}`)
        },
        wanted: () => undefined,
        keyframeWanted: () => undefined,
      },
    })
  const waiting: (() => void)[] = []
  ends.push(
    create(1, () => ends[1]),
    create(2, () => ends[0]),
  )
  ends[0]!.offer(SPEC, { room: 1, place: 'heard', emergency: false })
  ends[1]!.expect(SPEC)
  ends[1]!.want(SPEC.streamId, 1)
  for (let sequence = 100; sequence < 150; sequence++) {
    const frame = redFrame(sequence)
    if (nowMs > 400) ends[0]!.onFrame(SPEC.streamId, frame, 0, frame.length, nowMs)
    for (const untilMs = nowMs + 20; nowMs < untilMs; nowMs += 5) {
      for (const end of ends) if (end.nextDeadlineMs() <= nowMs) end.onDeadline(nowMs)
      for (const arrive of waiting.splice(0)) arrive()
    }
  }
  t.true(got.length > 20)
  t.true(
    got.every((line) => line.startsWith('opus 111 248,') && line.endsWith(',1,2')),
    got[0],
  )
})
