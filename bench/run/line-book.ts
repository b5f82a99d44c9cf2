/**
 * What the lines of one link did, put together: counters added up, and one row a second of what all of them carried.
 * Pure: told the buckets of the emulators, with times in ms since their start.
 */
import { BENCH_SAMPLES_MAX } from '../../config/limits.ts'
import type { Bucket, LinkCounters, LinkDirection } from '../link/index.ts'
import type { LinkDirectionReport } from '../report/index.ts'
import { thin } from './process-book.ts'

/** Sums of one second. */
type Second = {
  packetsIn: number
  packetsOut: number
  payloadBits: number
  notArrived: number
  queueMs: number
}

const DIRECTIONS: readonly LinkDirection[] = ['down', 'up']
const HEADER_BITS = 28 * 8

/** One per link of the scenario, however many lines it has. */
export class LineBook {
  readonly #seconds: Record<LinkDirection, Map<number, Second>> = { down: new Map(), up: new Map() }

  /** `zeroMs` is the run's zero on the emulator's own clock; what came before it is left out. */
  add(direction: LinkDirection, bucket: Bucket, zeroMs: number): void {
    const atMs = bucket.atMs - zeroMs
    if (atMs < 0) return
    const atS = Math.floor(atMs / 1000)
    const seconds = this.#seconds[direction]
    const second = seconds.get(atS) ?? emptySecond()
    seconds.set(atS, second)
    second.packetsIn += bucket.packetsIn
    second.packetsOut += bucket.packetsOut
    second.payloadBits += (bucket.deliveredBps * bucket.widthMs) / 1000
    second.notArrived += bucket.lost + bucket.queueFull + bucket.tooLarge + bucket.down
    second.queueMs = Math.max(second.queueMs, bucket.queueMs)
    if (seconds.size > 2 * BENCH_SAMPLES_MAX) this.#forget(seconds)
  }

  /** Share of what was offered that did not arrive, over the last seconds; both ways. */
  latestLossRatio(untilS: number, spanS = 3): number {
    let offered = 0
    let notArrived = 0
    for (const direction of DIRECTIONS) {
      for (let atS = Math.floor(untilS) - spanS; atS <= untilS; atS++) {
        const second = this.#seconds[direction].get(atS)
        offered += second?.packetsIn ?? 0
        notArrived += second?.notArrived ?? 0
      }
    }
    return offered === 0 ? 0 : notArrived / offered
  }

  /** `counters` of all its lines in that direction. */
  report(direction: LinkDirection, counters: readonly LinkCounters[]): LinkDirectionReport {
    const sum = (of: (counters: LinkCounters) => number): number =>
      counters.reduce((total, each) => total + of(each), 0)
    const series = columnsOf(this.#seconds[direction])
    thin([series.atS, series.bitrateBps, series.lossRatio, series.queueMs])
    return {
      packets: sum(({ packetsIn }) => packetsIn),
      bytes: sum(({ bytesIn }) => bytesIn),
      lost: sum(({ dropped }) => dropped.lost),
      overflowed: sum(({ dropped }) => dropped['queue-full']),
      series,
    }
  }

  /** Every second one, oldest half only: the newest stay whole. */
  #forget(seconds: Map<number, Second>): void {
    let index = 0
    for (const atS of [...seconds.keys()].slice(0, BENCH_SAMPLES_MAX)) {
      index += 1
      if (index % 2 === 0) seconds.delete(atS)
    }
  }
}

function columnsOf(seconds: ReadonlyMap<number, Second>): LinkDirectionReport['series'] {
  const rows = [...seconds].sort(([a], [b]) => a - b)
  return {
    atS: rows.map(([atS]) => atS),
    bitrateBps: rows.map(([, row]) => row.payloadBits + row.packetsOut * HEADER_BITS),
    lossRatio: rows.map(([, row]) => (row.packetsIn === 0 ? 0 : row.notArrived / row.packetsIn)),
    queueMs: rows.map(([, row]) => row.queueMs),
  }
}

function emptySecond(): Second {
  return { packetsIn: 0, packetsOut: 0, payloadBits: 0, notArrived: 0, queueMs: 0 }
}
