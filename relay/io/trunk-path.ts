/**
 * How the datagrams of one trunk leave: over UDP to an address, or through the control flow's WebSocket where UDP is
 * blocked. Pure. The dialling side decides: it turns to the WebSocket when what it sends over UDP is not answered,
 * and tries UDP again now and then. The other side answers the way that it was last reached. Only authentic
 * datagrams, newer than all before, move anything.
 */
import {
  TRUNK_TUNNEL_AFTER_MS,
  TRUNK_UDP_RETRY_FOR_MS,
  TRUNK_UDP_RETRY_MS,
  TRUNK_UDP_RETRY_STEP_MS,
} from '../../config/limits.ts'

/** Bits of `take`. */
export const BY_UDP = 1
export const BY_TUNNEL = 2

export type PathName = 'udp' | 'tunnel' | 'none'

/** A socket address; compared by value. */
type Address = { address: string; port: number; family: 0 | 1 }

/** Datagrams that must stay unanswered beside the time: an idle trunk says little. */
const UNANSWERED_MIN = 5
/** The far side has left the WebSocket when nothing came through it for so long, while UDP did. */
const TUNNEL_LEFT_MS = 300
/** Answers over UDP to a try of the dialling side that may be owed. */
const ECHOES_MAX = 8

export class TrunkPath<A extends Address> {
  /** Where UDP goes; undefined at an upstream that was not reached yet. */
  remote: A | undefined
  /** How often the far end's address has changed. */
  roams = 0
  readonly #dials: boolean
  #path: PathName
  #forced: boolean
  /** The upstream takes no UDP. */
  readonly #isTunnelOnly: boolean
  #tunnelHeardMs = Number.NEGATIVE_INFINITY
  /** Of the dialling side: the first datagram over UDP that nothing has answered yet, and how many there were. */
  #unansweredMs = Number.POSITIVE_INFINITY
  #unanswered = 0
  /** Of the dialling side in the tunnel: when UDP is tried again, and the next datagram that goes both ways. */
  #retryMs = Number.POSITIVE_INFINITY
  #retryNextMs = Number.NEGATIVE_INFINITY
  #retryUntilMs = Number.POSITIVE_INFINITY
  #tunnelSinceMs = Number.POSITIVE_INFINITY
  #echoes = 0

  /** `remote` on the dialling side only; port 0: only through the WebSocket. */
  constructor(remote: A | undefined) {
    this.remote = remote
    this.#dials = remote !== undefined
    this.#isTunnelOnly = remote?.port === 0
    this.#forced = this.#isTunnelOnly
    this.#path = this.#dials ? 'udp' : 'none'
  }

  get name(): PathName {
    return this.#forced ? 'tunnel' : this.#path
  }

  /** True: through the WebSocket whatever happens; false: as it finds best, UDP first. */
  force(on: boolean): void {
    this.#forced = on || this.#isTunnelOnly
    if (on || !this.#dials) return
    this.#path = 'udp'
    this.#answered()
  }

  /**
   * An authentic datagram came over UDP; `isNewest`: its index is above all before. `from` is kept when it is
   * another.
   */
  heardUdp(from: Address, isNewest: boolean, nowMs: number, keep: (from: Address) => A): void {
    this.#answered()
    if (this.#dials) {
      this.#path = 'udp'
      return
    }
    if (!isNewest) return
    const { remote } = this
    if (remote === undefined || remote.port !== from.port || remote.address !== from.address) {
      if (remote !== undefined) this.roams += 1
      this.remote = keep(from)
    }
    if (this.#path === 'tunnel' && nowMs - this.#tunnelHeardMs < TUNNEL_LEFT_MS) {
      // A try: it is answered, but what matters goes the way that is known to work.
      this.#echoes = Math.min(this.#echoes + 1, ECHOES_MAX)
    } else this.#path = 'udp'
  }

  heardTunnel(isNewest: boolean, nowMs: number): void {
    this.#tunnelHeardMs = nowMs
    if (!this.#dials && isNewest) this.#path = 'tunnel'
  }

  /** @hot Which ways the next datagram goes: BY_UDP, BY_TUNNEL, both, or 0 for none yet. */
  take(nowMs: number): number {
    if (this.#forced) return BY_TUNNEL
    if (this.#path === 'none') return 0
    if (this.#dials) return this.#path === 'udp' ? this.#takeUdp(nowMs) : this.#takeTunnel(nowMs)
    if (this.#path === 'udp') return BY_UDP
    if (this.#echoes === 0) return BY_TUNNEL
    this.#echoes -= 1
    return BY_TUNNEL | BY_UDP
  }

  #answered(): void {
    this.#unansweredMs = Number.POSITIVE_INFINITY
    this.#unanswered = 0
  }

  #takeUdp(nowMs: number): number {
    if (this.#unanswered === 0) this.#unansweredMs = nowMs
    this.#unanswered += 1
    const isLost = nowMs - this.#unansweredMs >= TRUNK_TUNNEL_AFTER_MS
    if (!isLost || this.#unanswered < UNANSWERED_MIN) return BY_UDP
    this.#path = 'tunnel'
    this.#tunnelSinceMs = nowMs
    this.#retryMs = nowMs + TRUNK_UDP_RETRY_MS
    return BY_TUNNEL | BY_UDP
  }

  #takeTunnel(nowMs: number): number {
    // Neither way answers: whichever comes back first is taken.
    const sinceMs = Math.max(this.#tunnelHeardMs, this.#tunnelSinceMs)
    if (nowMs - sinceMs >= TRUNK_TUNNEL_AFTER_MS) return BY_TUNNEL | BY_UDP
    if (nowMs < this.#retryMs) return BY_TUNNEL
    if (this.#retryUntilMs === Number.POSITIVE_INFINITY) {
      this.#retryUntilMs = nowMs + TRUNK_UDP_RETRY_FOR_MS
    }
    if (nowMs >= this.#retryUntilMs) {
      this.#retryUntilMs = Number.POSITIVE_INFINITY
      this.#retryMs = nowMs + TRUNK_UDP_RETRY_MS
      return BY_TUNNEL
    }
    if (nowMs < this.#retryNextMs) return BY_TUNNEL
    this.#retryNextMs = nowMs + TRUNK_UDP_RETRY_STEP_MS
    return BY_TUNNEL | BY_UDP
  }
}
