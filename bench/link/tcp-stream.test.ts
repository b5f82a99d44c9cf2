import test from 'ava'
import fc from 'fast-check'
import { STREAM_UNREAD_BYTES_MAX, STREAM_WINDOW_BYTES_MAX } from '../../config/limits.ts'
import { type Cargo, Link, type LinkSettings, PERFECT, TcpStream } from './index.ts'

type Ends = { bytes: number[]; events: string[]; endMs: number; takes: boolean }

/** A stream between two links under a virtual clock; `runUntil` drives everything that is due. */
function stand(settings: Partial<LinkSettings> = {}, seed = 1) {
  const forward = new Link<Cargo>({ ...PERFECT, ...settings }, seed)
  const back = new Link<Cargo>({ ...PERFECT, delayMs: settings.delayMs ?? 0 }, seed + 1)
  const far: Ends = { bytes: [], events: [], endMs: 0, takes: true }
  let nowMs = 0
  const stream = new TcpStream(forward, back, {
    onOpen: () => far.events.push(`open ${Math.round(nowMs)}`),
    write: (bytes) => {
      for (const byte of bytes) far.bytes.push(byte)
      return far.takes
    },
    onEnd: () => {
      far.events.push('end')
      far.endMs = nowMs
    },
    onReset: (why) => far.events.push(why),
    onRoom: () => far.events.push('room'),
  })
  const runUntil = (untilMs: number): void => {
    for (let steps = 0; steps < 1e6; steps += 1) {
      const next = Math.min(
        forward.nextDeadlineMs(),
        back.nextDeadlineMs(),
        stream.nextDeadlineMs(),
      )
      if (next > untilMs) break
      nowMs = Math.max(nowMs, next)
      forward.poll(nowMs, (cargo, atMs) => cargo.arrive(atMs))
      back.poll(nowMs, (cargo, atMs) => cargo.arrive(atMs))
      stream.tick(nowMs)
    }
    nowMs = untilMs
  }
  return { forward, back, stream, far, runUntil, now: () => nowMs }
}

const pattern = (count: number) => Uint8Array.from({ length: count }, (_, index) => index % 251)

test('a handshake, the bytes in order, and the end', (t) => {
  const { stream, far, runUntil } = stand({ delayMs: 50 })
  stream.open(0)
  stream.allow(0)
  stream.offer(pattern(5000), 0)
  stream.end(0)
  runUntil(99)
  t.deepEqual(far.bytes.length, 0)
  runUntil(10_000)
  t.deepEqual(Uint8Array.from(far.bytes), pattern(5000))
  t.deepEqual(far.events, ['open 50', 'end'])
  t.is(far.endMs, 150)
  t.true(stream.isDone())
})

test('data waits for both halves of the handshake', (t) => {
  const { stream, far, runUntil } = stand({ delayMs: 10 })
  stream.open(0)
  stream.offer(pattern(10), 0)
  runUntil(1000)
  t.is(far.bytes.length, 0)
  stream.allow(1000)
  runUntil(1010)
  t.is(far.bytes.length, 10)
})

test('whatever is lost, the bytes come whole, in order and once', (t) => {
  const settings = fc.record({
    lossRatio: fc.double({ min: 0, max: 0.3, noNaN: true }),
    duplicateRatio: fc.double({ min: 0, max: 0.3, noNaN: true }),
    delayMs: fc.integer({ min: 0, max: 300 }),
    jitterMs: fc.integer({ min: 0, max: 50 }),
    reorder: fc.boolean(),
    rateBps: fc.constantFrom(0, 64_000, 2_000_000),
    queueBytes: fc.integer({ min: 4000, max: 60_000 }),
    mtuBytes: fc.constantFrom(0, 576),
  })
  fc.assert(
    fc.property(
      settings,
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer(),
      (given, size, seed) => {
        const { stream, far, runUntil } = stand(given, seed)
        stream.open(0)
        stream.allow(0)
        stream.offer(pattern(size), 0)
        stream.end(0)
        runUntil(3_600_000)
        t.deepEqual(Uint8Array.from(far.bytes), pattern(size))
        t.is(far.events.at(-1), 'end')
        return stream.isDone()
      },
    ),
    { numRuns: 60 },
  )
})

