import test from 'ava'
import fc from 'fast-check'
import { RTCP_FEEDBACK_STATUSES_MAX, RTCP_ITEMS_MAX } from '../../../config/limits.ts'
import { DROP_CODE } from '../rtp/index.ts'
import { RtcpParser, RtcpWriter } from './index.ts'
import { createRecorder } from './recorder.ts'

const MALFORMED = DROP_CODE['rtcp-malformed']
const OVER_LIMIT = DROP_CODE['rtcp-over-limit']

function parse(...bytes: number[]): { code: number; calls: unknown[][] } {
  const recorder = createRecorder()
  const code = new RtcpParser(recorder).parse(Uint8Array.from(bytes), 0, bytes.length)
  return { code, calls: recorder.calls }
}

/** A packet with its length field right; `body` is what follows the first four bytes. */
function packetOf(first: number, type: number, body: number[]): number[] {
  const words = body.length / 4
  return [first, type, words >>> 8, words & 0xff, ...body]
}

const PLI = packetOf(0x81, 206, [0, 0, 0, 1, 0, 0, 0, 2])
const ADDRESSES = [0, 0, 0, 1, 0, 0, 0, 2]

test('reduced-size compounds are accepted (RFC 5506)', (t) => {
  t.deepEqual(parse(...PLI), { code: 0, calls: [['pli', 2]] })
})

test('a compound with a lie anywhere is refused whole', (t) => {
  const longer = [...PLI]
  longer[3] = 3
  const older = [...PLI]
  older[0] = 0x41
  for (const last of [longer, older, PLI.slice(0, 11), [0x80], [0x80, 206, 0xff, 0xff]]) {
    t.deepEqual(parse(...PLI, ...last), { code: MALFORMED, calls: [] })
  }
  t.is(parse().code, MALFORMED)
  t.is(parse(0x80, 201, 0, 0).code, MALFORMED)
  const parser = new RtcpParser(createRecorder())
  t.is(parser.parse(Uint8Array.from(PLI), 0, 13), MALFORMED)
  t.is(parser.parse(Uint8Array.from(PLI), -1, 12), MALFORMED)
})

test('padding belongs to the last packet and fits in it', (t) => {
  const padded = [...packetOf(0xa1, 206, [...ADDRESSES, 0, 0, 0, 4])]
  t.deepEqual(parse(...PLI, ...padded), {
    code: 0,
    calls: [
      ['pli', 2],
      ['pli', 2],
    ],
  })
  t.is(parse(...padded, ...PLI).code, MALFORMED)
  for (const count of [0, 13, 255]) {
    const lying = [...padded]
    lying[15] = count
    t.is(parse(...lying).code, MALFORMED)
  }
})

test('unknown types and formats are skipped, the rest is used', (t) => {
  const unknown = [
    ...packetOf(0x80, 207, [1, 2, 3, 4]),
    ...packetOf(0x80, 250, []),
    ...packetOf(0x9e, 205, ADDRESSES),
    ...packetOf(0x9e, 206, ADDRESSES),
    ...packetOf(0x8f, 206, [...ADDRESSES, 1, 2, 3, 4, 5, 6, 7, 8]),
  ]
  t.deepEqual(parse(...unknown, ...PLI), { code: 0, calls: [['pli', 2]] })
})

test('counts that their packet does not hold are malformed, what stands beside them is used', (t) => {
  const lies = [
    packetOf(0x81, 200, new Array(24).fill(0)),
    packetOf(0x80, 200, new Array(20).fill(0)),
    packetOf(0x81, 201, [0, 0, 0, 1]),
    packetOf(0x9f, 201, new Array(28).fill(0)),
    packetOf(0x82, 203, [0, 0, 0, 1]),
    packetOf(0x81, 205, [0, 0, 0, 1]),
    packetOf(0x81, 206, [0, 0, 0, 1]),
    packetOf(0x81, 202, [0, 0, 0, 1]),
    packetOf(0x81, 202, [0, 0, 0, 1, 1, 200, 65, 65]),
    packetOf(0x81, 202, [0, 0, 0, 1, 2, 1, 65, 1]),
    packetOf(0x8f, 206, [...ADDRESSES, 0x52, 0x45, 0x4d, 0x42, 9, 4, 1, 1]),
  ]
  for (const lie of lies) {
    const { code, calls } = parse(...lie, ...PLI)
    t.is(code, MALFORMED, lie.join(' '))
    t.deepEqual(calls.at(-1), ['pli', 2])
  }
})

