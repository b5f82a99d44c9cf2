/**
 * A WHIP or WHEP session as an HTTP resource: a name, an entity tag for its ICE session, a seat in
 * the room. The seat does the work; this only remembers whose it is.
 */

import type { Claims } from '../auth/index.ts'
import type { Leg, Seat } from '../session/index.ts'

export type WhipKind = 'whip' | 'whep'

/** Lives until DELETE, or until the participant or its media is gone. */
export class WhipResource {
  readonly id: string
  readonly kind: WhipKind
  readonly room: string
  readonly seat: Seat
  readonly #claims: Claims

  constructor(options: { id: string; kind: WhipKind; seat: Seat; claims: Claims }) {
    this.id = options.id
    this.kind = options.kind
    this.seat = options.seat
    this.room = options.claims.room
    this.#claims = options.claims
  }

  get location(): string {
    return `/${this.kind}/${encodeURIComponent(this.room)}/${this.id}`
  }

  get leg(): Leg | undefined {
    return this.seat.leg
  }

  /** Names the ICE session (RFC 9725 §4.3.1): changes with each restart. */
  get etag(): string {
    return `"${this.leg?.ice.usernameFragment ?? 'gone'}"`
  }

  /** The token that made it, or another of the same person for the same room. */
  isOwnedBy(claims: Claims): boolean {
    if (claims.room !== this.room) return false
    if (claims.tokenId !== '' && claims.tokenId === this.#claims.tokenId) return true
    return claims.subject !== '' && claims.subject === this.#claims.subject
  }
}
