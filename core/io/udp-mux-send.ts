/**
 * Sending from a slab that is written again soon. libuv hands a datagram to the kernel at once, except behind a slow
 * device: then it keeps a reference and sends later whatever stands there by then. So the queue is watched, what comes
 * behind a queue is copied, and the slab's owner learns what may still be read. Not a socket: see udp-mux-sockets.ts.
 */
import { UDP_SEND_QUEUE_MAX } from '../../config/index.ts'
import { DROP_CODE } from '../media/rtp/index.ts'
import type { TupleSource } from './udp-mux-tuple.ts'

/** What is used of `dgram.Socket`; faked in tests. */
export interface SendSocket {
  send(bytes: Uint8Array, port: number, address: string): void
  /** Datagrams that libuv holds because the kernel would not take them. */
  getSendQueueCount(): number
}

const DROP_QUEUE_FULL = DROP_CODE['send-queue-full']

/** Looks at the queue after this many sends: each look costs about 1 % of a send. */
const SENDS_PER_LOOK = 16
/** Views by place in the slab: slots come round with the same length while one packet fans out. */
const VIEW_CACHE_SIZE = 4096

/** One socket, and where in the order of sends it last was known to hold nothing. */
class SendLane {
  readonly socket: SendSocket
  /** Sends of the whole slab at the last look that found this socket's queue empty. */
  emptyAt = 0
  congested = false

  constructor(socket: SendSocket) {
    this.socket = socket
  }
}

export type SlabSenderOptions = {
  /** Its buffer must never move. */
  slab: Uint8Array
  /** `sockets[0]` serves IPv4, `sockets[1]` IPv6 where there is any. */
  sockets: readonly SendSocket[]
  /** By DropReason code; counted into. */
  drops: Uint32Array
}

/** One per worker and slab; the sockets stay their owner's. */
export class SlabSender {
  readonly #slab: Uint8Array
  readonly #lanes: SendLane[]
  readonly #views: Uint8Array[]
  /** Packets given to `send`, sent or not: the slab's owner counts like this. */
  #count = 0
  /** Datagrams and bytes given to the kernel or to libuv's queue. */
  packets = 0
  bytes = 0
  readonly #drops: Uint32Array

  constructor({ slab, sockets, drops }: SlabSenderOptions) {
    this.#slab = slab
    this.#drops = drops
    this.#lanes = sockets.map((socket) => new SendLane(socket))
    this.#views = new Array<Uint8Array>(VIEW_CACHE_SIZE).fill(slab.subarray(0, 0))
  }

  /** @hot Sends `slab.subarray(start, end)`; the place may be written again as `inFlightCount` allows. */
  sendSlab(start: number, end: number, to: TupleSource): void {
    const lane = this.#lanes[to.family]
    const count = ++this.#count
    if (lane === undefined) return
    if (lane.congested) {
      this.#sendBehindQueue(lane, start, end, to)
      return
    }
    lane.socket.send(this.#view(start, end), to.port, to.address)
    this.packets++
    this.bytes += end - start
    if (count - lane.emptyAt >= SENDS_PER_LOOK) this.#look(lane)
  }

  /** Sends a buffer that nobody writes again: STUN answers, DTLS. */
  sendOwned(bytes: Uint8Array, to: TupleSource): void {
    const lane = this.#lanes[to.family]
    if (lane === undefined) return
    if (lane.socket.getSendQueueCount() >= UDP_SEND_QUEUE_MAX) {
      this.#drops[DROP_QUEUE_FULL]!++
      return
    }
    lane.socket.send(bytes, to.port, to.address)
    this.packets++
    this.bytes += bytes.length
  }

  /** A packet of the slab that has nowhere to go: it counts in the order all the same. */
  skip(): void {
    this.#count++
  }

  /** How many of the last packets given to `sendSlab` may still be read from the slab. */
  inFlightCount(): number {
    let oldest = this.#count
    for (const lane of this.#lanes) {
      this.#look(lane)
      if (lane.congested && lane.emptyAt < oldest) oldest = lane.emptyAt
    }
    return this.#count - oldest
  }

  #look(lane: SendLane): void {
    lane.congested = lane.socket.getSendQueueCount() > 0
    if (!lane.congested) lane.emptyAt = this.#count
  }

  #sendBehindQueue(lane: SendLane, start: number, end: number, to: TupleSource): void {
    if (lane.socket.getSendQueueCount() >= UDP_SEND_QUEUE_MAX) {
      this.#drops[DROP_QUEUE_FULL]!++
      return
    }
    lane.socket.send(this.#slab.slice(start, end), to.port, to.address)
    this.packets++
    this.bytes += end - start
  }

  /** @hot A view costs more to make than to find: one packet to many receivers has one length. */
  #view(start: number, end: number): Uint8Array {
    // Slots begin at multiples of 64 bytes.
    const at = (start >>> 6) & (VIEW_CACHE_SIZE - 1)
    const cached = this.#views[at]!
    if (cached.byteOffset === start && cached.length === end - start) return cached
    const view = this.#slab.subarray(start, end)
    this.#views[at] = view
    return view
  }
}
