/**
 * One link of a scenario as the runner sees it: its process (line-process.ts), the ways in, and
 * what it did in the end.
 */
import type { LineChange } from '../link/index.ts'
import { PROFILES } from '../link/index.ts'
import type { Endpoint } from '../link/io/index.ts'
import type { LinkReport } from '../report/index.ts'
import { Conversation } from './conversation.ts'
import type { LineCommand, LineMessage, LineResult, LineSetup } from './line-process.ts'
import type { LineSet } from './planning.ts'

export type LinkStart = {
  set: LineSet
  seed: number
  /** Where the nodes behind it are. */
  nodes: ReadonlyMap<string, { media: Endpoint; door: Endpoint }>
  cores: readonly number[]
  env: Readonly<Record<string, string>>
  logFile: string
}

/** The ports in front of one node, through one line. */
export type WayIn = { doorPort: number; mediaPort: number }

const ANSWER_MS_MAX = 20_000

/** A link that stands. */
export class LinkProcess {
  readonly id: string
  readonly #set: LineSet
  readonly #talk: Conversation<LineMessage>
  readonly #ports: { udpPort: number; tcpPort: number }[][]
  #latestLossRatio = 0
  #result: LineResult | undefined

  private constructor(parts: {
    set: LineSet
    talk: Conversation<LineMessage>
    ports: { udpPort: number; tcpPort: number }[][]
  }) {
    this.id = parts.set.plan.id
    this.#set = parts.set
    this.#talk = parts.talk
    this.#ports = parts.ports
  }

  static async open(start: LinkStart): Promise<LinkProcess> {
    const { set, cores, env, logFile } = start
    let link: LinkProcess | undefined
    const talk = new Conversation<LineMessage>(
      {
        id: `link.${set.plan.id}`,
        args: ['bench/run/line-process.ts'],
        cores,
        env,
        logFile,
      },
      (message) => link?.hear(message),
    )
    const ready = talk.next(['ready', 'error'], ANSWER_MS_MAX)
    talk.child.send({ op: 'open', lines: linesOf(start) } satisfies LineCommand)
    const told = await talk.orEnded(ready)
    if (told.event === 'error') {
      await talk.child.kill()
      throw new Error(`link ${set.plan.id}: ${told.error}`)
    }
    link = new LinkProcess({ set, talk, ports: told.lines })
    return link
  }

  get pid(): number {
    return this.#talk.child.pid
  }

  get latestLossRatio(): number {
    return this.#latestLossRatio
  }

  get result(): LineResult | undefined {
    return this.#result
  }

  hear(message: LineMessage): void {
    if (message.event === 'progress') this.#latestLossRatio = message.lossRatio
    else if (message.event === 'error') this.#talk.child.note(message.error)
  }

  wayIn(line: number, node: string): WayIn {
    const index = this.#set.lines[line]?.indexOf(node) ?? -1
    const ports = this.#ports[line]?.[index]
    if (ports === undefined) throw new Error(`no line ${line} of ${this.id} to ${node}`)
    return { doorPort: ports.tcpPort, mediaPort: ports.udpPort }
  }

  zero(): void {
    this.#talk.child.send({ op: 'zero' } satisfies LineCommand)
  }

  change(change: LineChange): void {
    this.#talk.child.send({ op: 'change', change } satisfies LineCommand)
  }

  /** Ends it and keeps what it did; idempotent, never rejects. */
  async end(): Promise<void> {
    if (this.#result !== undefined || !this.#talk.child.isRunning) return
    const result = this.#talk.next(['result'], ANSWER_MS_MAX)
    this.#talk.child.send({ op: 'end' } satisfies LineCommand)
    try {
      this.#result = await result
    } catch (error) {
      this.#talk.child.note((error as Error).message)
    }
    await this.#talk.child.stop()
  }

  /** Undefined when it did not come to say it. */
  report(above: string): LinkReport | undefined {
    if (this.#result === undefined) return undefined
    const { plan, groups, relay } = this.#set
    const isOwn = Object.keys({ ...plan.down, ...plan.up }).length > 0
    return {
      id: plan.id,
      profile: isOwn ? `${plan.profile}, changed` : plan.profile,
      below: (relay ?? groups.join(', ')).slice(0, 256),
      above,
      up: this.#result.up,
      down: this.#result.down,
    }
  }

  /** The first node behind it. */
  get node(): string {
    return this.#set.lines[0]?.[0] ?? ''
  }
}

function linesOf({ set, seed, nodes }: LinkStart): LineSetup[] {
  const { about, down, up } = PROFILES[set.plan.profile]
  const profile = { about, down: { ...down, ...set.plan.down }, up: { ...up, ...set.plan.up } }
  return set.lines.map((line, index) => ({
    // Lines of one link lose different packets; the same run again loses the same.
    seed: (seed + Math.imul(index + 1, 0x9e3779b1)) >>> 0,
    profile,
    nodes: line.flatMap((id) => nodes.get(id) ?? []),
  }))
}
