/**
 * The way out of the trunk thread: TrunkEnds' datagrams are sealed and leave over UDP or through the WebSocket, as each
 * flow's path says.
 */
import {
  createSrtpSender,
  type HmacSha1,
  type SealedSink,
  type SendRoute,
  SlabSender,
  type SrtpMaster,
  type SrtpSender,
} from '../../core/io/carriers.ts'
import type { Flow } from './trunk-flow.ts'
import { BY_TUNNEL, BY_UDP } from './trunk-path.ts'

export type SealingOptions = {
  hmac: HmacSha1
  routes: readonly SendRoute[]
  /** By DropReason code; counted into. */
  drops: Uint32Array
  nowMs: () => number
  flowOf: (token: number) => Flow | undefined
  /** A sealed datagram for the WebSocket; read before it returns. */
  onTunnel: (flow: Flow, bytes: Uint8Array, start: number, end: number) => void
}

/** One per thread. */
export class Sealing implements SealedSink {
  readonly out: SlabSender
  tunnelledPackets = 0
  tunnelledBytes = 0
  readonly #options: SealingOptions
  readonly #sender: SrtpSender
  /** Packets since the socket's queue was last empty that it was not given. */
  #passedBy = 0
  #isUnflushed = false

  constructor(options: SealingOptions) {
    const { hmac, routes, drops } = options
    this.#options = options
    this.out = new SlabSender({ slab: hmac.slab, routes, drops })
    this.#sender = createSrtpSender({ hmac, sink: this, drops })
  }

  /** Handles of a flow's context and stream; undefined when there is no room for its keys. */
  open(master: SrtpMaster, token: number, ssrc: number): [number, number] | undefined {
    const context = this.#sender.addContext(master, token)
    if (context < 0) return undefined
    const stream = this.#sender.openStream(context, ssrc)
    if (stream >= 0) return [context, stream]
    this.#sender.removeContext(context)
    return undefined
  }

  close(context: number): void {
    this.flush()
    this.#sender.removeContext(context)
  }

  /** @hot */
  seal(flow: Flow, bytes: Uint8Array, start: number, end: number, index: number): void {
    this.#isUnflushed = true
    this.#sender.seal(flow.stream, bytes, start, end, index)
  }

  /** At the end of each burst. */
  flush(): void {
    if (!this.#isUnflushed) return
    this.#isUnflushed = false
    this.#sender.flush()
    this.out.flush()
  }

  /** @hot */
  onSealed(token: number, start: number, end: number): void {
    const { flowOf, nowMs, hmac, onTunnel } = this.#options
    const flow = flowOf(token)
    const ways = flow === undefined ? 0 : flow.path.take(nowMs())
    if ((ways & BY_TUNNEL) !== 0) {
      this.tunnelledPackets += 1
      this.tunnelledBytes += end - start
      onTunnel(flow!, hmac.slab, start, end)
    }
    if ((ways & BY_UDP) !== 0) this.out.sendSlab(start, end, token)
    else this.#passedBy += 1
  }

  inFlightCount(): number {
    const count = this.out.inFlightCount()
    if (count === 0) this.#passedBy = 0
    // They stand between those that the socket was given: more is safe.
    return count === 0 ? 0 : count + this.#passedBy
  }
}
