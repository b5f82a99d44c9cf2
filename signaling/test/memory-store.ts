/** For tests of the doors: an event store in memory, with events of several nodes. */
import type {
  AppendResult,
  EventStore,
  RoomEvent,
  VersionVector,
} from '../../core/conference/index.ts'

export class MemoryStore implements EventStore {
  readonly nodeId: string
  readonly formerNodeIds: string[] = []
  readonly timeLast = 0
  readonly events: RoomEvent[] = []
  refuses: 'full' | undefined

  constructor(nodeId = 'ntest') {
    this.nodeId = nodeId
  }

  append(events: readonly RoomEvent[]): Promise<AppendResult> {
    if (this.refuses !== undefined) return Promise.resolve({ ok: false, cause: this.refuses })
    this.events.push(...events)
    return Promise.resolve({ ok: true })
  }

  versionVector(): VersionVector {
    const vector: VersionVector = { [this.nodeId]: 0 }
    for (const { origin, sequence } of this.events) vector[origin] = sequence
    return vector
  }

  readRoom(room: string): RoomEvent[] {
    const events = this.events.filter((event) => event.room === room)
    return events.sort((a, b) => a.time - b.time || (a.origin < b.origin ? -1 : 1))
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