test('a loss costs about one round trip more, not a timeout, while others follow', (t) => {
  const { forward, stream, far, runUntil, now } = stand({ delayMs: 100 })
  stream.open(0)
  stream.allow(0)
  runUntil(500)
  forward.change({ lossRatio: 1 }, now())
  stream.offer(pattern(1448), 500)
  forward.change({ lossRatio: 0 }, now())
  stream.offer(pattern(1448 * 5), 500)
  stream.end(500)
  runUntil(10_000)
  t.is(far.endMs, 800)
  t.is(stream.counters.timeouts, 0)
  t.is(stream.counters.retransmissions, 1)
})

test('it keeps the rate of the line and shares it by its window', (t) => {
  const { stream, far, runUntil } = stand({ rateBps: 1e6, queueBytes: 37_500, delayMs: 20 })
  stream.open(0)
  stream.allow(0)
  stream.offer(pattern(1_000_000), 0)
  stream.end(0)
  runUntil(60_000)
  t.is(far.bytes.length, 1_000_000)
  const goodputBps = (1_000_000 * 8000) / far.endMs
  // Of 1,500 bytes on the wire 1,448 are payload.
  t.true(goodputBps > 0.93e6 && goodputBps < 0.966e6, `${goodputBps}`)
})

test('an outage is a stall: it goes on after at most the doubled timeout', (t) => {
  const { forward, back, stream, far, runUntil, now } = stand({ delayMs: 20 })
  stream.open(0)
  stream.allow(0)
  runUntil(100)
  forward.change({ up: false }, now())
  back.change({ up: false }, now())
  stream.offer(pattern(100_000), 100)
  runUntil(3000)
  t.is(far.bytes.length, 0)
  forward.change({ up: true }, now())
  back.change({ up: true }, now())
  stream.end(3000)
  runUntil(7000)
  t.is(far.bytes.length, 100_000)
  t.true(far.endMs < 3000 + 3400 + 500, `${far.endMs}`)
})

test('a line that stays dead ends the connection after the bounded number of tries', (t) => {
  const { stream, far, runUntil } = stand({ lossRatio: 1 })
  stream.open(0)
  runUntil(3_600_000)
  t.deepEqual(far.events, ['timeout'])
  t.true(stream.isDone())
})

test('a far end that does not read stops the sender within bounds, and draining goes on', (t) => {
  const { stream, far, runUntil, now } = stand({ delayMs: 5 })
  stream.open(0)
  stream.allow(0)
  far.takes = false
  let offered = 0
  for (let step = 0; step < 2000; step += 1) {
    if (stream.wantsMore()) {
      stream.offer(pattern(10_000), now())
      offered += 10_000
    }
    runUntil(now() + 5)
  }
  t.false(stream.wantsMore())
  t.is(far.bytes.length, 1448)
  t.true(offered < STREAM_UNREAD_BYTES_MAX + STREAM_WINDOW_BYTES_MAX + 200_000, `${offered}`)
  far.takes = true
  stream.drained(now())
  stream.end(now())
  runUntil(now() + 5000)
  t.is(far.bytes.length, offered)
  t.true(far.events.includes('room'))
})

test('a reset overtakes what waits and survives loss', (t) => {
  const { forward, stream, far, runUntil, now } = stand({ delayMs: 20 })
  stream.open(0)
  stream.allow(0)
  runUntil(100)
  forward.change({ lossRatio: 1 }, now())
  stream.offer(pattern(5000), 100)
  stream.reset(100)
  stream.reset(100)
  runUntil(150)
  forward.change({ lossRatio: 0 }, now())
  runUntil(5000)
  t.true(far.events.includes('reset'))
})
