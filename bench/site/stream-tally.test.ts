import test from 'ava'
import fc from 'fast-check'
import { StreamTally, TALLY_DUPLICATE, TALLY_LATE, TALLY_NEXT } from './stream-tally.ts'

test('whatever is lost, repeated or moved a little, across wraps: the counts are those of the packets', (t) => {
  const fates = fc.array(fc.constantFrom('on time', 'on time', 'lost', 'twice', 'late'), {
    minLength: 2,
    maxLength: 400,
  })
  const property = fc.property(fc.nat(0xffff), fates, (first, all) => {
    const order = all.flatMap((fate, index) => {
      if (fate === 'lost') return []
      if (fate === 'twice')
        return [
          { at: index, index },
          { at: index + 0.5, index },
        ]
      return [{ at: fate === 'late' ? index + 5.5 : index, index }]
    })
    order.sort((a, b) => a.at - b.at)
    if (order.length === 0) return
    const tally = new StreamTally()
    for (const { index } of order) tally.add((first + index) & 0xffff, 100)
    const present = new Set(order.map(({ index }) => index))
    const expected = Math.max(...present) - Math.min(...present) + 1
    t.is(tally.packets, present.size)
    t.is(tally.expected, expected)
    t.is(tally.lost, expected - present.size)
    t.is(tally.duplicates, order.length - present.size)
    t.is(tally.bytes, order.length * 100)
  })
  fc.assert(property)
})

test('the wrap of the number is no loss, and a packet from before the wrap is late, not new', (t) => {
  const tally = new StreamTally()
  t.is(tally.add(65_534, 1), TALLY_NEXT)
  t.is(tally.add(0, 1), TALLY_NEXT)
  t.is(tally.sequence, 2 * 65_536)
  t.is(tally.highest, 65_536)
  t.is(tally.add(65_535, 1), TALLY_LATE)
  t.is(tally.add(65_535, 1), TALLY_DUPLICATE)
  t.is(tally.lost, 0)
})

test('a packet from before the first one belongs to it, even across the wrap', (t) => {
  const tally = new StreamTally()
  tally.add(0, 1)
  t.is(tally.add(65_535, 1), TALLY_LATE)
  t.is(tally.add(1, 1), TALLY_NEXT)
  t.deepEqual([tally.expected, tally.packets, tally.lost], [3, 3, 0])
})

test('a repaired packet is known but not counted as received', (t) => {
  const tally = new StreamTally()
  tally.add(10, 1)
  tally.add(12, 1)
  t.is(tally.repair(11), TALLY_LATE)
  t.is(tally.repair(11), TALLY_DUPLICATE)
  t.is(tally.repair(13), TALLY_DUPLICATE)
  t.is(tally.lost, 1)
})

test('the fraction lost is that since the last report', (t) => {
  const tally = new StreamTally()
  for (let number = 0; number < 100; number += 2) tally.add(number, 1)
  t.is(tally.takeFractionLost(), Math.floor((49 * 256) / 99))
  for (let number = 99; number < 200; number++) tally.add(number, 1)
  t.is(tally.takeFractionLost(), 0)
})
