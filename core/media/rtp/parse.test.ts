import test from 'ava'
import fc from 'fast-check'
import { RtpHeader as WeriftHeader, RtpPacket as WeriftPacket } from 'werift'
import {
  ExtensionWriter,
  extensionEquals,
  hasExtension,
  parseRtp,
  RtpPacket,
  readAbsSendTime,
  readAudioLevel,
  readTransportSequence,
  writeRtpHeader,
} from './index.ts'

const HEADER = { payloadType: 96, marker: true, sequenceNumber: 65_535, timestamp: 4_294_967_295 }

function bytesOf(...parts: number[]): Uint8Array {
  return Uint8Array.from(parts)
}

/** A packet with the given first byte and what follows the fixed header. */
function packetOf(first: number, ...rest: number[]): Uint8Array {
  return bytesOf(first, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, ...rest)
}

function parse(bytes: Uint8Array, packet = new RtpPacket()): RtpPacket | undefined {
  return parseRtp(packet, bytes, 0, bytes.length) ? packet : undefined
}

test('a plain header is read at the ends of its fields', (t) => {
  const bytes = new Uint8Array(20)
  const end = writeRtpHeader(bytes, 4, { ...HEADER, ssrc: 4_294_967_295 })
  t.is(end, 16)
  const packet = new RtpPacket()
  t.true(parseRtp(packet, bytes, 4, 20))
  t.is(packet.payloadType, 96)
  t.true(packet.marker)
  t.is(packet.sequenceNumber, 65_535)
  t.is(packet.timestamp, 4_294_967_295)
  t.is(packet.ssrc, 4_294_967_295)
  t.is(packet.payloadStart, 16)
  t.is(packet.payloadEnd, 20)
})

test('shorter than a header, another version, or a range outside the buffer is refused', (t) => {
  t.is(parse(new Uint8Array(0)), undefined)
  t.is(parse(packetOf(0x80).subarray(0, 11)), undefined)
  for (const first of [0x00, 0x40, 0xc0]) t.is(parse(packetOf(first)), undefined)
  const packet = new RtpPacket()
  t.false(parseRtp(packet, packetOf(0x80), 0, 13))
  t.false(parseRtp(packet, packetOf(0x80), -1, 12))
  t.false(parseRtp(packet, packetOf(0x80), 12, 0))
})

test('CSRCs are skipped, and a lying count is refused', (t) => {
  t.is(parse(packetOf(0x82, 1, 1, 1, 1, 2, 2, 2, 2, 9))?.payloadStart, 20)
  t.is(parse(packetOf(0x82, 1, 1, 1, 1, 2, 2, 2)), undefined)
})

test('padding is taken off; more padding than payload, or none, is refused', (t) => {
  t.is(parse(packetOf(0xa0, 7, 0, 2))?.payloadEnd, 13)
  const paddingOnly = parse(packetOf(0xa0, 0, 0, 3))
  t.is(paddingOnly?.payloadEnd, paddingOnly?.payloadStart)
  t.is(parse(packetOf(0xa0, 7, 0, 4)), undefined)
  t.is(parse(packetOf(0xa0, 7, 0, 255)), undefined)
  t.is(parse(packetOf(0xa0, 7, 0)), undefined)
  t.is(parse(packetOf(0xa0)), undefined)
})

test('padding cannot reach into the extension', (t) => {
  t.is(parse(packetOf(0xb0, 0xbe, 0xde, 0, 1, 0x10, 5, 0, 1, 2)), undefined)
})

test('one-byte extensions: padding between, the stop id, and lengths that lie', (t) => {
  const packet = parse(packetOf(0x90, 0xbe, 0xde, 0, 2, 0, 0x10, 5, 0x31, 6, 7, 0xf0, 0x20, 99))
  t.is(packet?.extensionLength[1], 1)
  t.is(packet?.extensionLength[3], 2)
  t.is(packet?.extensionLength[2], -1)
  t.is(packet?.payloadStart, 24)
  t.is(parse(packetOf(0x90, 0xbe, 0xde, 0, 1, 0x13, 5, 0, 0)), undefined)
  t.is(parse(packetOf(0x90, 0xbe, 0xde, 0, 2, 0x10, 5, 0, 0)), undefined)
  t.is(parse(packetOf(0x90, 0xbe, 0xde, 255, 255)), undefined)
  t.is(parse(packetOf(0x90, 0xbe)), undefined)
})

test('two-byte extensions: empty elements, ids to 255, and lengths that lie', (t) => {
  const packet = parse(packetOf(0x90, 0x10, 0x05, 0, 2, 255, 0, 16, 3, 1, 2, 3, 0))
  t.is(packet?.extensionLength[255], 0)
  t.is(packet?.extensionLength[16], 3)
  t.is(parse(packetOf(0x90, 0x10, 0, 0, 1, 7, 3, 1, 2)), undefined)
  t.is(parse(packetOf(0x90, 0x10, 0, 0, 1, 0, 0, 0, 7)), undefined)
})

test('a profile of its own is skipped, not refused', (t) => {
  const packet = parse(packetOf(0x90, 0xab, 0xcd, 0, 1, 0x1f, 1, 1, 1, 42))
  t.is(packet?.extensionCount, 0)
  t.is(packet?.payloadStart, 20)
})

