/**
 * A media worker's end of its channel to the handshaker thread. Not the handshaker: it only packs commands and hands
 * out events. All commands of one loop turn travel as one message.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Fingerprint } from '../../media/control.ts'
import type { HandshakeCommand, HandshakeEvent } from './handshake.ts'

/** One per media worker, over the port that `HandshakerThread.connect()` made for it. */
export class HandshakerPort {
  readonly #port: MessagePort
  #batch: HandshakeCommand[] = []

  /** `onEvent` is called on the worker's loop, in the order in which the handshaker spoke. */
  constructor(port: MessagePort, onEvent: (event: HandshakeEvent) => void) {
    this.#port = port
    port.on('message', (events: HandshakeEvent[]) => {
      for (const event of events) onEvent(event)
    })
  }

  /** Expects a handshake on a transport; the peer must prove a key with one of the fingerprints. */
  open(transportId: number, fingerprints: Fingerprint[]): void {
    this.#push({ type: 'open', transportId, fingerprints })
  }

  /**
   * Hands over one DTLS datagram of the transport's bound 5-tuple; the bytes are copied, the caller
   * keeps its buffer.
   */
  datagram(transportId: number, bytes: Uint8Array): void {
    this.#push({ type: 'datagram', transportId, bytes: new Uint8Array(bytes) })
  }

  /** Ends the association gracefully (a last `send` may follow, then nothing). Idempotent. */
  close(transportId: number): void {
    this.#push({ type: 'close', transportId })
  }

  /** Closes this worker's channel; the handshaker forgets the transports that came through it. */
  destroy(): void {
    this.#batch = []
    this.#port.close()
  }

  #push(command: HandshakeCommand): void {
    this.#batch.push(command)
    if (this.#batch.length === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const batch = this.#batch
    this.#batch = []
    if (batch.length > 0) this.#port.postMessage(batch)
  }
}
