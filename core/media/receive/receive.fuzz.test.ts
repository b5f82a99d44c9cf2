import test from 'ava'
import { fuzz } from '../../../test/fuzz.ts'
import { MediaPacket, parseRtp, RtpPacket } from '../rtp/index.ts'
import { audioSection, type PacketFields, packetBytes, videoSection } from './generated-source.ts'
import { StreamTable } from './index.ts'

const PAYLOAD = [0x90, 0xf0, 0x81, 0x01, 200, 0x40, 0x00, 1, 2, 3]

test('the receive path: random and mutated packets through one transport', (t) => {
  const sections = [audioSection({ ssrcs: [{ ssrc: 1 }] }), videoSection({ rids: ['q', 'h', 'f'] })]
  // Two tables in step: each input goes once through each, so both must say the same.
  const tables = [new StreamTable(sections), new StreamTable(sections)]
  const packet = new RtpPacket()
  const out = new MediaPacket()
  const mid: [number, number[]] = [4, [49]]
  const base: PacketFields = { ssrc: 2, payloadType: 96, sequenceNumber: 65_530, payload: PAYLOAD }
  const samples = [
    packetBytes({ ...base, extensions: [mid, [5, [113]]] }, 0),
    packetBytes({ ...base, ssrc: 3, payloadType: 97, extensions: [mid, [6, [104]]] }, 0),
    packetBytes(
      { ...base, ssrc: 4, extensions: [mid, [5, [...'__proto__'].map((c) => c.charCodeAt(0))]] },
      0,
    ),
    packetBytes({ ...base, ssrc: 1, payloadType: 111, extensions: [[1, [20]]] }, 0),
    packetBytes({ ...base, payload: [], paddingBytes: 20 }, 0),
  ]
  let turn = 0
  const result = fuzz({
    samples,
    parse: (bytes, start, end) => {
      const table = tables[turn & 1]
      const nowMs = (turn >>> 1) * 0.5
      turn += 1
      if (table === undefined || !parseRtp(packet, bytes, start, end)) return 0
      const stream = table.resolve(packet, nowMs)
      if (stream === undefined) return -table.dropCode
      const received = stream.receive(packet, nowMs, out)
      if (received <= 0) return received
      if (out.start < start || out.end > end || out.end - out.start < 12) throw new Error('outside')
      return out.sequence * 64 + out.epoch * 8 + received
    },
  })
  t.log(result.summary)
  t.true(result.accepted > 0)
  for (const table of tables) t.true(table.size <= 8 && table.streams.length <= 4)
})
