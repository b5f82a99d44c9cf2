/**
 * All tracks that a node knows, its own and those of others, by publicationId and by name. Plain state without sockets:
 * desk.ts moves it. A track of another node keeps its publicationId when the way to it changes, so a trunk that is
 * dialled again is invisible to whoever watches.
 */
import { TRACKS_PER_NODE_MAX } from '../../config/limits.ts'
import type { TrackDescription, TrackName } from '../stage-port.ts'
import type { Link } from './link.ts'

export type Track = {
  readonly publicationId: number
  description: TrackDescription
  /** Where it comes from; undefined for a publication of this node. */
  link: Link | undefined
}

/** Bounded by TRACKS_PER_NODE_MAX. */
export class TrackBook {
  readonly #byId = new Map<number, Track>()
  readonly #byName = new Map<string, Track>()

  get isFull(): boolean {
    return this.#byId.size >= TRACKS_PER_NODE_MAX
  }

  get(publicationId: number): Track | undefined {
    return this.#byId.get(publicationId)
  }

  named(name: TrackName): Track | undefined {
    return this.#byName.get(nameKey(name))
  }

  values(): Iterable<Track> {
    return this.#byId.values()
  }

  add(track: Track): void {
    this.#byId.set(track.publicationId, track)
    this.#byName.set(nameKey(track.description), track)
  }

  delete(track: Track): void {
    this.#byId.delete(track.publicationId)
    const key = nameKey(track.description)
    if (this.#byName.get(key) === track) this.#byName.delete(key)
  }
}

/** Names hold no NUL: the doors refuse control characters. */
const nameKey = ({ room, participant, use }: TrackName): string => `${room}\0${participant}\0${use}`
