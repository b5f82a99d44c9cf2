/**
 * Who shares media on this engine: the transports of a room, its publications, and what everyone
 * hears and sees by default. Roles, names and the choice of speakers are elsewhere.
 */
import type { RoomAssignment } from '../control.ts'
import type { Publication } from './publication.ts'
import type { Slot } from './slot.ts'
import type { Transport } from './transport.ts'

const NOBODY: RoomAssignment = { audio: [], main: 0, mainFallback: 0 }

/** Owned by the registry; made by its first member or assignment. */
export class Room {
  readonly roomId: number
  readonly transports: Transport[] = []
  readonly publications = new Map<number, Publication>()
  assignment: RoomAssignment = NOBODY
  /** Grows when a layer begins or ceases to flow, so that nobody waits for its turn to notice. */
  flowRevision = 0

  constructor(roomId: number) {
    this.roomId = roomId
  }

  /** An assignment keeps a room: the next to join on this worker is not told again. */
  get isEmpty(): boolean {
    const { audio, main, mainFallback } = this.assignment
    const isAssigned = main !== 0 || mainFallback !== 0 || audio.some((id) => id !== 0)
    return !isAssigned && this.transports.length === 0 && this.publications.size === 0
  }

  /** What a slot is to show now. Nobody ever gets an own publication. */
  publicationFor(slot: Slot, transport: Transport): Publication | undefined {
    const own = transport.transportId
    const { use, index } = slot.section
    switch (use) {
      case 'audio': {
        // Only a listener with fewer slots than the room hears has a view of audio.
        const chosen = this.#find(slot.viewPublicationId, own, 'audio')
        return chosen ?? this.#find(this.assignment.audio[index] ?? 0, own, 'audio')
      }
      case 'tile':
        return this.#find(slot.viewPublicationId, own, 'video')
      case 'main': {
        const chosen = this.#find(slot.viewPublicationId, own, 'video')
        if (chosen !== undefined) return chosen
        const main = this.#find(this.assignment.main, own, 'video')
        return main ?? this.#find(this.assignment.mainFallback, own, 'video')
      }
    }
  }

  #find(publicationId: number, ownId: number, kind: 'audio' | 'video'): Publication | undefined {
    if (publicationId === 0) return undefined
    const publication = this.publications.get(publicationId)
    if (publication === undefined || publication.kind !== kind) return undefined
    return publication.transportId === ownId ? undefined : publication
  }
}
