import test from 'ava'
import { LOAD_LAYER_ROWS_MAX, LOAD_SERIES_ROWS_MAX } from '../../config/limits.ts'
import { LayerMap } from './layer-map.ts'
import { SeriesBook } from './series-book.ts'

test('all series share their times; one that was never more than 0 is left out', (t) => {
  const book = new SeriesBook()
  book.declare('a', { title: 'A', unit: 'x' })
  book.declare('b', { title: 'B', unit: 'x' })
  book.add(1, { a: 5 })
  book.add(2, { a: 6, other: 7 })
  t.deepEqual(book.reports(), [{ id: 'a', title: 'A', unit: 'x', atS: [1, 2], values: [5, 6] }])
})

test('a long run has no more rows than a short one, evenly spaced from the first', (t) => {
  const book = new SeriesBook(8)
  book.declare('a', { title: 'A', unit: 'x' })
  for (let second = 0; second < 100; second += 1) book.add(second, { a: second + 1 })
  const { atS, values } = book.reports()[0]!
  t.true(atS.length <= 8)
  const step = atS[1]! - atS[0]!
  t.deepEqual(
    atS,
    atS.map((_, index) => index * step),
  )
  t.deepEqual(
    values,
    atS.map((second) => second + 1),
  )
  t.true(atS.at(-1)! + step >= 100)
})

test('hours of seconds stay within the bound', (t) => {
  const book = new SeriesBook()
  book.declare('a', { title: 'A', unit: 'x' })
  for (let second = 0; second < 3 * LOAD_SERIES_ROWS_MAX; second += 1) book.add(second, { a: 1 })
  const rows = book.reports()[0]?.atS.length ?? 0
  t.true(rows <= LOAD_SERIES_ROWS_MAX && rows > LOAD_SERIES_ROWS_MAX / 4, `${rows}`)
})

test('the heat map thins out sites evenly and moments to a bound', (t) => {
  const count = LOAD_LAYER_ROWS_MAX * 5
  const members = Array.from({ length: count }, (_, index) => ({
    id: `s${index}`,
    state: 'joined' as const,
    layerNow: index % 3,
  }))
  const map = new LayerMap(members, 3600)
  for (let second = 0; second < 3600; second += 1) map.sample(second)
  const { atS, rows } = map.report()
  t.is(rows.length, LOAD_LAYER_ROWS_MAX)
  t.deepEqual(rows[1]?.site, 's5')
  t.true(atS.length <= 610 && atS.length >= 500, `${atS.length}`)
  t.true(rows.every(({ layer }) => layer.length === atS.length))
})

test('each second has its column while there are few', (t) => {
  const site: { id: string; state: 'idle' | 'joined'; layerNow: number } = {
    id: 's',
    state: 'idle',
    layerNow: -1,
  }
  const map = new LayerMap([site], 20)
  map.sample(0)
  site.state = 'joined'
  for (let second = 1; second < 20; second += 1) {
    site.layerNow = second % 2
    map.sample(second + 0.003)
  }
  t.is(map.report().rows[0]?.layer.length, 20)
  t.deepEqual(map.report().rows[0]?.layer.slice(0, 3), [Number.NaN, 1, 0])
})
