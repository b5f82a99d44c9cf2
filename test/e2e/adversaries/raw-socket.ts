/** A WebSocket that says what the test likes, and remembers what it was told and how it ended. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ClientOptions, WebSocket } from 'ws'

export type Told = Record<string, unknown> & { type?: string; code?: string }

export class RawSocket {
  readonly socket: WebSocket
  /** JSON text frames, parsed. */
  readonly told: Told[] = []
  closeCode: number | undefined

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) this.told.push(JSON.parse(data.toString('utf8')) as Told)
    })
    socket.on('close', (code: number) => {
      this.closeCode = code
    })
    socket.on('error', () => undefined)
  }

  /**
   * Resolves when it is open. Rejects with the HTTP status in the message when the upgrade is
   * refused.
   */
  static open(
    url: string,
    protocols: string[] = ['nhipcau.1.json'],
    options: ClientOptions = {},
  ): Promise<RawSocket> {
    const socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...options })
    const raw = new RawSocket(socket)
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(raw))
      socket.once('error', reject)
    })
  }

  say(message: unknown): void {
    this.sayRaw(typeof message === 'string' ? message : JSON.stringify(message))
  }

  sayRaw(data: string | Uint8Array, options: { binary?: boolean; fin?: boolean } = {}): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(data, options, () => undefined)
  }

  /**
   * The first message that fits, however early it came; undefined when it has ended, or after
   * `withinMs`.
   */
  async hear(fits: (told: Told) => boolean, withinMs = 15_000): Promise<Told | undefined> {
    const endMs = performance.now() + withinMs
    for (;;) {
      const found = this.told.find(fits)
      const isOver = this.closeCode !== undefined || performance.now() > endMs
      if (found !== undefined || isOver) return found
      await sleep(5)
    }
  }

  /** The close code, undefined when it is still open after `withinMs`. */
  async ended(withinMs = 20_000): Promise<number | undefined> {
    const endMs = performance.now() + withinMs
    while (this.closeCode === undefined && performance.now() < endMs) await sleep(5)
    return this.closeCode
  }

  close(): void {
    this.socket.terminate()
  }
}
