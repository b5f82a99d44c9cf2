import test from 'ava'
import fc from 'fast-check'
import { createRandom } from '../../bench/link/index.ts'
import { PARITY_EQUATIONS_MAX, PARITY_KEPT, PARITY_SPAN } from '../../config/limits.ts'
import { ParityDecoder, ParityEncoder } from './index.ts'
import { PARITY_OVERHEAD_BYTES_MAX } from './parity-code.ts'

type Recovered = Map<number, string>

function decoderInto(recovered: Recovered): ParityDecoder {
  return new ParityDecoder({
    recovered: (index, bytes, start, end) =>
      void recovered.set(index, Buffer.from(bytes.subarray(start, end)).toString('hex')),
  })
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function write(encoder: ParityEncoder): Uint8Array {
  const out = new Uint8Array(encoder.bodyBytesMax() + 3)
  return out.slice(3, encoder.write(out, 3))
}

function payloads(seed: number, count: number, sizeMax = 1_200): Uint8Array[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, () =>
    Uint8Array.from({ length: 1 + Math.floor(random.next() * sizeMax) }, () =>
      Math.floor(random.next() * 256),
    ),
  )
}

test('one parity brings back any one of the datagrams that it covers, with its length', (t) => {
  const sent = payloads(1, 8)
  for (let lost = 0; lost < 8; lost++) {
    const encoder = new ParityEncoder()
    encoder.configure(8, 8)
    const recovered: Recovered = new Map()
    const decoder = decoderInto(recovered)
    sent.forEach((payload, place) => {
      const index = 2 ** 40 + place
      encoder.protect(index, payload, 0, payload.length, 0)
      if (place !== lost) decoder.onDatagram(index, payload, 0, payload.length)
    })
    t.true(encoder.isDue(0))
    const body = write(encoder)
    decoder.onParity(2 ** 40 + 8, body, 0, body.length)
    t.deepEqual([...recovered], [[2 ** 40 + lost, hex(sent[lost]!)]])
  }
})

// The Cauchy property: over one window any r parities repair any r losses.
test('as many parities as losses always repair a window, in whatever order they come', (t) => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer(),
        base: fc.integer({ min: 0, max: 2 ** 47 }),
        count: fc.integer({ min: 1, max: 24 }),
        losses: fc.integer({ min: 1, max: 6 }),
        firstRow: fc.integer({ min: 0, max: 127 }),
      }),
      ({ seed, base, count, losses, firstRow }) => {
        const random = createRandom(seed)
        const sent = payloads(seed, count, 200)
        const lost = new Set<number>()
        while (lost.size < Math.min(losses, count)) lost.add(Math.floor(random.next() * count))
        const encoder = new ParityEncoder()
        encoder.configure(count, count)
        sent.forEach((payload, place) => {
          encoder.protect(base + place, payload, 0, payload.length, 0)
        })
        for (let row = 0; row < firstRow; row++) write(encoder)
        const events: (() => void)[] = []
        const recovered: Recovered = new Map()
        const decoder = decoderInto(recovered)
        for (let number = 0; number < lost.size; number++) {
          const body = write(encoder)
          t.true(
            body.length <=
              Math.max(...sent.map(({ length }) => length)) + PARITY_OVERHEAD_BYTES_MAX,
          )
          events.push(() => decoder.onParity(base + count + number, body, 0, body.length))
        }
        sent.forEach((payload, place) => {
          if (!lost.has(place)) {
            events.push(() => decoder.onDatagram(base + place, payload, 0, payload.length))
          }
        })
        for (const event of shuffled(events, random.next)) event()
        t.is(decoder.refusedCount, 0)
        t.deepEqual(
          [...recovered].sort((a, b) => a[0] - b[0]),
          [...lost].sort((a, b) => a - b).map((place) => [base + place, hex(sent[place]!)]),
        )
      },
    ),
    { numRuns: 300 },
  )
})

function shuffled<T>(list: T[], next: () => number): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j]!, copy[i]!]
  }
  return copy
}

test('over a sliding window what is recovered is right, whatever is lost or late', (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), (seed, every) => {
      const random = createRandom(seed)
      const sent = payloads(seed, 300, 60)
      const encoder = new ParityEncoder()
      encoder.configure(every, 20)
      const recovered: Recovered = new Map()
      const decoder = decoderInto(recovered)
      const late: (() => void)[] = []
      let index = 65_400
      const indexes: number[] = []
      for (const payload of sent) {
        const mine = index++
        indexes.push(mine)
        encoder.protect(mine, payload, 0, payload.length, 0)
        const arrive = () => decoder.onDatagram(mine, payload, 0, payload.length)
        const fate = random.next()
        if (fate > 0.2) arrive()
        else if (fate > 0.1) late.push(arrive)
        if (late.length > 3) late.shift()?.()
        if (!encoder.isDue(0)) continue
        const body = write(encoder)
        const carrier = index++
        if (random.next() > 0.1) decoder.onParity(carrier, body, 0, body.length)
      }
      t.is(decoder.refusedCount, 0)
      t.is(decoder.recoveredCount, recovered.size)
      for (const [at, bytes] of recovered) t.is(bytes, hex(sent[indexes.indexOf(at)]!))
      if (every <= 2) t.true(recovered.size > 20)
    }),
    { numRuns: 60 },
  )
})

