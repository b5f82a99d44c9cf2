/**
 * A message on its way out: encoded at most once per subprotocol, however many sockets it goes to.
 */

import type { Codec, ServerMessage } from '../protocol/index.ts'

/** Statistics are left out for slow readers; everything else must arrive. */
const STATISTICS: ReadonlySet<ServerMessage['type']> = new Set(['quality', 'speakers'])

/** One message for one or many connections. */
export class Outgoing {
  readonly message: ServerMessage
  readonly isStatistics: boolean
  readonly #frames = new Map<Codec, string | Uint8Array>()

  constructor(message: ServerMessage) {
    this.message = message
    this.isStatistics = STATISTICS.has(message.type)
  }

  frame(codec: Codec): string | Uint8Array {
    let frame = this.#frames.get(codec)
    if (frame === undefined) {
      frame = codec.encode(this.message)
      this.#frames.set(codec, frame)
    }
    return frame
  }
}
