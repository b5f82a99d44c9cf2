import test from 'ava'
import fc from 'fast-check'
import { isSealed, readStamp, SEAL_BYTES, STAMP_BYTES, Stamp, writeStamp } from './stamp.ts'

const stamps = fc.record({
  publisher: fc.nat(0xff_ffff),
  layer: fc.nat(2),
  frame: fc.nat(0xffff_ffff),
  part: fc.nat(200),
  isKey: fc.boolean(),
  isLast: fc.boolean(),
  sentMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
})

test('what was stamped is read, wherever it stands and however long the payload is', (t) => {
  const property = fc.property(stamps, fc.nat(40), fc.nat(1100), (fields, offset, filler) => {
    const bytes = Buffer.alloc(offset + STAMP_BYTES + filler + SEAL_BYTES)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    writeStamp(view, offset, bytes.length, Object.assign(new Stamp(), fields))
    const read = new Stamp()
    t.true(readStamp(bytes, offset, bytes.length, read))
    t.deepEqual({ ...read }, fields)
    t.true(isSealed(bytes, bytes.length, read))
  })
  fc.assert(property)
})

test('a payload that was cut, or ends in another packet, is not sealed', (t) => {
  const write = (frame: number) => {
    const bytes = Buffer.alloc(80)
    const stamp = Object.assign(new Stamp(), { frame, publisher: 7 })
    writeStamp(new DataView(bytes.buffer, bytes.byteOffset, 80), 1, 80, stamp)
    return bytes
  }
  const mixed = Buffer.concat([write(5).subarray(0, 60), write(6).subarray(60)])
  const stamp = new Stamp()
  t.true(readStamp(mixed, 1, 80, stamp))
  t.false(isSealed(mixed, 80, stamp))
  t.true(readStamp(write(5), 1, 79, stamp))
  t.false(isSealed(write(5), 79, stamp))
})

test('bytes without a stamp are no stamp, and nothing is read past the end', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(70), (bytes, offset) => {
    t.false(readStamp(Buffer.from(bytes), offset, bytes.length, new Stamp()))
  })
  fc.assert(property)
})
