/** Questions to nodes as their operator: with a token that is signed by the core's own keys, which relays were told. */
import { issueToken, loadTokenKeys } from '../../signaling/index.ts'
import type { RunningNode } from './node.ts'

const ASK_MS_MAX = 900
const TOKEN_MARGIN_S = 3600

/** One per run. */
export class Operator {
  readonly #token: Promise<string> | undefined

  /** Without a relay among the nodes nothing is asked. */
  constructor(nodes: readonly RunningNode[], durationS: number) {
    const core = nodes.find(({ kind }) => kind === 'core')
    if (core === undefined || !nodes.some(({ kind }) => kind === 'relay')) return
    this.#token = issueToken(loadTokenKeys(core.dataDir), {
      room: '*',
      role: 'operator',
      name: 'bench',
      site: 'bench',
      ttlS: Math.ceil(durationS) + TOKEN_MARGIN_S,
      nowMs: Date.now(),
    })
  }

  /** What a node answers at `path`; undefined when it does not, or not in time. Never rejects. */
  async ask(node: RunningNode, path: string): Promise<unknown> {
    try {
      const token = await this.#token
      if (token === undefined) return undefined
      const answer = await fetch(`${node.pageUrl}${path}`, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(ASK_MS_MAX),
      })
      return answer.ok ? await answer.json() : undefined
    } catch {
      return undefined
    }
  }
}
