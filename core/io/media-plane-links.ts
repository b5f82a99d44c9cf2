/**
 * The ways between the threads of one node that carry packets: media workers by their index, and behind the last of them
 * the trunk thread. A way is made when the first publication crosses, and ends with either thread.
 */
import { MessageChannel, type Transferable } from 'node:worker_threads'
import { PACKET_RING_BYTES } from '../../config/index.ts'
import type { MediaReport } from '../media/control.ts'
import type { ToTrunkPeer, ToWorker } from './media-worker-protocol.ts'
import { createRingMemory } from './packet-ring.ts'

/** The trunk thread as the media plane sees it (relay/io has it): one more worker, without transports of its own. */
export type TrunkPeer = {
  /** Dropped while the thread is down. */
  post(message: ToTrunkPeer, transfer?: Transferable[]): void
  /** Once, by the media plane. */
  watch(events: TrunkPeerEvents): void
}

export type TrunkPeerEvents = {
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

  /** A thread has died: the others, 0..peerCount-1, let go of it. */
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
