import test from 'ava'
import type { Bucket } from '../link/index.ts'
import { LineBook } from './line-book.ts'

const bucket = (atMs: number, rest: Partial<Bucket> = {}): Bucket => ({
  atMs,
  widthMs: 200,
  packetsIn: 10,
  packetsOut: 9,
  offeredBps: 0,
  deliveredBps: 8_000,
  queueMs: 5,
  lost: 1,
  queueFull: 0,
  tooLarge: 0,
  down: 0,
  emulatorFull: 0,
  ...rest,
})

test('buckets of all lines add up to one row a second, headers counted', (t) => {
  const book = new LineBook()
  book.add('down', bucket(1_000), 1_000)
  book.add('down', bucket(1_200, { queueMs: 30 }), 1_000)
  book.add('down', bucket(2_000), 1_000)
  const { series } = book.report('down', [])
  t.deepEqual(series, {
    atS: [0, 1],
    bitrateBps: [2 * (1_600 + 9 * 224), 1_600 + 9 * 224],
    lossRatio: [0.1, 0.1],
    queueMs: [30, 5],
  })
})

test('what came before the zero of the run is left out', (t) => {
  const book = new LineBook()
  book.add('up', bucket(400), 500)
  t.deepEqual(book.report('up', []).series.atS, [])
})

test('live loss counts what did not arrive for whatever reason, of the last seconds, both ways', (t) => {
  const book = new LineBook()
  book.add('down', bucket(0, { lost: 10 }), 0)
  book.add('down', bucket(20_000, { lost: 2 }), 0)
  book.add('up', bucket(20_200, { lost: 0, down: 4 }), 0)
  t.is(book.latestLossRatio(20.5), 6 / 20)
})