test('parity that comes late is due after a while even when too few datagrams came', (t) => {
  const encoder = new ParityEncoder()
  t.is(encoder.nextDeadlineMs(), Number.POSITIVE_INFINITY)
  encoder.configure(4, 8)
  encoder.protect(1, Uint8Array.of(1), 0, 1, 1_000)
  t.false(encoder.isDue(1_149))
  t.is(encoder.nextDeadlineMs(), 1_150)
  t.true(encoder.isDue(1_150))
  t.true(write(encoder).length > 0)
  t.false(encoder.isDue(2_000))
})

test('a window never reaches further back than the mask', (t) => {
  const encoder = new ParityEncoder()
  encoder.configure(3, 64)
  encoder.protect(1, Uint8Array.of(1), 0, 1, 0)
  encoder.protect(PARITY_SPAN, Uint8Array.of(2), 0, 1, 0)
  encoder.protect(PARITY_SPAN + 1, Uint8Array.of(4), 0, 1, 0)
  const body = write(encoder)
  t.is(body[3], 1)
  t.is(body[4], 3)
})

test('hostile parity and datagrams neither throw nor grow nor stop the decoder', (t) => {
  const random = createRandom(7)
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.nat(400),
      fc.boolean(),
      (bytes, step, long) => {
        const recovered: Recovered = new Map()
        const decoder = decoderInto(recovered)
        let index = 0
        for (let turn = 0; turn < 50; turn++) {
          index += Math.floor(random.next() * (step + 1)) - 3
          const body = long ? Buffer.concat([bytes, Buffer.alloc(1_800, turn)]) : bytes
          // A plausible head, so that the fuzz gets behind the first check.
          const plausible = Uint8Array.from(body)
          if (plausible.length > 4 && turn % 2 === 0) {
            plausible[1] = (index >> 8) & 0xff
            plausible[2] = index & 0xff
            plausible[3] = 1 + (turn % 8)
          }
          decoder.onParity(Math.max(0, index), plausible, 0, plausible.length)
          if (turn % 3 === 0) decoder.onDatagram(Math.max(0, index), body, 0, body.length)
        }
        t.true([...recovered.values()].every(({ length }) => length > 0 && length <= 3_000))
      },
    ),
    { numRuns: 400 },
  )
})

test('more unsolvable parities than are kept push the oldest out, and the newest still help', (t) => {
  const recovered: Recovered = new Map()
  const decoder = decoderInto(recovered)
  const encoder = new ParityEncoder()
  const one = Uint8Array.of(9)
  let index = 0
  // Two losses each, one parity: none can be solved.
  for (let group = 0; group < PARITY_EQUATIONS_MAX + 2; group++) {
    encoder.configure(2, 2)
    encoder.protect(index++, one, 0, 1, 0)
    encoder.protect(index++, one, 0, 1, 0)
    const body = write(encoder)
    decoder.onParity(index++, body, 0, body.length)
  }
  t.is(recovered.size, 0)
  const body = write(encoder)
  decoder.onParity(index, body, 0, body.length)
  t.deepEqual(
    [...recovered.keys()].sort((a, b) => a - b),
    [index - 3, index - 2],
  )
  const oldest = decoder.refusedCount
  const old = Uint8Array.from(body)
  decoder.onDatagram(index + PARITY_KEPT, one, 0, 1)
  decoder.onParity(index, old, 0, old.length)
  t.is(decoder.refusedCount, oldest + 1)
})

test('a parity that contradicts the datagrams recovers nothing', (t) => {
  const recovered: Recovered = new Map()
  const decoder = decoderInto(recovered)
  const encoder = new ParityEncoder()
  encoder.configure(2, 2)
  encoder.protect(5, Uint8Array.of(1, 2, 3), 0, 3, 0)
  encoder.protect(6, Uint8Array.of(4, 5), 0, 2, 0)
  const body = write(encoder)
  decoder.onDatagram(5, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 0, 8)
  decoder.onParity(7, body, 0, body.length)
  t.is(recovered.size, 0)
  t.is(decoder.refusedCount, 1)
})
