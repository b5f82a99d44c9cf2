/**
 * What publishers of voices are asked to send, so that it fits every link between them and their listeners: the
 * strictest that any link asks for, told towards the publisher. Links decide (relay/budget); nothing is transcoded
 * anywhere.
 */
import { TRACKS_PER_NODE_MAX } from '../../config/limits.ts'
import type { SpeechLimit } from '../stage-port.ts'

/** As it likes. */
export const NO_LIMIT: SpeechLimit = { packetMs: 20, bitrateBps: 0 }

/** Who asks: a link for itself, or for those beyond it. */
export type Asker = object

/** By publicationId; bounded by TRACKS_PER_NODE_MAX. */
export class SpeechLimits {
  readonly #asked = new Map<number, Map<Asker, SpeechLimit>>()
  readonly #told = new Map<number, SpeechLimit>()
  readonly #tell: (publicationId: number, limit: SpeechLimit) => void

  /** `tell`: towards the publisher, whenever what it is asked for has changed. */
  constructor(tell: (publicationId: number, limit: SpeechLimit) => void) {
    this.#tell = tell
  }

  ask(publicationId: number, asker: Asker, limit: SpeechLimit): void {
    let asked = this.#asked.get(publicationId)
    if (isNoLimit(limit)) asked?.delete(asker)
    else if (asked !== undefined) asked.set(asker, limit)
    else if (this.#asked.size < TRACKS_PER_NODE_MAX) {
      asked = new Map([[asker, limit]])
      this.#asked.set(publicationId, asked)
    }
    this.#settle(publicationId)
  }

  /** It asks for nothing any more. */
  forgetAsker(asker: Asker): void {
    for (const [publicationId, asked] of this.#asked) {
      if (asked.delete(asker)) this.#settle(publicationId)
    }
  }

  forgetTrack(publicationId: number): void {
    this.#asked.delete(publicationId)
    this.#told.delete(publicationId)
  }

  /** The way towards the publisher is another one, which knows of nothing. */
  tellAgain(publicationId: number): void {
    this.#told.delete(publicationId)
    this.#settle(publicationId)
  }

  #settle(publicationId: number): void {
    const asked = this.#asked.get(publicationId)
    const limit = [...(asked?.values() ?? [])].reduce(strictest, NO_LIMIT)
    if (asked?.size === 0) this.#asked.delete(publicationId)
    const told = this.#told.get(publicationId) ?? NO_LIMIT
    if (told.packetMs === limit.packetMs && told.bitrateBps === limit.bitrateBps) return
    if (isNoLimit(limit)) this.#told.delete(publicationId)
    else this.#told.set(publicationId, limit)
    this.#tell(publicationId, limit)
  }
}

function isNoLimit({ packetMs, bitrateBps }: SpeechLimit): boolean {
  return packetMs === NO_LIMIT.packetMs && bitrateBps === 0
}

/** The longer packets and the lower rate. */
function strictest(a: SpeechLimit, b: SpeechLimit): SpeechLimit {
  const rates = [a.bitrateBps, b.bitrateBps].filter((bitrateBps) => bitrateBps > 0)
  return {
    packetMs: Math.max(a.packetMs, b.packetMs),
    bitrateBps: rates.length === 0 ? 0 : Math.min(...rates),
  }
}
