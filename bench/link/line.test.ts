import test from 'ava'
import fc from 'fast-check'
import {
  LINE_FLIGHT_BYTES_MAX,
  LINE_FLIGHTS_MAX,
  SERIES_ROWS_PER_WIDTH,
} from '../../config/limits.ts'
import {
  type Bucket,
  Lateness,
  Line,
  type LineChange,
  Link,
  type LinkProfile,
  PERFECT,
  PROFILES,
  parseTimetableTexts,
  Series,
} from './index.ts'

type Way = 'down' | 'up'

function stand(texts: string[], profile: LinkProfile = PROFILES.perfect) {
  const changes: LineChange[] = []
  const arrived: { way: Way; name: number; atMs: number }[] = []
  const { changes: timetable } = parseTimetableTexts(texts)
  const onChange = (change: LineChange) => changes.push(change)
  const line = new Line({ profile, timetable, seed: 5, startMs: 1000, onChange })
  const send = (way: Way, name: number, nowMs: number) =>
    line[way].send({ arrive: (atMs) => arrived.push({ way, name, atMs }) }, 100, nowMs)
  return { line, changes, arrived, send }
}

test('changes are made at their own times, also when the caller comes late', (t) => {
  const { line, changes, arrived, send } = stand(['1s:up:cut', '2s:heal,delayMs=7', '3s:rebind'])
  send('down', 1, 1000)
  t.is(line.nextDeadlineMs(), 1000)
  line.advance(1999)
  t.is(changes.length, 0)
  t.is(line.nextDeadlineMs(), 2000)
  line.advance(2000)
  t.is(send('up', 2, 2500), 'down')
  t.is(send('down', 3, 2500), undefined)
  line.advance(10_000)
  t.deepEqual(
    changes.map(({ atMs }) => atMs),
    [1000, 2000, 3000],
  )
  t.deepEqual(arrived, [
    { way: 'down', name: 1, atMs: 1000 },
    { way: 'down', name: 3, atMs: 2500 },
  ])
  send('up', 4, 10_000)
  line.advance(10_007)
  t.is(arrived.at(-1)?.atMs, 10_007)
  t.is(line.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})

test('the directions of one seed do not lose the same packets', (t) => {
  const { line, arrived, send } = stand(['0s:lossRatio=0.5'])
  line.advance(1000)
  for (let name = 0; name < 400; name += 1) {
    send('down', name, 1000)
    send('up', name, 1000)
  }
  line.advance(1000)
  const names = (wanted: Way) => arrived.flatMap(({ way, name }) => (way === wanted ? [name] : []))
  t.notDeepEqual(names('down'), names('up'))
})

test('another profile replaces everything but whether the line is up', (t) => {
  const { line } = stand(['0s:up:cut', '1s:profile=3g'])
  line.advance(2000)
  t.like(line.up.settings, { ...PROFILES['3g'].up, up: false })
  line.apply({ atMs: 0, directions: ['down'], profile: 'fibre', settings: {}, rebind: false }, 2000)
  t.is(line.down.settings.burstLoss, undefined)
  t.is(line.down.settings.rateBps, 100e6)
})

test('a timetable that leads to a rate without a queue is refused at the start', (t) => {
  const error = t.throws(() => stand(['1s:profile=3g', '2s:profile=perfect,rateBps=64k']))
  t.true(error instanceof RangeError)
  t.regex(error?.message ?? '', /at 2000 ms, down: .* queue/)
})

test('a change that cannot be changes nothing', (t) => {
  const { line } = stand([])
  const change = { atMs: 0, directions: ['down', 'up'] as const, settings: { rateBps: 9 } }
  t.throws(() => line.apply({ ...change, rebind: false }, 0), { instanceOf: RangeError })
  t.is(line.down.settings.rateBps, 0)
})

test('a new rate moves what waits: bytes leave at the rate of their time, in order', (t) => {
  const link = new Link<number>(
    { ...PERFECT, overheadBytes: 0, rateBps: 80_000, queueBytes: 1e5 },
    1,
  )
  // 10 packets of 1,000 bytes: 100 ms each. After 250 ms 7.5 wait; at half the rate they take 1,500 ms.
  for (let name = 0; name < 10; name += 1) link.send(name, 1000, 0)
  const arrivals: number[] = []
  const collect = (_: number, atMs: number) => arrivals.push(Math.round(atMs))
  link.poll(250, collect)
  link.change({ rateBps: 40_000 }, 250)
  t.is(Math.round(link.queuedBytes(250)), 7500)
  link.poll(Number.POSITIVE_INFINITY, collect)
  t.deepEqual(arrivals, [100, 200, 350, 550, 750, 950, 1150, 1350, 1550, 1750])
})

test('when the rate goes away what waits leaves at once', (t) => {
  const link = new Link<number>({ ...PERFECT, rateBps: 8000, queueMs: 60_000 }, 1)
  for (let name = 0; name < 5; name += 1) link.send(name, 972, 0)
  link.change({ rateBps: 0 }, 10)
  t.is(link.nextDeadlineMs(), 10)
  const arrived: number[] = []
  link.poll(10, (name) => arrived.push(name))
  t.deepEqual(arrived, [0, 1, 2, 3, 4])
})

test('changes of rate neither lose nor reorder nor create packets', (t) => {
  const change = fc.record({ rateBps: fc.constantFrom(0, 64e3, 1e6), waitMs: fc.nat(300) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), fc.nat(50), (changes, jitterMs) => {
      const settings = { ...PERFECT, rateBps: 256e3, queueBytes: 1e6, jitterMs, delayMs: 20 }
      const link = new Link<number>(settings, 3)
      const seen: number[] = []
      let nowMs = 0
      let name = 0
      for (const { rateBps, waitMs } of changes) {
        for (let count = 0; count < 5; count += 1, name += 1) link.send(name, 500, nowMs)
        nowMs += waitMs
        link.poll(nowMs, (item) => seen.push(item))
        link.change({ rateBps }, nowMs)
      }
      link.poll(Number.POSITIVE_INFINITY, (item) => seen.push(item))
      t.deepEqual(seen, [...Array(name).keys()])
    }),
  )
})

