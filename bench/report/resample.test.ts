import test from 'ava'
import fc from 'fast-check'
import { resample } from './resample.ts'

const NONE = Number.NaN

test('lines that share their times stay as they are', (t) => {
  const atS = [1, 2, 3]
  const { values, isThinned } = resample(
    [
      { atS, values: [1, NONE, 3] },
      { atS, values: [4, 5, 6] },
    ],
    10,
  )
  t.deepEqual(values, [
    [1, null, 3],
    [4, 5, 6],
  ])
  t.false(isThinned)
})

test('a line with other times is drawn straight between its samples, and not over a gap', (t) => {
  const fine = { atS: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], values: Array(11).fill(1) }
  const coarse = { atS: [0, 2, 4, 10], values: [0, 20, 40, 100] }
  const { atS, values } = resample([fine, coarse], 100)
  t.deepEqual(atS, fine.atS)
  t.deepEqual(values[1], [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
  const gap = resample([fine, { atS: [0, 1, 2, 9, 10], values: [0, 1, 2, 9, 10] }], 100)
  t.deepEqual(gap.values[1], [0, 1, 2, null, null, null, null, null, null, 9, 10])
})

test('nothing, one sample, and samples at one time do no harm', (t) => {
  t.deepEqual(resample([], 10), { atS: [], values: [], isThinned: false })
  t.deepEqual(resample([{ atS: [], values: [] }], 10).atS, [])
  t.deepEqual(resample([{ atS: [3], values: [7] }], 10).values, [[7]])
  t.notThrows(() => resample([{ atS: [3, 3, 3], values: [1, 2, 3] }], 2))
  t.notThrows(() =>
    resample(
      [
        { atS: [3], values: [1] },
        { atS: [], values: [] },
      ],
      2,
    ),
  )
})

test('thinning keeps the bound, and the lowest and the highest of a line', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 60, maxLength: 500 }),
      fc.integer({ min: 4, max: 50 }),
      (list, pointsMax) => {
        const line = { atS: list.map((_, index) => index), values: list }
        const { atS, values, isThinned } = resample([line], pointsMax)
        const kept = (values[0] ?? []).filter((value) => value !== null)
        return (
          isThinned &&
          atS.length <= pointsMax &&
          Math.max(...kept) === Math.max(...list) &&
          Math.min(...kept) === Math.min(...list)
        )
      },
    ),
  )
  t.pass()
})
