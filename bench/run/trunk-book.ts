/**
 * What relays say of their links over a run: asked once a second by GET /api/v1/trunk, with an operator's token of the
 * core's own keys. By relay and way: what the node took the line for, what it used, loss before and after repair, the
 * queue, and the share of each class.
 */
import { BENCH_SAMPLES_MAX } from '../../config/limits.ts'
import { issueToken, loadTokenKeys } from '../../signaling/index.ts'
import type { SeriesReport } from '../report/index.ts'
import type { RunningNode } from './node.ts'
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
const ASK_MS_MAX = 900
const TOKEN_MARGIN_S = 3600

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
  readonly #token: Promise<string> | undefined

  /** `core` signs; its keys are those that the relays were told. */
  constructor(nodes: Iterable<RunningNode>, durationS: number) {
    const all = [...nodes]
    const core = all.find(({ kind }) => kind === 'core')
    const relays = all.filter(({ kind }) => kind === 'relay')
    this.#relays = relays.map((node) => ({ node, rows: new RelayRows(), isAsked: false }))
    if (core === undefined || relays.length === 0) return
    this.#token = issueToken(loadTokenKeys(core.dataDir), {
      room: '*',
      role: 'operator',
      name: 'bench',
      site: 'bench',
      ttlS: Math.ceil(durationS) + TOKEN_MARGIN_S,
      nowMs: Date.now(),
    })
  }

  /** Asks all relays; one that has not answered the last time is not asked again yet. Never rejects. */
  async read(atS: number): Promise<void> {
    const token = await this.#token
    if (token === undefined) return
    const askAll = this.#relays.map(async (relay) => {
      if (relay.isAsked) return
      relay.isAsked = true
      const told = await ask(`${relay.node.pageUrl}/api/v1/trunk`, token)
      relay.rows.add(atS, told)
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

async function ask(url: string, token: string): Promise<LinkTold | undefined> {
  try {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ASK_MS_MAX),
    })
    return answer.ok ? linkOf(await answer.json()) : undefined
  } catch {
    return undefined
  }
}

/** Undefined while it has no upstream. */
export function linkOf(status: unknown): LinkTold | undefined {
  const upstream = (status as { upstream?: { state?: string; link?: LinkTold } | null }).upstream
  if (upstream?.link === undefined || upstream.state !== 'connected') return undefined
  const { rttMs, down, up } = upstream.link
  return { rttMs, down, up }
}