test('a queue in ms bounds the wait whatever the size', (t) => {
  const link = new Link<number>({ ...PERFECT, rateBps: 64_000, queueMs: 200 }, 1)
  let waitMs = 0
  for (let name = 0; name < 500; name += 1) {
    if (link.send(name, 100, name) === undefined) waitMs = Math.max(waitMs, link.counters.queueMs)
  }
  t.true(waitMs > 180 && waitMs <= 200, `${waitMs}`)
  t.is(link.takeQueuePeakMs(), waitMs)
  t.is(link.takeQueuePeakMs(), 0)
})

test('packets and bytes on their way are bounded, by a reason of its own', (t) => {
  const many = new Link<number>({ ...PERFECT, delayMs: 1000 }, 1)
  for (let name = 0; name < LINE_FLIGHTS_MAX; name += 1) many.send(name, 1, 0)
  t.is(many.send(0, 1, 0), 'emulator-full')
  many.poll(1000, () => {})
  t.is(many.send(0, 1, 1000), undefined)
  const large = new Link<number>({ ...PERFECT, delayMs: 1000 }, 1)
  const half = LINE_FLIGHT_BYTES_MAX / 2
  t.deepEqual(
    [1, 2, 3].map((name) => large.send(name, half, 0)),
    [undefined, undefined, 'emulator-full'],
  )
})

test('buckets add up to the counters and leave out silence', (t) => {
  const link = new Link<number>({ ...PERFECT, rateBps: 1e6, queueMs: 100, lossRatio: 0.1 }, 4)
  const rows: Bucket[] = []
  const series = new Series(link, 500, (row) => rows.push(row))
  let arrivedBytes = 0
  for (let nowMs = 500; nowMs < 3500; nowMs += 5) {
    series.advance(nowMs)
    link.poll(nowMs, () => {
      arrivedBytes += 1000
    })
    if (nowMs < 1500 || nowMs > 3000) link.send(nowMs, 1000, nowMs)
  }
  series.end(3510)
  const sum = (key: keyof Bucket) => rows.reduce((total, row) => total + row[key], 0)
  const { counters } = link
  t.is(sum('packetsIn'), counters.packetsIn)
  t.is(sum('packetsOut'), counters.packetsOut)
  t.is(sum('lost'), counters.dropped.lost)
  t.is(sum('queueFull'), counters.dropped['queue-full'])
  const bits = rows.reduce((total, row) => total + (row.deliveredBps * row.widthMs) / 1000, 0)
  t.true(Math.abs(bits - arrivedBytes * 8) < rows.length)
  t.true(rows.every(({ queueMs }) => queueMs <= 110))
  t.deepEqual(
    rows.map(({ atMs }) => atMs).filter((atMs) => atMs > 1300 && atMs < 2400),
    [],
  )
})

test('rows become twice as wide after a bounded number', (t) => {
  const link = new Link<number>(PERFECT, 1)
  const widths = new Map<number, number>()
  const series = new Series(link, 0, ({ widthMs }) =>
    widths.set(widthMs, (widths.get(widthMs) ?? 0) + 1),
  )
  const endMs = SERIES_ROWS_PER_WIDTH * (200 + 400) + 8000
  for (let nowMs = 0; nowMs <= endMs; nowMs += 200) {
    link.send(1, 1, nowMs)
    series.advance(nowMs + 1)
  }
  t.is(widths.get(200), SERIES_ROWS_PER_WIDTH)
  t.is(widths.get(400), SERIES_ROWS_PER_WIDTH)
  t.true((widths.get(800) ?? 0) > 5)
})

test('lateness has percentiles within its bins and an exact maximum', (t) => {
  const lateness = new Lateness()
  t.is(lateness.percentileMs(0.99), 0)
  for (let index = 0; index < 1000; index += 1) lateness.add(index / 100 - 0.5)
  t.true(Math.abs(lateness.percentileMs(0.5) - 4.5) < 0.06)
  t.true(Math.abs(lateness.percentileMs(0.99) - 9.4) < 0.06)
  lateness.add(1000)
  lateness.add(-1000)
  t.is(lateness.maxMs, 1000)
  t.is(lateness.count, 1002)
  t.true(lateness.percentileMs(1) <= 101)
})
