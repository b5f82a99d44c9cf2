/**
 * Tells how far the server has read. The media socket is a queue: a check that comes back says that
 * all before it has been taken. It claims the wrong ICE role, so that it is answered (487, RFC 8445
 * §7.3.1.1) and binds nothing. Sent again until it is answered, as any ICE agent does: a server
 * that has just written an answer may not yet listen for it.
 */
import type { SiteAnswer } from '../../../bench/site/offer.ts'
import type { IceCredentials } from '../../../core/media/control.ts'
import { bindingRequest, Stranger } from './stranger.ts'

const REPEAT_MS = 50
const ANSWER_MS = 20_000

export class Sounder {
  readonly #udp: Stranger
  readonly #waiting = new Map<string, () => void>()

  private constructor(udp: Stranger) {
    this.#udp = udp
    udp.onDatagram = (datagram) => {
      udp.received.length = 0
      this.#waiting.get(transactionOf(datagram))?.()
    }
  }

  static async open(mediaPort: number): Promise<Sounder> {
    return new Sounder(await Stranger.open(mediaPort))
  }

  /**
   * Resolves when the transport listens and the server has read what was sent before; rejects after
   * twenty seconds.
   */
  async sound(answer: SiteAnswer, ice: IceCredentials): Promise<void> {
    const request = bindingRequest(answer, ice, { controlling: false, useCandidate: false })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const transaction = transactionOf(request)
    this.#waiting.set(transaction, resolve)
    const repeat = setInterval(() => this.#udp.send(request), REPEAT_MS)
    const late = setTimeout(() => reject(new Error('the server does not read')), ANSWER_MS)
    this.#udp.send(request)
    try {
      await promise
    } finally {
      clearInterval(repeat)
      clearTimeout(late)
      this.#waiting.delete(transaction)
    }
  }

  close(): void {
    this.#udp.close()
  }
}

const transactionOf = (datagram: Uint8Array): string =>
  Buffer.from(datagram.subarray(8, 20)).toString('hex')
