/**
 * What viewers behind impaired lines get to see. The first three happened before docs/adr/0012: a
 * stall over a satellite took the pictures away for 15 to 27 s, a tenth of loss took them down to
 * the base layer, and three viewers on one thin line lost half of all packets.
 */
import test from 'ava'
import { PROFILES } from '../../../bench/link/index.ts'
import {
  type LineShape,
  SharedLine,
  type ViewerSeries,
  watchOverLines,
} from './simulated-lines.fixture.ts'

const SEEDS = [1, 2, 3]
const PER_S = 10

function line(rateBps: number, down: LineShape['down'] = {}): LineShape {
  const up = { rateBps: 500e3, queueMs: 300, delayMs: 30, ...down }
  return { down: { rateBps, queueMs: 300, delayMs: 30, ...down }, up }
}

/** Share of the samples with this layer of main or a higher one, from `fromS` on. */
function shareOf({ layer }: ViewerSeries, least: number, fromS: number): number {
  const some = layer.slice(fromS * PER_S)
  return some.filter((one) => one >= least).length / some.length
}

/** Pictures a second from `fromS` on. */
function rateOf({ pictures }: ViewerSeries, fromS: number): number {
  const some = pictures.slice(fromS * PER_S)
  return (some.reduce((a, b) => a + b, 0) / some.length) * PER_S
}

/** Seconds from `fromS` until ten pictures come within a second, of this layer at least. */
function backAfterS({ pictures, layer }: ViewerSeries, fromS: number, least = 0): number {
  for (let i = fromS * PER_S; i < pictures.length; i += 1) {
    const within = pictures.slice(i, i + PER_S).reduce((a, b) => a + b, 0)
    if (within >= 10 && (layer[i] ?? -1) >= least) return i / PER_S - fromS
  }
  return Number.POSITIVE_INFINITY
}

for (const [name, down, up] of [
  ['that is cut for 10 s', { up: false }, { up: false }],
  ['that carries 50 kbit/s for 10 s', { rateBps: 50e3 }, {}],
] as const) {
  test(`a satellite line ${name}: pictures within 5 s after, the middle layer within 10 s`, (t) => {
    for (const seed of SEEDS) {
      const shape = PROFILES.vsat
      const sky = new SharedLine(shape, seed * 10)
      const changes = [
        { atMs: 20_000, line: sky, down, up },
        { atMs: 30_000, line: sky, down: shape.down, up: shape.up },
      ]
      const [seen] = watchOverLines({ lines: [sky], changes, durationMs: 45_000, heightPx: 360 })
      const back = backAfterS(seen!, 30)
      t.true(back <= 5, `seed ${seed}: pictures after ${back} s`)
      const middle = backAfterS(seen!, 30, 1)
      t.true(middle <= 10, `seed ${seed}: middle layer after ${middle} s`)
    }
  })
}

test('a tenth of constant loss: the middle layer on 2 Mbit/s stays, and the top layer where it is wanted', (t) => {
  for (const seed of SEEDS) {
    for (const [heightPx, least] of [
      [360, 1],
      [720, 2],
    ] as const) {
      const lossy = new SharedLine(
        line(2e6, { delayMs: 40, jitterMs: 5, lossRatio: 0.1 }),
        seed * 10,
      )
      const [seen] = watchOverLines({ lines: [lossy], durationMs: 40_000, heightPx })
      const share = shareOf(seen!, least, 10)
      t.true(share >= 0.8, `seed ${seed}, ${heightPx}: ${share}`)
      t.true(rateOf(seen!, 10) >= 18, `seed ${seed}, ${heightPx}: ${rateOf(seen!, 10)} a second`)
    }
  }
})

for (const [isTransportWide, overflowMost, pictures] of [
  [true, 0.01, 3],
  [false, 0.2, 0],
] as const) {
  const how = isTransportWide ? 'transport-wide feedback' : 'receiver reports alone'
  test(`three viewers on one line of 512 kbit/s, by ${how}: ${overflowMost * 100} % overflow at most`, (t) => {
    for (const seed of SEEDS) {
      const thin = new SharedLine(PROFILES.district, seed * 10)
      const seen = watchOverLines({
        lines: [thin, thin, thin],
        durationMs: 30_000,
        isTransportWide,
      })
      const { dropped, packetsIn } = thin.down.counters
      const overflow = dropped['queue-full'] / packetsIn
      t.true(overflow <= overflowMost, `seed ${seed}: ${overflow}`)
      for (const one of seen) {
        t.true(rateOf(one, 10) >= pictures, `seed ${seed}: ${rateOf(one, 10)} pictures a second`)
      }
    }
  })
}

test('200 kbit/s: the base layer is there at once, thinned to what fits, and nothing overflows', (t) => {
  for (const seed of SEEDS) {
    const thin = new SharedLine(line(200e3), seed * 10)
    const [seen] = watchOverLines({ lines: [thin], durationMs: 30_000 })
    t.true(backAfterS(seen!, 0) <= 1, `seed ${seed}: ${backAfterS(seen!, 0)} s`)
    t.true(rateOf(seen!, 5) >= 10, `seed ${seed}: ${rateOf(seen!, 5)} a second`)
    const { dropped, packetsIn } = thin.down.counters
    t.true(dropped['queue-full'] / packetsIn <= 0.005, `seed ${seed}`)
  }
})

test('8 Mbit/s: the top layer within 5 s, for good', (t) => {
  for (const seed of SEEDS) {
    const [seen] = watchOverLines({
      lines: [new SharedLine(line(8e6), seed * 10)],
      durationMs: 30_000,
    })
    t.true(shareOf(seen!, 2, 5) === 1, `seed ${seed}: ${shareOf(seen!, 2, 5)}`)
    t.true(rateOf(seen!, 5) >= 24, `seed ${seed}`)
  }
})
