import test from 'ava'
import fc from 'fast-check'
import { figuresOf, mergeSums } from './figures.ts'
import {
  encodeHistogram,
  HistogramBook,
  mergeEncoded,
  newHistogram,
  percentileMs,
  recordMs,
} from './histograms.ts'
import { mergeLoadResults } from './merge.ts'
import type { LoadResult } from './protocol.ts'
import { judgeSelf, SelfWatch } from './self-watch.ts'

test('percentiles of merged histograms are those of all values together', (t) => {
  const values = fc.array(fc.integer({ min: 1, max: 50_000_000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(values, values, (a, b) => {
      const [one, other, both] = [newHistogram(), newHistogram(), newHistogram()]
      for (const value of a) one.recordValue(value)
      for (const value of b) other.recordValue(value)
      for (const value of [...a, ...b]) both.recordValue(value)
      const merged = mergeEncoded([encodeHistogram(one), encodeHistogram(other)])
      return [1, 50, 90, 99, 100].every(
        (percentile) =>
          merged.getValueAtPercentile(percentile) === both.getValueAtPercentile(percentile),
      )
    }),
    { numRuns: 30 },
  )
  t.pass()
})

test('times outside of the range count as its ends', (t) => {
  const histogram = newHistogram()
  for (const ms of [-5, 0, 1e9]) recordMs(histogram, ms)
  t.is(histogram.totalCount, 3)
  t.is(percentileMs(histogram, 1), 0.001)
  t.true(percentileMs(histogram, 100) >= 60_000)
})

test('the sum over groups holds what each group counted', (t) => {
  const book = new HistogramBook()
  recordMs(book.of('a', 'join'), 10)
  recordMs(book.of('b', 'join'), 1000)
  book.of('b', 'empty')
  const all = book.all()
  t.deepEqual([...all.keys()].sort(), ['group.a.join', 'group.b.join', 'join'])
  t.is(all.get('join')?.totalCount, 2)
})

test('sums of processes add up, their extremes do not', (t) => {
  const merged = mergeSums([
    { 'sites.joined': 3, 'max.frozen.maxMs': 5, 'min.joins.firstS': 2, 'group.a.max.x': 9 },
    { 'sites.joined': 4, 'max.frozen.maxMs': 7, 'min.joins.firstS': 1, 'group.a.max.x': 1 },
  ])
  t.deepEqual(merged, {
    'sites.joined': 7,
    'max.frozen.maxMs': 7,
    'min.joins.firstS': 1,
    'group.a.max.x': 9,
  })
})

test('joins per second are first joins over the time from the first begun to the last done', (t) => {
  const sums = { 'joins.firsts': 100, 'min.joins.firstS': 2, 'max.joins.lastS': 4.5 }
  t.is(figuresOf(sums, new Map(), [])['joins.perSecond'], 40)
})

test('pages have their rate and errors', (t) => {
  const sums = { 'http.front.requests': 500, 'http.front.errors': 2, 'max.http.front.seconds': 5 }
  t.like(figuresOf(sums, new Map(), []), { 'http.front.perSecond': 100, 'http.front.errors': 2 })
})

const result = (over: Partial<LoadResult>): LoadResult => ({
  event: 'result',
  completed: true,
  sites: [],
  figures: {},
  histograms: {},
  layers: { atS: [], rows: [] },
  series: [],
  sums: {},
  validity: { valid: true, reasons: [] },
  ...over,
})

test('results of two processes become one whose figures follow from their sums and histograms', (t) => {
  const histogram = (ms: number) => {
    const one = newHistogram()
    recordMs(one, ms)
    return encodeHistogram(one)
  }
  const series = (id: string, unit: string, values: number[]) => ({
    id,
    title: id,
    unit,
    atS: values.map((_, index) => index),
    values,
  })
  const merged = mergeLoadResults([
    result({
      sums: { audioLost: 1, audioExpected: 10, 'sites.joined': 1 },
      figures: { 'loss.audio.ratio': 0.1, 'load.steady.cpuShare': 0.2 },
      histograms: { join: histogram(10) },
      series: [series('receivedBps', 'bit/s', [1, 2]), series('p99', 'ms', [5, 1])],
      layers: { atS: [1, 2], rows: [{ site: 'a', layer: [0, 1] }] },
    }),
    result({
      sums: { audioLost: 0, audioExpected: 90, 'sites.joined': 2 },
      figures: { 'loss.audio.ratio': 0, 'load.steady.cpuShare': 0.7 },
      histograms: { join: histogram(100) },
      series: [series('receivedBps', 'bit/s', [10, 20, 30]), series('p99', 'ms', [2, 3])],
      layers: { atS: [1, 2, 3], rows: [{ site: 'b', layer: [2, 2, 2] }] },
      validity: { valid: false, reasons: ['slow'] },
      completed: false,
    }),
  ])
  t.like(merged.figures, {
    'loss.audio.ratio': 0.01,
    'sites.joined': 3,
    'load.steady.cpuShare': 0.7,
    'join.count': 2,
  })
  t.deepEqual(
    merged.series.map(({ values }) => values),
    [
      [11, 22, 30],
      [5, 3],
    ],
  )
  t.deepEqual(merged.layers.rows[0], { site: 'a', layer: [0, 1, Number.NaN] })
  t.deepEqual(merged.validity, { valid: false, reasons: ['slow'] })
  t.false(merged.completed)
})

test('a load that was late with all in, or used its whole core, or lost datagrams itself, is void', (t) => {
  const watch = () => {
    const self = new SelfWatch()
    for (let tick = 0; tick < 100; tick += 1) self.tick('steady', 1)
    self.used('steady', { busySeconds: 5, seconds: 10 })
    return self
  }
  const judge = (self: SelfWatch) => judgeSelf(self.figures(10_000))
  t.deepEqual(judge(watch()), { valid: true, reasons: [] })
  const late = watch()
  for (let tick = 0; tick < 5; tick += 1) late.tick('steady', 40)
  t.regex(judge(late).reasons[0] ?? '', /late with all in: p99 40 ms/)
  t.true(judgeSelf(late.figures(10_000), 50).valid)
  const busy = watch()
  busy.used('steady', { busySeconds: 100, seconds: 100 })
  t.regex(judge(busy).reasons[0] ?? '', /95 % of its core/)
  const leaking = watch()
  leaking.drops = 5
  t.regex(judge(leaking).reasons[0] ?? '', /overflowed: 5 datagrams/)
  const storm = watch()
  for (let tick = 0; tick < 100; tick += 1) storm.tick('joining', 60)
  storm.used('joining', { busySeconds: 10, seconds: 10 })
  t.true(judge(storm).valid)
})
