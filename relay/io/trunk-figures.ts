/** The figures of the trunk thread summed over its restarts: counters go on, what is of now begins anew. */
import type { TrunkThreadFigures } from './trunk-thread-protocol.ts'

const COUNTERS = [
  'receivedPackets',
  'receivedBytes',
  'sentPackets',
  'sentBytes',
  'tunnelledPackets',
  'roams',
  'faults',
] as const satisfies readonly (keyof TrunkThreadFigures)[]

/** One per host. */
export class FigureTotals {
  #ended: TrunkThreadFigures | undefined
  #now: TrunkThreadFigures | undefined

  take(figures: TrunkThreadFigures): void {
    this.#now = figures
  }

  /** The thread has ended. */
  end(): void {
    const sum = this.sum()
    this.#now = undefined
    if (sum === undefined) return
    this.#ended = { ...sum, trunks: 0, routes: 0, sendQueue: 0, stallMs: 0, cpuRatio: 0 }
  }

  /** undefined before the first figures. */
  sum(): TrunkThreadFigures | undefined {
    const ended = this.#ended
    const now = this.#now
    if (ended === undefined || now === undefined) return now ?? ended
    const sum = { ...now, drops: now.drops.map((count, code) => count + ended.drops[code]!) }
    for (const key of COUNTERS) sum[key] += ended[key]
    return sum
  }
}
