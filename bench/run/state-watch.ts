/**
 * Whether all nodes of a tree make the same of the room's log: after each end of an outage it asks until they do, and
 * says how long that took.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningNode } from './node.ts'
import type { Operator } from './operator.ts'

const EVERY_MS = 100
const PATIENCE_MS = 60_000

/** One per run. */
export class StateWatch {
  readonly #nodes: readonly RunningNode[]
  readonly #operator: Operator
  readonly #path: string
  readonly #note: (what: string) => void
  readonly #tookMs: number[] = []
  #missed = 0
  #round = 0
  #differing: number | undefined

  constructor(
    nodes: readonly RunningNode[],
    rest: { operator: Operator; room: string; note: (what: string) => void },
  ) {
    const isTree = nodes.some(({ kind }) => kind === 'relay')
    this.#nodes = isTree ? nodes : []
    this.#operator = rest.operator
    this.#path = `/api/v1/rooms/${encodeURIComponent(rest.room)}/state-hash`
    this.#note = rest.note
  }

  /** Something else happens: what it waits for may not come any more, and says nothing. */
  disturb(): void {
    this.#round += 1
  }

  /** An outage is over. Resolves when the nodes are at one, or are not for too long; never rejects. */
  async untilSame(): Promise<void> {
    if (this.#nodes.length === 0) return
    this.#round += 1
    const round = this.#round
    const sinceMs = performance.now()
    while (round === this.#round) {
      const differing = await this.#look()
      const tookMs = performance.now() - sinceMs
      if (round !== this.#round) return
      if (differing === 0) {
        this.#tookMs.push(tookMs)
        this.#note(`all nodes are at one again after ${Math.round(tookMs)} ms`)
        return
      }
      if (tookMs > PATIENCE_MS) {
        this.#missed += 1
        this.#note(`the nodes are not at one after ${PATIENCE_MS / 1000} s`)
        return
      }
      await sleep(EVERY_MS)
    }
  }

  /** Once more, at the end. */
  async last(): Promise<void> {
    this.disturb()
    if (this.#nodes.length > 0) this.#differing = await this.#look()
  }

  figures(): Record<string, number> {
    const count = this.#tookMs.length
    return {
      ...(count === 0 ? {} : { 'converged.maxMs': Math.max(...this.#tookMs) }),
      ...(count + this.#missed === 0
        ? {}
        : { 'converged.count': count, 'converged.missed': this.#missed }),
      ...(this.#differing === undefined ? {} : { 'state.differing': this.#differing }),
    }
  }

  /** Nodes that are not with the majority, or do not answer. */
  async #look(): Promise<number> {
    const hashes = await Promise.all(
      this.#nodes.map(async (node) => {
        const told = await this.#operator.ask(node, this.#path)
        return (told as { hash?: string } | undefined)?.hash ?? ''
      }),
    )
    return differingOf(hashes)
  }
}

/** How many stand apart from the largest number that agree; '' agrees with nobody. */
export function differingOf(hashes: readonly string[]): number {
  const counts = new Map<string, number>()
  for (const hash of hashes) if (hash !== '') counts.set(hash, (counts.get(hash) ?? 0) + 1)
  return hashes.length - Math.max(0, ...counts.values())
}
