import test from 'ava'
import { RecordCipher } from './record-cipher.ts'
import { CONTENT_ALERT, type DtlsRecord, splitRecords } from './records.ts'

const a = { key: Buffer.alloc(16, 1), salt: Buffer.alloc(4, 2) }
const b = { key: Buffer.alloc(16, 3), salt: Buffer.alloc(4, 4) }

const sealed = (cipher: RecordCipher, text: string): DtlsRecord => {
  const records: DtlsRecord[] = []
  splitRecords(cipher.seal(CONTENT_ALERT, Buffer.from(text)), records)
  return records[0]!
}

test('what one side seals the other opens once', (t) => {
  const [ours, theirs] = [new RecordCipher(a, b), new RecordCipher(b, a)]
  const record = sealed(ours, 'hello')
  t.is(theirs.open(record)?.toString(), 'hello')
  t.is(theirs.open(record), undefined)
})

test('no nonce is used twice', (t) => {
  const cipher = new RecordCipher(a, b)
  const nonces = Array.from({ length: 100 }, () =>
    sealed(cipher, 'x').body.subarray(0, 8).toString('hex'),
  )
  t.is(new Set(nonces).size, 100)
})

test('a change anywhere in a record is noticed', (t) => {
  const record = sealed(new RecordCipher(a, b), 'hello')
  const open = (change: Partial<DtlsRecord>) =>
    new RecordCipher(b, a).open({ ...record, ...change })
  for (let at = 0; at < record.body.length; at++) {
    const body = Buffer.from(record.body)
    body[at]! ^= 0x80
    t.is(open({ body }), undefined)
  }
  t.is(open({ sequence: 1 }), undefined)
  t.is(open({ contentType: 22 }), undefined)
  t.is(open({ epoch: 2 }), undefined)
  t.is(open({ body: record.body.subarray(0, 24) }), undefined)
  t.is(open({})?.toString(), 'hello')
})

test('the replay window lets late records in once, and old ones never', (t) => {
  const [ours, theirs] = [new RecordCipher(a, b), new RecordCipher(b, a)]
  const records = Array.from({ length: 80 }, (_, index) => sealed(ours, `${index}`))
  const opens = (index: number) => theirs.open(records[index]!) !== undefined
  t.true(opens(40))
  t.true(opens(9), 'at the far edge')
  t.false(opens(8), 'behind the edge')
  t.false(opens(9))
  t.true(opens(39))
  t.true(opens(72), 'a jump by the whole window')
  t.true(opens(41), 'new far edge')
  t.false(opens(40))
  t.false(opens(72))
})
