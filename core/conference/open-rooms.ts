/**
 * The rooms that a node holds open, and what becomes of one that a bug of ours breaks: it is closed
 * alone. Decides nothing about what happens in a room.
 */
import { ROOMS_MAX } from '../../config/limits.ts'
import type { Notice } from './commands.ts'
import type { EventStore } from './event-store.ts'
import { Room } from './room.ts'
import type { Sessions } from './sessions.ts'

type OpenRoomsOptions = {
  store: EventStore
  sessions: Sessions
  onFault: (error: unknown) => void
}

/** At most ROOMS_MAX. */
export class OpenRooms {
  /** Rooms with something to settle. */
  readonly touched = new Set<Room>()
  readonly #options: OpenRoomsOptions
  readonly #rooms = new Map<string, Room>()
  /** Broken, and not yet closed on disk: not to be read again before. */
  readonly #broken = new Set<string>()
  #notices: Notice[] = []

  constructor(options: OpenRoomsOptions) {
    this.#options = options
  }

  get(name: string): Room | undefined {
    return this.#rooms.get(name)
  }

  values(): Iterable<Room> {
    return this.#rooms.values()
  }

  names(): string[] {
    return [...this.#rooms.keys()].sort()
  }

  delete(name: string): void {
    this.#rooms.delete(name)
  }

  /** The room, read from the store when it is not open; undefined when it is broken or there are too many. */
  named(name: string): Room | undefined {
    const open = this.#rooms.get(name)
    if (open !== undefined) return open
    if (this.#rooms.size >= ROOMS_MAX || this.#broken.has(name)) return undefined
    try {
      const room = new Room(name, () => this.#options.store.readRoom(name))
      this.#rooms.set(name, room)
      // Settling drops it again unless it has come to be open.
      this.touched.add(room)
      return room
    } catch (error) {
      this.#break(name, error)
      return undefined
    }
  }

  /** Acts within a room; false when that threw, and then the room is no longer here. */
  guard(room: Room, act: () => void): boolean {
    try {
      act()
      return true
    } catch (error) {
      this.#rooms.delete(room.name)
      this.touched.delete(room)
      this.#break(room.name, error)
      return false
    }
  }

  isBroken(name: string): boolean {
    return this.#broken.has(name)
  }

  get brokenCount(): number {
    return this.#broken.size
  }

  /** Rooms whose closing is to be written, without folding it. */
  brokenNames(): string[] {
    return [...this.#broken]
  }

  /** Their closing is on disk: whoever joins finds a closed room. */
  mended(names: readonly string[]): void {
    for (const name of names) this.#broken.delete(name)
  }

  /** What those who were in broken rooms are to be told; once. */
  takeNotices(): Notice[] {
    const notices = this.#notices
    this.#notices = []
    return notices
  }

  #break(room: string, error: unknown): void {
    this.#broken.add(room)
    for (const participant of this.#options.sessions.removeRoom(room)) {
      this.#notices.push({ type: 'gone', room, participant, cause: 'room-closed', reason: '' })
    }
    this.#notices.push({ type: 'room-closed', room, cause: 'fault' })
    this.#options.onFault(error)
  }
}