test('REMB of 0 is ignored and one of 2^63 and more is cut', (t) => {
  const remb = (exponent: number, mantissa: number) =>
    packetOf(0x8f, 206, [
      ...ADDRESSES,
      0x52,
      0x45,
      0x4d,
      0x42,
      0,
      (exponent << 2) | (mantissa >>> 16),
      (mantissa >>> 8) & 0xff,
      mantissa & 0xff,
    ])
  t.deepEqual(parse(...remb(0, 0)), { code: OVER_LIMIT, calls: [] })
  t.deepEqual(parse(...remb(63, 0)), { code: OVER_LIMIT, calls: [] })
  t.deepEqual(parse(...remb(0, 1)), { code: 0, calls: [['remb', 1]] })
  t.deepEqual(parse(...remb(63, 1)), { code: 0, calls: [['remb', 10_000_000_000]] })
  t.deepEqual(parse(...remb(63, 0x3ffff)), { code: 0, calls: [['remb', 10_000_000_000]] })
})

test('a NACK for 65,536 numbers causes no more than the budget', (t) => {
  const pairs = Array.from({ length: 4_000 }, () => [0, 0, 0xff, 0xff]).flat()
  const { code, calls } = parse(...packetOf(0x81, 205, [...ADDRESSES, ...pairs]))
  t.is(code, OVER_LIMIT)
  t.is(calls.length, RTCP_ITEMS_MAX)
  const exact = Array.from({ length: RTCP_ITEMS_MAX }, (_, index) => [
    index >>> 8,
    index & 255,
    0,
    0,
  ])
  t.is(parse(...packetOf(0x81, 205, [...ADDRESSES, ...exact.flat()])).code, 0)
})

test('a storm of any feedback in one datagram causes no more than the budget', (t) => {
  const storms = [
    Array.from({ length: 2_000 }, () => PLI).flat(),
    packetOf(0x84, 206, [...ADDRESSES, ...new Array(8 * 1_500).fill(1)]),
    Array.from({ length: 100 }, () => packetOf(0x9f, 203, new Array(124).fill(1))).flat(),
    Array.from({ length: 100 }, () => packetOf(0x9f, 201, new Array(4 + 24 * 31).fill(1))).flat(),
  ]
  for (const storm of storms) {
    const { code, calls } = parse(...storm)
    t.is(code, OVER_LIMIT)
    t.is(calls.length, RTCP_ITEMS_MAX)
  }
})

test('what goes over the budget in one datagram does not reach into the next', (t) => {
  const recorder = createRecorder()
  const parser = new RtcpParser(recorder)
  const storm = Uint8Array.from(Array.from({ length: 2_000 }, () => PLI).flat())
  t.is(parser.parse(storm, 0, storm.length), OVER_LIMIT)
  t.is(parser.parse(Uint8Array.from(PLI), 0, PLI.length), 0)
})

/** Feedback in which every status is "lost", by run length: 24 bytes however many. */
function runOf(statusCount: number): number[] {
  const chunks: number[] = []
  for (let left = statusCount; left > 0; left -= 8_191) {
    const run = Math.min(8_191, left)
    chunks.push(run >>> 8, run & 0xff)
  }
  while (chunks.length % 4 !== 0) chunks.push(0)
  const head = [0, 7, statusCount >>> 8, statusCount & 0xff, 0, 0, 1, 9]
  return packetOf(0x8f, 205, [...ADDRESSES, ...head, ...chunks])
}

