/** For tests of the doors: an event store in memory. Faithful enough for one node. */
import type {
  AppendResult,
  EventStore,
  RoomEvent,
  VersionVector,
} from '../../core/conference/index.ts'

export class MemoryStore implements EventStore {
  readonly nodeId = 'ntest'
  readonly formerNodeIds: string[] = []
  readonly timeLast = 0
  readonly events: RoomEvent[] = []
  refuses: 'full' | undefined

  append(events: readonly RoomEvent[]): Promise<AppendResult> {
    if (this.refuses !== undefined) return Promise.resolve({ ok: false, cause: this.refuses })
    this.events.push(...events)
    return Promise.resolve({ ok: true })
  }

  versionVector(): VersionVector {
    return { [this.nodeId]: this.events.length }
  }

  readRoom(room: string): RoomEvent[] {
    return this.events.filter((event) => event.room === room)
  }

  readCheckpoint(): undefined {}

  keep(): void {}

  readOrigin(): RoomEvent[] {
    return []
  }

  openRooms(): string[] {
    return []
  }

  lostEvents(): never[] {
    return []
  }
}