test('of a repeated id the first counts, and 256 ids fit', (t) => {
  t.is(parse(packetOf(0x90, 0xbe, 0xde, 0, 1, 0x10, 5, 0x10, 6))?.extensionStart[1], 17)
  const elements = Array.from({ length: 600 }, (_, index) => [(index % 255) + 1, 0]).flat()
  const packet = parse(packetOf(0x90, 0x10, 0, 1, 44, ...elements))
  t.is(packet?.extensionCount, 255)
})

test('the next packet sees nothing of the extensions of the one before', (t) => {
  const packet = new RtpPacket()
  t.truthy(parse(packetOf(0x90, 0xbe, 0xde, 0, 1, 0x10, 5, 0x20, 6), packet))
  t.true(hasExtension(packet, 2))
  t.truthy(parse(packetOf(0x80), packet))
  t.true(packet.extensionLength.every((length) => length === -1))
  t.truthy(parse(packetOf(0x90, 0xbe, 0xde, 0, 1, 0x10, 5, 0x20, 6), packet))
  t.is(parse(packetOf(0x00), packet), undefined)
  t.true(packet.extensionLength.every((length) => length === -1))
})

test('what the writer writes in either form the parser reads', (t) => {
  for (const twoByte of [false, true]) {
    const bytes = new Uint8Array(100)
    writeRtpHeader(bytes, 8, { ...HEADER, ssrc: 1 })
    const writer = new ExtensionWriter()
    writer.begin(bytes, 8, twoByte)
    t.true(writer.addUint8(1, 0x80 | 30))
    t.true(writer.addUint16(2, 65_535))
    t.true(writer.addUint24(3, 0xfffffe))
    t.true(writer.addBytes(14, bytesOf(95, 95)))
    t.is(writer.addUint8(15, 1), twoByte)
    t.false(writer.addUint8(0, 1))
    t.false(writer.addUint8(256, 1))
    t.is(writer.addBytes(4, new Uint8Array(17)), twoByte)
    t.is(writer.addBytes(5, new Uint8Array(0)), twoByte)
    const end = writer.finish()
    const packet = new RtpPacket()
    t.true(parseRtp(packet, bytes, 8, end))
    t.is(packet.payloadStart, end)
    t.is(readAudioLevel(packet, 1), 30)
    t.is(readTransportSequence(packet, 2), 65_535)
    t.is(readAbsSendTime(packet, 3), 0xfffffe)
    t.true(extensionEquals(packet, 14, bytesOf(95, 95)))
    t.false(extensionEquals(packet, 14, bytesOf(95, 96)))
    t.false(extensionEquals(packet, 14, bytesOf(95)))
    t.is(readAudioLevel(packet, 0), -1)
    t.is(readTransportSequence(packet, 9), -1)
    t.is(readAbsSendTime(packet, 9), -1)
  }
})

test('werift writes what we read', (t) => {
  fc.assert(
    fc.property(
      fc.record({
        payloadType: fc.integer({ min: 0, max: 127 }),
        marker: fc.boolean(),
        sequenceNumber: fc.integer({ min: 0, max: 65_535 }),
        timestamp: fc.integer({ min: 0, max: 4_294_967_295 }),
        ssrc: fc.integer({ min: 0, max: 4_294_967_295 }),
      }),
      fc.uniqueArray(
        fc.tuple(fc.integer({ min: 1, max: 14 }), fc.uint8Array({ minLength: 1, maxLength: 16 })),
        {
          maxLength: 6,
          selector: ([id]) => id,
        },
      ),
      fc.uint8Array({ maxLength: 40 }),
      (fields, extensions, payload) => {
        const header = new WeriftHeader({
          ...fields,
          extension: extensions.length > 0,
          extensions: extensions.map(([id, data]) => ({ id, payload: Buffer.from(data) })),
        })
        const bytes = new WeriftPacket(header, Buffer.from(payload)).serialize()
        const packet = new RtpPacket()
        t.true(parseRtp(packet, bytes, 0, bytes.length))
        for (const [name, value] of Object.entries(fields))
          t.is<unknown, unknown>(packet[name as 'ssrc'], value)
        for (const [id, data] of extensions) t.true(extensionEquals(packet, id, data))
        t.is(packet.extensionCount, extensions.length)
        t.deepEqual(bytes.subarray(packet.payloadStart, packet.payloadEnd), Buffer.from(payload))
      },
    ),
  )
})

test('any bytes are parsed or refused, and all offsets stay inside', (t) => {
  const packet = new RtpPacket()
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.uint8Array({ minLength: 12, maxLength: 80 }).map((bytes) => {
      bytes[0] = 0x80 | (bytes[0]! & 0x3f)
      return bytes
    }),
  )
  fc.assert(
    fc.property(anyBytes, fc.nat(8), (input, start) => {
      const bytes = new Uint8Array(start + input.length + 8)
      bytes.set(input, start)
      const end = start + input.length
      if (!parseRtp(packet, bytes, start, end)) return
      t.true(packet.payloadStart >= start + 12 && packet.payloadStart <= packet.payloadEnd)
      t.true(packet.payloadEnd <= end)
      for (const id of packet.extensionIds.subarray(0, packet.extensionCount)) {
        const from = packet.extensionStart[id]!
        t.true(from >= start + 16 && from + packet.extensionLength[id]! <= packet.payloadStart)
      }
    }),
    { numRuns: 2_000 },
  )
})
