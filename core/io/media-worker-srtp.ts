/**
 * The secured half of a worker's transports: SRTP contexts by token, and the way out from the engine (PacketSink)
 * through the sealer (SealedSink) to the sockets. A token is the engine's transport index. Not the mux, and no
 * decision about who may send what.
 */
import type { PacketSink } from '../media/sink.ts'
import type { SrtpKeys } from './dtls/index.ts'
import {
  createSrtpReceiver,
  createSrtpSender,
  type HmacSha1,
  receiveMaster,
  type SealedSink,
  type SrtpReceiver,
  type SrtpSender,
  sendMaster,
} from './srtp/index.ts'
import type { SlabSender } from './udp-mux-send.ts'
import type { MuxTransport } from './udp-mux-transport.ts'

export type SrtpPathOptions = {
  hmac: HmacSha1
  out: SlabSender
  /** By DropReason code; counted into. */
  drops: Uint32Array
}

/** One connected transport. */
type SecuredTransport = { context: number; receiver: SrtpReceiver }

/** One per worker. Owns the keys; tokens without keys are ignored. */
export class SrtpPath implements PacketSink, SealedSink {
  readonly #hmac: HmacSha1
  readonly #out: SlabSender
  readonly #drops: Uint32Array
  readonly #sender: SrtpSender
  readonly #secured: (SecuredTransport | undefined)[] = []
  #unflushed = false

  constructor({ hmac, out, drops }: SrtpPathOptions) {
    this.#hmac = hmac
    this.#out = out
    this.#drops = drops
    this.#sender = createSrtpSender({ hmac, sink: this, drops })
  }

  /** True when sealed packets may wait for `flush`. */
  get unflushed(): boolean {
    return this.#unflushed
  }

  /** Takes the keys of a finished handshake and wipes them; false when the worker holds as many as it may. */
  secure(transport: MuxTransport, keys: SrtpKeys): boolean {
    const context = this.#sender.addContext(sendMaster(keys), transport.token)
    if (context < 0) return false
    const receiver = this.#createReceiver(keys)
    if (receiver === undefined) this.#sender.removeContext(context)
    else this.#secured[transport.token] = { context, receiver }
    for (const secret of [keys.localKey, keys.localSalt, keys.remoteKey, keys.remoteSalt]) {
      secret.fill(0)
    }
    return receiver !== undefined
  }

  /** Ends a transport's keys; what was sealed for it before still goes out. Idempotent. */
  remove(token: number): void {
    const secured = this.#secured[token]
    if (secured === undefined) return
    this.flush()
    this.#secured[token] = undefined
    this.#sender.removeContext(secured.context)
    secured.receiver.close()
  }

  /** @hot The opener of a transport, or undefined before its keys. */
  receiver(token: number): SrtpReceiver | undefined {
    const secured = this.#secured[token]
    return secured === undefined ? undefined : secured.receiver
  }

  openStream(transportIndex: number, ssrc: number): number {
    const secured = this.#secured[transportIndex]
    return secured === undefined ? -1 : this.#sender.openStream(secured.context, ssrc)
  }

  closeStream(stream: number): void {
    if (stream >= 0) this.#sender.closeStream(stream)
  }

  /** @hot */
  sendRtp(stream: number, bytes: Uint8Array, start: number, end: number, index: number): void {
    this.#unflushed = true
    this.#sender.seal(stream, bytes, start, end, index)
  }

  sendRtcp(transportIndex: number, bytes: Uint8Array, start: number, end: number): void {
    const secured = this.#secured[transportIndex]
    if (secured === undefined) return
    this.#unflushed = true
    this.#sender.sealRtcp(secured.context, bytes, start, end)
  }

  /** Sends what waits for a full lane; at the end of each burst. */
  flush(): void {
    if (!this.#unflushed) return
    this.#unflushed = false
    this.#sender.flush()
    this.#out.flush()
  }

  /** @hot */
  onSealed(token: number, start: number, end: number): void {
    this.#out.sendSlab(start, end, token)
  }

  inFlightCount(): number {
    return this.#out.inFlightCount()
  }

  #createReceiver(keys: SrtpKeys): SrtpReceiver | undefined {
    try {
      const options = { hmac: this.#hmac, master: receiveMaster(keys), drops: this.#drops }
      return createSrtpReceiver(options)
    } catch {
      // No room for its keys: the bound is SRTP_KEYS_PER_WORKER_MAX.
      return undefined
    }
  }
}
