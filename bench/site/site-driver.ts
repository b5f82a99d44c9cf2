/**
 * Paces all players of one process by one timer: each is ticked when it has something to do, and
 * what was sealed leaves in batches.
 */
import type { SitePlayer } from './contract.ts'
import type { LoadContext } from './load-context.ts'

/** Nobody's feedback is due sooner than it can wait this long. */
const TURN_MS = 10

/** One per process. */
export class SiteDriver {
  readonly #context: LoadContext
  readonly #players = new Set<SitePlayer>()
  #timer: NodeJS.Timeout | undefined
  /**
   * The latest that a turn came after it was due, ms, since it was read last: how far this process
   * is behind.
   */
  #lateMsMax = 0
  #dueMs = 0

  constructor(context: LoadContext) {
    this.#context = context
  }

  add(player: SitePlayer): void {
    this.#players.add(player)
    if (this.#timer === undefined) this.#plan(TURN_MS)
  }

  remove(player: SitePlayer): void {
    this.#players.delete(player)
  }

  /** How late turns were at most since the last call, ms. */
  takeLateMsMax(): number {
    const lateMsMax = this.#lateMsMax
    this.#lateMsMax = 0
    return lateMsMax
  }

  /** Stops ticking; players stay as they are. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#players.clear()
  }

  #plan(waitMs: number): void {
    this.#dueMs = performance.now() + waitMs
    this.#timer = setTimeout(() => this.#turn(), waitMs)
  }

  #turn(): void {
    const nowMs = performance.now()
    this.#lateMsMax = Math.max(this.#lateMsMax, nowMs - this.#dueMs)
    let nextMs = nowMs + TURN_MS
    for (const player of this.#players) {
      if (player.nextDeadlineMs() <= nowMs) player.tick(nowMs)
      nextMs = Math.min(nextMs, player.nextDeadlineMs())
    }
    this.#context.sender.flush()
    this.#timer = undefined
    if (this.#players.size > 0) this.#plan(Math.max(1, nextMs - performance.now()))
  }
}
