/**
 * Sending from a slab that is written again soon. Packets are held until 32 of them stand there, then go to the
 * kernel together: by sendmmsg where there is one (udp-native/), else one by one through dgram. The kernel copies at
 * once, except behind a slow device: then libuv keeps a queue. What dgram gets is a reference into the slab, so the
 * queue is watched, what comes behind a queue is copied, and the slab's owner learns what may still be read. Not a
 * socket: see udp-mux-sockets.ts.
 */
import { UDP_SEND_QUEUE_MAX } from '../../config/index.ts'
import { DROP_CODE } from '../media/rtp/index.ts'
import { RouteTable } from './udp-mux-routes.ts'
import type { TupleSource } from './udp-mux-tuple.ts'
import type { SendBatch } from './udp-native/index.ts'

/** What is used of `dgram.Socket`; faked in tests. */
export interface SendSocket {
  send(bytes: Uint8Array, port: number, address: string): void
  /** Datagrams that libuv holds because the kernel would not take them. */
  getSendQueueCount(): number
}

/** A socket, and the way past dgram into the same one where there is any. */
export type SendRoute = {
  socket: SendSocket
  batch?: Pick<SendBatch, 'add' | 'addIpv4' | 'send' | 'clear'>
}

const DROP_QUEUE_FULL = DROP_CODE['send-queue-full']
const DROP_TUPLE_MISSING = DROP_CODE['tuple-missing']
const DROP_SEND_REFUSED = DROP_CODE['send-refused']
/** The kernel's own buffers are full (errno(3) of Linux): it will take the same datagram later. */
const KERNEL_IS_FULL = new Set([-11, -12, -105])

/**
 * Each send runs through so much of the kernel that what sealing needs has left the CPU's nearest caches afterwards.
 * Half of the slab's lap.
 */
export const HELD_PACKETS = 32
/** Looks at the queue after this many sends: each look costs about 1 % of a send. */
const SENDS_PER_LOOK = 16
/** Views by place in the slab: slots come round with the same length while one packet fans out. */
const VIEW_CACHE_SIZE = 4096

/** One route, and where in the order of sends it last was known to hold nothing. */
class SendLane {
  readonly socket: SendSocket
  readonly batch: SendRoute['batch']
  /** Which of the held packets stand in `batch`. */
  readonly batched = new Int32Array(HELD_PACKETS)
  batchedCount = 0
  /** Sends of the whole slab at the last look that found this socket's queue empty. */
  emptyAt = 0
  congested = false

  constructor({ socket, batch }: SendRoute) {
    this.socket = socket
    this.batch = batch
  }
}

export type SlabSenderOptions = {
  /** Its buffer must never move. */
  slab: Uint8Array
  /** `routes[0]` serves IPv4, `routes[1]` IPv6 where there is any. */
  routes: readonly SendRoute[]
  /** By DropReason code; counted into. */
  drops: Uint32Array
  /** So many packets have just been given to the kernel or to libuv. */
  onSent?: (count: number) => void
}

/** One per worker and slab; the sockets stay their owner's. */
export class SlabSender {
  readonly #slab: Uint8Array
  readonly #lanes: SendLane[]
  readonly #views: Uint8Array[]
  readonly #onSent: (count: number) => void
  /** Whom each transport's packets go to; its owner keeps it true. */
  readonly routes = new RouteTable()
  readonly #heldToken = new Int32Array(HELD_PACKETS)
  readonly #heldStart = new Int32Array(HELD_PACKETS)
  readonly #heldEnd = new Int32Array(HELD_PACKETS)
  #held = 0
  /** Packets that left `#held`, sent or not: the slab's owner counts like this. */
  #count = 0
  /** Datagrams and bytes given to the kernel or to libuv's queue. */
  packets = 0
  bytes = 0
  readonly #drops: Uint32Array

  constructor({ slab, routes, drops, onSent = () => undefined }: SlabSenderOptions) {
    this.#slab = slab
    this.#drops = drops
    this.#onSent = onSent
    this.#lanes = routes.map((route) => new SendLane(route))
    this.#views = new Array<Uint8Array>(VIEW_CACHE_SIZE).fill(slab.subarray(0, 0))
  }

