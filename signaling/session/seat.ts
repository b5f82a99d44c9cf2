/**
 * One participant of this node and what the doors hold for it: the connection, the negotiated
 * media, the view. Plain owned state; hub.ts and media-desk.ts move it. WHIP and WHEP participants
 * are seats without a connection.
 */

import type { GoneCause, Role, SelfState } from '../../core/conference/index.ts'
import type {
  DisconnectCause,
  Fingerprint,
  HostCandidate,
  IceCredentials,
  SourceUse,
} from '../../core/media/control.ts'
import type { ClientMessageOf, ServerMessage } from '../protocol/index.ts'
import type { Negotiation } from '../sdp/index.ts'
import type { Connection } from './connection.ts'
import type { Outgoing } from './outgoing.ts'
import type { Publication } from './publication.ts'
import { nextSeatState, type SeatEvent, type SeatState } from './states.ts'

export type NegotiatedSections = Extract<Negotiation, { ok: true }>['sections']

/** A negotiated transport: from the first offer until it is gone. */
export type Leg = {
  readonly transportId: number
  readonly candidates: readonly HostCandidate[]
  readonly fingerprints: readonly Fingerprint[]
  readonly sections: NegotiatedSections
  /** `use` by position of each offered section; '' where none was asked for. */
  readonly uses: readonly string[]
  /** One for each incoming section that was accepted. */
  readonly publications: ReadonlyMap<SourceUse, Publication>
  readonly sessionId: number
  ice: IceCredentials
  iceRemote: IceCredentials
  answerCount: number
  answer: string
  connected: boolean
  /** Slots that the allocator has paused. */
  paused: Set<string>
  /** Last `view` command and last `slots` message, to send changes only. */
  sentViews: string
  sentSlots: string
}

export type View = Pick<ClientMessageOf<'view'>, 'main' | 'slots'>

export type SeatIdentity = { participant: string; room: string; role: Role }

/** What a WHIP or WHEP resource wants to know; both come at most once. */
export type SeatListener = {
  onGone: (cause: GoneCause) => void
  onMediaLost: (cause: DisconnectCause) => void
}

/** Lives from the first `joined` until the participant is gone from the room. */
export class Seat {
  readonly participant: string
  readonly room: string
  readonly role: Role
  self: SelfState
  connection: Connection | undefined
  listener: SeatListener | undefined
  leg: Leg | undefined
  /** Undefined until the client has said what it shows. */
  view: View | undefined
  /** Publications in the tiles that the director fills, by tile index. */
  tiles: number[] = []
  #state: SeatState = 'joined'

  constructor(identity: SeatIdentity, self: SelfState) {
    this.participant = identity.participant
    this.room = identity.room
    this.role = identity.role
    this.self = self
  }

  get state(): SeatState {
    return this.#state
  }

  /** Moves by the table of states.ts; false when the event may not happen now. */
  step(event: SeatEvent): boolean {
    const next = nextSeatState(this.#state, event)
    if (next === undefined) return false
    this.#state = event === 'resume' && this.leg !== undefined ? 'negotiated' : next
    return true
  }

  send(message: Outgoing | ServerMessage): void {
    this.connection?.send(message)
  }

  /** What it may, is muted in, and has voted. */
  sendSelf(): void {
    const { onStage, permitted, muted, votes } = this.self
    this.send({ type: 'self', onStage, permitted, muted, votes })
  }
}
