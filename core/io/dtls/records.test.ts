import test from 'ava'
import fc from 'fast-check'
import { RECORDS_PER_DATAGRAM_MAX } from '../../../config/limits.ts'
import {
  buildRecord,
  CONTENT_ALERT,
  CONTENT_APPLICATION_DATA,
  CONTENT_CHANGE_CIPHER_SPEC,
  type DtlsRecord,
  splitRecords,
} from './records.ts'

const split = (datagram: Buffer) => {
  const records: DtlsRecord[] = []
  return { fault: splitRecords(datagram, records), records }
}
const alert = buildRecord(
  { contentType: CONTENT_ALERT, epoch: 0, sequence: 7 },
  Buffer.from([1, 0]),
)

test('records come out as they went in, up to the largest number', (t) => {
  const head = fc.record(
    {
      contentType: fc.integer({ min: CONTENT_CHANGE_CIPHER_SPEC, max: CONTENT_APPLICATION_DATA }),
      epoch: fc.integer({ min: 0, max: 0xffff }),
      sequence: fc.oneof(fc.constant(2 ** 48 - 1), fc.nat()),
    },
    { noNullPrototype: true },
  )
  const one = fc.tuple(head, fc.uint8Array({ minLength: 1, maxLength: 300 }))
  const many = fc.array(one, { minLength: 1, maxLength: RECORDS_PER_DATAGRAM_MAX })
  fc.assert(
    fc.property(many, (input) => {
      const datagram = Buffer.concat(input.map(([each, body]) => buildRecord(each, body)))
      const { fault, records } = split(datagram)
      const output = records.map(({ contentType, epoch, sequence, body }) => [
        { contentType, epoch, sequence },
        new Uint8Array(body),
      ])
      return fault === undefined && fc.stringify(output) === fc.stringify(input)
    }),
  )
  t.pass()
})

test('a fault ends the reading, and what came before it counts', (t) => {
  const faulty = (change: (record: Buffer) => void) => {
    const record = Buffer.from(alert)
    change(record)
    return split(Buffer.concat([alert, record, alert]))
  }
  t.like(
    faulty((record) => record.writeUInt8(19, 0)),
    { fault: 'content-type' },
  )
  t.like(
    faulty((record) => record.writeUInt8(24, 0)),
    { fault: 'content-type' },
  )
  t.like(
    faulty((record) => record.writeUInt16BE(0x0303, 1)),
    { fault: 'version' },
  )
  t.like(
    faulty((record) => record.writeUInt16BE(0xffff, 11)),
    { fault: 'too-large' },
  )
  t.like(
    faulty((record) => record.writeUInt16BE(200, 11)),
    { fault: 'malformed' },
  )
  t.like(
    faulty((record) => record.writeUInt16BE(0, 11)),
    { fault: 'malformed' },
  )
  t.is(faulty((record) => record.writeUInt8(24, 0)).records.length, 1)
})

test('an empty datagram and half a header are malformed', (t) => {
  t.is(split(Buffer.alloc(0)).fault, 'malformed')
  t.is(split(alert.subarray(0, 12)).fault, 'malformed')
})

test('no more records are read than the bound', (t) => {
  const { fault, records } = split(Buffer.concat(Array(RECORDS_PER_DATAGRAM_MAX + 1).fill(alert)))
  t.is(records.length, RECORDS_PER_DATAGRAM_MAX)
  t.is(fault, 'too-large')
})
