/**
 * What relays say of their links over a run: asked once a second by GET /api/v1/trunk. By relay and way: what the
 * node took the line for, what it used, loss before and after repair, the queue, and the share of each class.
 */
import { BENCH_SAMPLES_MAX } from '../../config/limits.ts'
import type { SeriesReport } from '../report/index.ts'
import type { RunningNode } from './node.ts'
import type { Operator } from './operator.ts'
import { thin } from './process-book.ts'

/** One way of one link, as the node tells it; `shares` in the order of CLASSES. */
export type WayTold = {
  estimateBps: number
  usedBps: number
  lossRatio: number
  residualRatio: number
  queueDelayMs: number
  shares: number[]
}

/** What is read of the answer. */
export type LinkTold = { rttMs: number; down: WayTold; up: WayTold }

/** As TRUNK_CLASSES of relay/trunk, in words that expressions take. */
export const CLASSES = [
  'emergencyAudio',
  'stageAudio',
  'control',
  'slides',
  'mainBase',
  'otherBase',
  'enhancement',
  'catchUp',
] as const

const COLUMNS = [
  ['estimateBps', 'Estimate', 'bps'],
  ['usedBps', 'Used', 'bps'],
  ['lossRatio', 'Loss before repair', 'ratio'],
  ['residualRatio', 'Loss after repair', 'ratio'],
  ['queueDelayMs', 'Queue', 'ms'],
] as const

const WAYS = ['down', 'up'] as const

/** The rows of one relay; NaN where it was not connected, or did not say. */
class RelayRows {
  readonly atS: number[] = []
  readonly columns = new Map<string, { title: string; unit: string; values: number[] }>()

  add(atS: number, told: LinkTold | undefined): void {
    this.atS.push(atS)
    this.#put('rttMs', { title: 'Round trip', unit: 'ms', value: told?.rttMs })
    for (const way of WAYS) {
      for (const [column, title, unit] of COLUMNS) {
        const value = told?.[way][column]
        this.#put(`${way}.${column}`, { title: `${title}, ${way}`, unit, value })
      }
      for (const [index, name] of CLASSES.entries()) {
        const value = told?.[way].shares[index]
        this.#put(`${way}.class.${name}Bps`, { title: `Classes, ${way}`, unit: 'bps', value })
      }
    }
    const lists = [...this.columns.values()].map(({ values }) => values)
    thin([this.atS, ...lists], BENCH_SAMPLES_MAX)
  }

  #put(
    name: string,
    { title, unit, value }: { title: string; unit: string; value: number | undefined },
  ): void {
    const column = this.columns.get(name) ?? { title, unit, values: [] }
    this.columns.set(name, column)
    column.values.push(value ?? Number.NaN)
  }
}

/** One per run. */
export class TrunkBook {
  readonly #relays: { node: RunningNode; rows: RelayRows; isAsked: boolean }[]
  readonly #operator: Operator

  constructor(nodes: readonly RunningNode[], operator: Operator) {
    const relays = nodes.filter(({ kind }) => kind === 'relay')
    this.#relays = relays.map((node) => ({ node, rows: new RelayRows(), isAsked: false }))
    this.#operator = operator
  }

  /** Asks all relays; one that has not answered the last time is not asked again yet. Never rejects. */
  async read(atS: number): Promise<void> {
    const askAll = this.#relays.map(async (relay) => {
      if (relay.isAsked) return
      relay.isAsked = true
      relay.rows.add(atS, linkOf(await this.#operator.ask(relay.node, '/api/v1/trunk')))
      relay.isAsked = false
    })
    await Promise.all(askAll)
  }

  /** `trunk.district.down.estimateBps`. */
  series(): SeriesReport[] {
    return this.#relays.flatMap(({ node: { id }, rows }) =>
      [...rows.columns].map(([name, { title, unit, values }]) => ({
        id: `trunk.${id}.${name}`,
        title: `${title}: ${id}`,
        unit,
        atS: rows.atS,
        values,
      })),
    )
  }
}

/** Undefined without an answer, and while it has no upstream. */
export function linkOf(status: unknown): LinkTold | undefined {
  const told = status as { upstream?: { state?: string; link?: LinkTold } | null } | undefined
  const upstream = told?.upstream
  if (upstream?.link === undefined || upstream.state !== 'connected') return undefined
  const { rttMs, down, up } = upstream.link
  return { rttMs, down, up }
}
