/**
 * Levels of several threads as one report: whoever listens takes what a report leaves out for silent. The first
 * thread that has told lately sets the beat, the others' latest go along. Alone, a thread's reports pass as they are.
 */
import { LEVELS_FRESH_MS } from '../../config/index.ts'

type Levels = [publicationId: number, levelDbov: number][]

/** One per plane. */
export class LevelsMerge {
  readonly #latest: ({ levels: Levels; atMs: number } | undefined)[] = []

  /** What is to be told now; empty when another thread's turn will bring it. */
  take(peer: number, levels: Levels, nowMs: number): Levels {
    this.#latest[peer] = { levels, atMs: nowMs }
    const all: Levels = []
    for (let other = 0; other < this.#latest.length; other++) {
      const latest = this.#latest[other]
      if (latest === undefined || nowMs - latest.atMs > LEVELS_FRESH_MS) continue
      if (other < peer) return []
      all.push(...latest.levels)
    }
    return all
  }
}