  /**
   * @hot Sends `slab.subarray(start, end)` to a transport by the next `flush`; the place may be written again as
   * `inFlightCount` allows. A transport without a route is counted as `tuple-missing`.
   */
  sendSlab(start: number, end: number, token: number): void {
    const at = this.#held
    this.#heldToken[at] = token
    this.#heldStart[at] = start
    this.#heldEnd[at] = end
    this.#held = at + 1
    if (this.#held === HELD_PACKETS) this.flush()
  }

  /** @hot Gives what is held to the kernel. */
  flush(): void {
    const count = this.#held
    if (count === 0) return
    this.#held = 0
    const { ipv4 } = this.routes
    const lane = this.#lanes[0]!
    for (let at = 0; at < count; at += 1) {
      const token = this.#heldToken[at]!
      const word = ipv4[2 * token]!
      this.#count += 1
      if (word !== 0 && lane.batch !== undefined && !lane.congested) {
        const other = ipv4[2 * token + 1]!
        lane.batch.addIpv4(this.#heldStart[at]!, this.#heldEnd[at]!, word, other)
        lane.batched[lane.batchedCount++] = at
      } else {
        this.#route(at, this.routes.tuple(token))
      }
    }
    for (const one of this.#lanes) {
      if (one.batchedCount > 0) this.#sendBatch(one)
    }
    this.#onSent(count)
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

  /** How many of the last packets given to `sendSlab` may still be read from the slab. */
  inFlightCount(): number {
    this.flush()
    let oldest = this.#count
    for (const lane of this.#lanes) {
      this.#look(lane)
      if (lane.congested && lane.emptyAt < oldest) oldest = lane.emptyAt
    }
    return this.#count - oldest
  }

  /** What the short way above cannot carry: IPv6, no sendmmsg, a queue, nobody there. */
  #route(at: number, to: TupleSource | undefined): void {
    if (to === undefined) {
      this.#drops[DROP_TUPLE_MISSING]!++
      return
    }
    const lane = this.#lanes[to.family]
    if (lane === undefined) return
    const start = this.#heldStart[at]!
    const end = this.#heldEnd[at]!
    if (lane.congested) {
      this.#sendBehindQueue(lane, start, end, to)
      return
    }
    if (lane.batch !== undefined && to.socketAddress !== undefined) {
      lane.batch.add(start, end, to.socketAddress)
      lane.batched[lane.batchedCount++] = at
      return
    }
    lane.socket.send(this.#view(start, end), to.port, to.address)
    this.packets++
    this.bytes += end - start
    if (this.#count - lane.emptyAt >= SENDS_PER_LOOK) this.#look(lane)
  }

  /** @hot */
  #sendBatch(lane: SendLane): void {
    const batch = lane.batch!
    const count = lane.batchedCount
    let from = 0
    while (from < count && !lane.congested) {
      const taken = batch.send(from)
      if (taken > 0) {
        this.#countSent(lane, from, from + taken)
        from += taken
      } else if (KERNEL_IS_FULL.has(taken)) {
        this.#queueRest(lane, from)
      } else {
        // This one cannot go: no route, too large for the path, forbidden. The others can.
        this.#drops[DROP_SEND_REFUSED]!++
        from += 1
      }
    }
    batch.clear()
    lane.batchedCount = 0
  }

  /** @hot */
  #countSent(lane: SendLane, from: number, to: number): void {
    this.packets += to - from
    for (let place = from; place < to; place += 1) {
      const at = lane.batched[place]!
      this.bytes += this.#heldEnd[at]! - this.#heldStart[at]!
    }
  }

  /** libuv waits for the kernel, and what comes meanwhile waits behind it. */
  #queueRest(lane: SendLane, from: number): void {
    lane.emptyAt = this.#count
    for (let place = from; place < lane.batchedCount; place += 1) {
      const at = lane.batched[place]!
      const to = this.routes.tuple(this.#heldToken[at]!)!
      this.#sendBehindQueue(lane, this.#heldStart[at]!, this.#heldEnd[at]!, to)
    }
    lane.congested = true
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
