import test from 'ava'
import fc from 'fast-check'
import { addressWord } from '../../core/io/udp-native/index.ts'
import { AddressPool } from './address-pool.ts'

test('addresses count up as they are written, over the end of an octet', (t) => {
  const pool = new AddressPool('127.1.0.254', 4)
  const expected = ['127.1.0.254', '127.1.0.255', '127.1.1.0', '127.1.1.1']
  t.deepEqual(
    expected.map(() => pool.take()),
    expected.map(addressWord),
  )
})

test('an address that is given back rests while others are free; when all are taken it says so', (t) => {
  const pool = new AddressPool('10.77.0.1', 3)
  const [first = 0] = [pool.take(), pool.take()]
  pool.giveBack(first)
  t.is(pool.take(), addressWord('10.77.0.3'))
  t.is(pool.take(), first)
  t.throws(() => pool.take(), { message: 'more than 3 addresses' })
})

test('property: nobody has an address that another has', (t) => {
  const size = 5
  // A number: the one of them that is given back; nothing: one is taken.
  const steps = fc.array(fc.option(fc.nat({ max: size - 1 })), { minLength: 20, maxLength: 60 })
  const property = fc.property(steps, (each) => {
    const pool = new AddressPool('200.255.255.250', size)
    const held: number[] = []
    for (const step of each) {
      const [returned] = step === null ? [] : held.splice(step, 1)
      if (returned !== undefined) pool.giveBack(returned)
      else if (held.length < size) held.push(pool.take())
      t.is(new Set(held).size, held.length)
    }
  })
  fc.assert(property)
})
