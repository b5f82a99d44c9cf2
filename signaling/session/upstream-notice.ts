/**
 * What the clients of a relay are told of the way to the node above: how it fares, and since when.
 * Figures are rounded, so that a link that trembles does not talk.
 */
import { UPSTREAM_NOTICE_MS } from '../../config/index.ts'
import type { Instant } from '../../core/conference/index.ts'
import type { UpstreamState } from '../../relay/stage-port.ts'
import type { ServerMessage, ServerMessageOf } from '../protocol/index.ts'

export type UpstreamNoticeOptions = {
  /** Name of this node, as people know it. */
  node: string
  now: () => Instant
  broadcast: (message: ServerMessage) => void
}

/** One per hub; silent until the node has a state to tell. */
export class UpstreamNotice {
  readonly #options: UpstreamNoticeOptions
  #state: UpstreamState | undefined
  #sentKey = ''
  #sentMs = Number.NEGATIVE_INFINITY

  constructor(options: UpstreamNoticeOptions) {
    this.#options = options
  }

  /** The last state that was set; undefined on a node without an upstream. */
  get state(): UpstreamState | undefined {
    return this.#state
  }

  /** Told at once, or when UPSTREAM_NOTICE_MS have passed since the last time. */
  set(state: UpstreamState): void {
    this.#state = state
    this.tick()
  }

  /** For who joins; undefined on a node without an upstream. */
  get message(): ServerMessageOf<'upstream'> | undefined {
    const state = this.#state
    if (state === undefined) return undefined
    const { node, now } = this.#options
    return {
      type: 'upstream',
      state: state.state,
      forMs: Math.max(0, Math.round(now().wallMs - state.sinceMs)),
      mark: state.mark,
      rateBps: twoDigits(state.rateBps),
      lossRatio: Math.round(state.lossRatio * 100) / 100,
      rttMs: twoDigits(state.rttMs),
      node,
      upstream: state.upstream,
    }
  }

  /** Tells everybody what has changed, when its time has come. */
  tick(): void {
    const { message } = this
    if (message === undefined) return
    const key = JSON.stringify({ ...message, forMs: this.#state?.sinceMs })
    const { nowMs } = this.#options.now()
    if (key === this.#sentKey || nowMs - this.#sentMs < UPSTREAM_NOTICE_MS) return
    this.#sentKey = key
    this.#sentMs = nowMs
    this.#options.broadcast(message)
  }
}

/** The nearest number with two digits that count. */
function twoDigits(value: number): number {
  return Number(value.toPrecision(2))
}
