import test from 'ava'
import { ProcessBook, type ProcessReading, slopePerS, thin } from './process-book.ts'

const core = (pid: number, cpuSeconds: number, residentBytes = 100): ProcessReading => ({
  id: 'core',
  role: 'node',
  pid,
  cpuSeconds,
  residentBytes,
  handles: 10,
  threads: 4,
})

function reading(atS: number, processes: ProcessReading[], busySeconds: number, stealSeconds = 0) {
  return { atS, processes, machine: { busySeconds, stealSeconds }, runnerCpuSeconds: atS * 0.1 }
}

test('CPU counts from the first reading, over a restart under another pid', (t) => {
  const book = new ProcessBook()
  book.add(reading(0, [core(1, 5)], 50))
  book.add(reading(1, [core(1, 5.5)], 51))
  book.add(reading(2, [core(2, 0.25)], 52))
  const [report] = book.reports()
  t.is(report?.cpuSeconds, 0.75)
  t.deepEqual(report?.series.cpuShare, [0, 0.5, 0.25])
})

test('what neither the run nor the host used, others did', (t) => {
  const book = new ProcessBook()
  book.add(reading(0, [core(1, 0)], 100, 10))
  book.add(reading(2, [core(1, 1)], 104, 10.5))
  const { othersCores, stealCores } = book.shares()
  // 4 busy seconds of 2: 0.5 stolen, 1 the core, 0.2 the runner.
  t.true(Math.abs(othersCores - 2.3 / 2) < 1e-9)
  t.is(stealCores, 0.25)
})

test('processes under one id add up', (t) => {
  const book = new ProcessBook()
  book.add(reading(0, [core(1, 0), core(2, 0)], 0))
  book.add(reading(1, [core(1, 0.5), core(2, 0.25)], 1))
  const [report] = book.reports()
  t.is(report?.cpuSeconds, 0.75)
  t.is(report?.residentBytesMax, 200)
  t.deepEqual(report?.series.handles, [20, 20])
})

test('the slope is that of the second half, in units per second', (t) => {
  const atS = [0, 1, 2, 3, 4, 5, 6, 7, 8]
  const values = atS.map((at) => (at < 4 ? 1000 - at : 10 * at))
  t.is(slopePerS(atS, values), 10)
  t.is(slopePerS([0, 1], [5, 9]), 0)
})

test('beyond the bound every second row goes, the newest stays, columns keep their length', (t) => {
  const columns = [
    [1, 2, 3, 4],
    [10, 20, 30, 40],
  ]
  thin(columns, 4)
  t.deepEqual(columns, [
    [2, 4],
    [20, 40],
  ])
})

test('a look between two samples counts, and is no sample of its own', (t) => {
  const book = new ProcessBook()
  book.add(reading(0, [core(1, 0)], 0))
  book.add(reading(0.99, [core(1, 0.5)], 1))
  book.add(reading(1.01, [core(1, 0.52)], 1))
  book.add(reading(1.99, [core(1, 1)], 2))
  const [report] = book.reports()
  t.is(report?.cpuSeconds, 1)
  t.deepEqual(report?.series.atS, [0, 0.99, 1.99])
  t.is(report?.series.cpuShare.at(-1), 0.5)
})
