/**
 * The ways between the threads of one node that carry packets: media workers by their index, and behind the last of
 * them the trunk thread and the keeper thread. A way is made when the first publication crosses, and ends with either
 * thread.
 */
import { MessageChannel, type Transferable } from 'node:worker_threads'
import { PACKET_RING_BYTES } from '../../config/index.ts'
import type { MediaReport } from '../media/control.ts'
import type { ToPlanePeer, ToWorker } from './media-worker-protocol.ts'
import { createRingMemory } from './packet-ring.ts'

/**
 * A thread that packets cross to or from, as the media plane sees it: one more worker, without transports and rooms
 * of its own. The trunk thread (relay/io) and the keeper thread (core/keeper/io) are such.
 */
export type PlanePeer = {
  /** Dropped while the thread is down. */
  post(message: ToPlanePeer, transfer?: Transferable[]): void
  /** Once, by the media plane. */
  watch(events: PlanePeerEvents): void
}

export type PlanePeerEvents = {
  /** `flowing` and `levels` of publications of other nodes. */
  onReports: (reports: MediaReport[]) => void
  /** The thread has died. */
  onEnded: () => void
  /** Another one runs in its place, and knows nothing yet. */
  onRestarted: () => void
}

type LinkMessage = Extract<ToWorker, { type: 'link' | 'unlink' }>

/** The book of all ways; tells both ends. */
export class PeerLinks {
  readonly #post: (peer: number, message: LinkMessage, transfer: Transferable[]) => void
  /** As `low:high`. */
  readonly #links = new Set<string>()

  constructor(post: (peer: number, message: LinkMessage, transfer: Transferable[]) => void) {
    this.#post = post
  }

  ensure(from: number, to: number): void {
    const key = linkKey(from, to)
    if (this.#links.has(key)) return
    this.#links.add(key)
    const { port1, port2 } = new MessageChannel()
    const forth = createRingMemory(PACKET_RING_BYTES)
    const back = createRingMemory(PACKET_RING_BYTES)
    const one = { peer: to, port: port1, outgoing: forth, incoming: back }
    const other = { peer: from, port: port2, outgoing: back, incoming: forth }
    this.#post(from, { type: 'link', link: one }, [port1])
    this.#post(to, { type: 'link', link: other }, [port2])
  }

  /** A thread has died: the others of 0..peerCount-1 let go of it. */
  end(peer: number, peerCount: number): void {
    for (let other = 0; other < peerCount; other++) {
      if (!this.#links.delete(linkKey(peer, other))) continue
      this.#post(other, { type: 'unlink', peer }, [])
    }
  }
}

function linkKey(one: number, other: number): string {
  return `${Math.min(one, other)}:${Math.max(one, other)}`
}
