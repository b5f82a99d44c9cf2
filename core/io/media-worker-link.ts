/**
 * One worker's end of the way to another worker: plain packets through a ring in shared memory, layer demand
 * and keyframe requests back over a message port. Which publications cross is decided by the main thread
 * (media-plane-routes.ts) and by demand: nothing that nobody over there watches is written.
 */
import { HANDOFF_FRAME_BYTES_MAX, LINK_FRAMES_PER_TURN } from '../../config/index.ts'
import type { LinkEnd, LinkMessage } from './media-worker-protocol.ts'
import { PacketRingReader, PacketRingWriter } from './packet-ring.ts'

/** What comes from the other worker; called on this worker's loop. */
export interface LinkEvents {
  /** @hot One frame that the other worker's engine wrote; `bytes` is reused after the call. */
  onFrame(bytes: Uint8Array, end: number): void
  onKeyframeWanted(peer: number, publicationId: number, layer: number): void
  onLayersWanted(peer: number, publicationId: number, layerMask: number): void
}

/** Reads and writes until `close`; a frame is lost when the ring is full, never held up. */
export class WorkerLink {
  readonly peer: number
  readonly #port: LinkEnd['port']
  readonly #writer: PacketRingWriter
  readonly #reader: PacketRingReader
  readonly #events: LinkEvents
  readonly #scratch = new Uint8Array(HANDOFF_FRAME_BYTES_MAX)
  #closed = false

  constructor(end: LinkEnd, events: LinkEvents) {
    this.peer = end.peer
    this.#port = end.port
    this.#events = events
    this.#writer = new PacketRingWriter(end.outgoing)
    this.#reader = new PacketRingReader(end.incoming)
    this.#port.on('message', (message: LinkMessage) => this.#onMessage(message))
    this.#drain()
  }

  /** @hot Writes one frame and wakes the other worker if it sleeps; false when the ring is full. */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#writer.push(bytes, start, end)) return false
    if (this.#writer.takeSleeper()) this.#post({ type: 'wake' })
    return true
  }

  requestKeyframe(publicationId: number, layer: number): void {
    this.#post({ type: 'keyframe', publicationId, layer })
  }

  wantLayers(publicationId: number, layerMask: number): void {
    this.#post({ type: 'want', publicationId, layerMask })
  }

  /** Ends this side; what still lies in the rings is lost. Idempotent. */
  close(): void {
    this.#closed = true
    this.#port.close()
  }

  #post(message: LinkMessage): void {
    if (!this.#closed) this.#port.postMessage(message)
  }

  #onMessage(message: LinkMessage): void {
    switch (message.type) {
      case 'wake':
        this.#drain()
        return
      case 'keyframe':
        this.#events.onKeyframeWanted(this.peer, message.publicationId, message.layer)
        return
      case 'want':
        this.#events.onLayersWanted(this.peer, message.publicationId, message.layerMask)
    }
  }

  /** Reads on until the ring is empty, but lets the sockets have their turn in between. */
  #drain(): void {
    for (let frames = 0; !this.#closed; frames++) {
      if (frames === LINK_FRAMES_PER_TURN) {
        setImmediate(() => this.#drain())
        return
      }
      const length = this.#reader.pop(this.#scratch)
      if (length >= 0) this.#events.onFrame(this.#scratch, length)
      else if (this.#reader.sleep()) return
    }
  }
}