test('run-length bombs: one feedback or many, no datagram expands to more than the limit', (t) => {
  t.is(parse(...runOf(RTCP_FEEDBACK_STATUSES_MAX)).code, 0)
  t.is(parse(...runOf(RTCP_FEEDBACK_STATUSES_MAX + 1)).code, OVER_LIMIT)
  t.is(parse(...runOf(65_535)).code, OVER_LIMIT)
  const many = parse(...Array.from({ length: 50 }, () => runOf(4_000)).flat())
  t.is(many.code, OVER_LIMIT)
  t.is(many.calls.length, 2)
})

test('transport-wide feedback without statuses, with reserved ones or with missing deltas is refused', (t) => {
  const feedback = (count: number, ...rest: number[]) =>
    parse(...packetOf(0x8f, 205, [...ADDRESSES, 0, 1, 0, count, 0, 0, 1, 9, ...rest])).code
  t.is(feedback(0, 0, 0, 0, 0), MALFORMED)
  t.is(feedback(1, 0x60, 1, 0, 0), MALFORMED)
  t.is(feedback(1, 0xf0, 0, 0, 0), MALFORMED)
  t.is(feedback(1, 0x20, 0, 0, 0), MALFORMED)
  t.is(feedback(3, 0x20, 3, 1, 2), MALFORMED)
  t.is(feedback(2, 0x20, 2, 1, 2), 0)
  t.is(feedback(200, 0x20, 2, 1, 2), MALFORMED)
  t.is(parse(...packetOf(0x8f, 205, ADDRESSES)).code, MALFORMED)
})

test('feedback statuses are read over the wrap with all kinds of chunks and negative deltas', (t) => {
  const recorder = createRecorder()
  const bytes = Uint8Array.from(
    packetOf(0x8f, 205, [
      ...ADDRESSES,
      ...[0xff, 0xfe, 0, 12, 0xff, 0xff, 0xff, 255],
      ...[0x20, 2, 0xd8, 0x00, 0xa0, 0x00],
      ...[1, 2, 3, 0xff, 0xfe, 4],
    ]),
  )
  t.is(new RtcpParser(recorder).parse(bytes, 0, bytes.length), 0)
  const statuses = recorder.calls[0]?.[2] as unknown[]
  t.is(statuses.length, 12)
  t.deepEqual(statuses.slice(0, 5), [
    [65_534, true, -255],
    [65_535, true, -253],
    [0, true, -250],
    [1, true, -252],
    [2, false, 0],
  ])
  t.deepEqual(statuses.slice(9), [
    [7, true, -248],
    [8, false, 0],
    [9, false, 0],
  ])
})

test('any bytes are parsed or refused, and never read beyond their end', (t) => {
  const type = fc.constantFrom(200, 201, 202, 203, 205, 206)
  const packets = fc.array(
    fc
      .tuple(fc.nat(63), type, fc.uint8Array({ maxLength: 60 }))
      .map(([first, kind, body]) =>
        packetOf(0x80 | (first & 0x1f), kind, [...body.subarray(0, body.length & ~3)]),
      ),
    { maxLength: 4 },
  )
  fc.assert(
    fc.property(packets, (list) => {
      const bytes = list.flat()
      const within = [0x00, 0xff].map((fill) => {
        const buffer = new Uint8Array(bytes.length + 80).fill(fill)
        buffer.set(bytes, 40)
        const recorder = createRecorder()
        const code = new RtcpParser(recorder).parse(buffer, 40, 40 + bytes.length)
        return { code, calls: recorder.calls }
      })
      t.deepEqual(within[0], within[1])
    }),
    { numRuns: 1_000 },
  )
})

test('a writer can be used while a parser reads: they share nothing', (t) => {
  const out = new Uint8Array(100)
  const writer = new RtcpWriter()
  const recorder = createRecorder()
  recorder.onPli = (mediaSsrc) => {
    writer.reset(out, 0, 100)
    writer.pli(9, mediaSsrc + 1)
    recorder.calls.push(['pli', mediaSsrc])
  }
  const bytes = Uint8Array.from([...PLI, ...PLI])
  t.is(new RtcpParser(recorder).parse(bytes, 0, bytes.length), 0)
  t.deepEqual(recorder.calls, [
    ['pli', 2],
    ['pli', 2],
  ])
})
