/**
 * The rooms that a node holds open, and what becomes of one that a bug of ours breaks: it is closed
 * alone. Decides nothing about what happens in a room.
 */
import { ROOMS_MAX } from '../../config/limits.ts'
import type { Notice } from './commands.ts'
import type { EventReader } from './event-store.ts'
import { Room } from './room.ts'
import type { Sessions } from './sessions.ts'

type OpenRoomsOptions = {
  store: EventReader
  sessions: Sessions
  onFault: (error: unknown) => void
}

/**
 * Of a broken room: its closing must be written; it is on disk, and the room may be read once more; that failed too, so
 * the log itself is poisoned and no try will help before another program reads it.
 */
type Breakage = 'to-close' | 'closed' | 'unreadable'

/** At most ROOMS_MAX, broken ones included. */
export class OpenRooms {
  /** Rooms with something to settle. */
  readonly touched = new Set<Room>()
  readonly #options: OpenRoomsOptions
  readonly #rooms = new Map<string, Room>()
  readonly #broken = new Map<string, Breakage>()
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
    const breakage = this.#broken.get(name)
    if (breakage === 'to-close' || breakage === 'unreadable') return undefined
    if (this.#rooms.size + this.#broken.size >= ROOMS_MAX) return undefined
    try {
      const { store } = this.#options
      const checkpoint = store.readCheckpoint(name)
      const room = new Room(name, (after) => store.readRoom(name, after), checkpoint)
      this.#rooms.set(name, room)
      // Settling drops it again unless it has come to be open.
      this.touched.add(room)
      this.#broken.delete(name)
      return room
    } catch (error) {
      if (breakage === undefined) this.#break(name, error)
      else {
        this.#broken.set(name, 'unreadable')
        this.#options.onFault(error)
      }
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

  get mustClose(): boolean {
    return this.#broken.size > 0 && this.namesToClose().length > 0
  }

  /** Rooms whose closing is to be written, without folding it; once each. */
  namesToClose(): string[] {
    return [...this.#broken].filter(([, breakage]) => breakage === 'to-close').map(([name]) => name)
  }

  /** Their closing is on disk: whoever joins finds a closed room, or one that cannot be read. */
  noteClosed(names: readonly string[]): void {
    for (const name of names) this.#broken.set(name, 'closed')
  }

  /** What those who were in broken rooms are to be told; once. */
  takeNotices(): Notice[] {
    const notices = this.#notices
    this.#notices = []
    return notices
  }

  #break(room: string, error: unknown): void {
    this.#broken.set(room, 'to-close')
    for (const participant of this.#options.sessions.removeRoom(room)) {
      this.#notices.push({ type: 'gone', room, participant, cause: 'room-closed', reason: '' })
    }
    this.#notices.push({ type: 'room-closed', room, cause: 'fault' })
    this.#options.onFault(error)
  }
}
