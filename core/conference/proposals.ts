/**
 * The batch that grows while requests are decided: gives new facts their place in the order and
 * folds them into the next state of their rooms. Knows nothing of requests, nor of the disk.
 */
import type { Instant } from './commands.ts'
import type { EventReader } from './event-store.ts'
import type { Fact, RoomEvent, VersionVector } from './events.ts'
import { HybridClock } from './hybrid-clock.ts'
import { type IngestResult, sortOutIngest } from './ingest.ts'
import type { OpenRooms } from './open-rooms.ts'
import type { Room } from './room.ts'

export class Proposals {
  readonly #store: EventReader
  readonly #rooms: OpenRooms
  readonly #clock: HybridClock
  /** With the events of the batch; `#before` is without them. */
  #vector: VersionVector
  #before: VersionVector = {}
  #events: RoomEvent[] = []
  /** Those of other nodes among them. */
  #arrived: RoomEvent[] = []

  constructor(store: EventReader, rooms: OpenRooms) {
    this.#store = store
    this.#rooms = rooms
    this.#clock = new HybridClock(store.timeLast)
    this.#vector = { [store.nodeId]: 0, ...store.versionVector() }
  }

  /** Starts an empty batch; the one before is on disk, or forgotten. */
  begin(): void {
    this.#before = { ...this.#vector }
    this.#events = []
    this.#arrived = []
  }

  get events(): readonly RoomEvent[] {
    return this.#events
  }

  /** Facts of this node. A room that breaks by one gets no more of them. */
  propose(room: Room, facts: readonly Fact[], now: Instant): void {
    for (const fact of facts) {
      const event = this.#stamp(room.name, fact, now)
      this.#rooms.touched.add(room)
      if (!this.#rooms.guard(room, () => room.propose(event))) {
        // What broke the room is not written: its number is the next one's.
        this.#vector[event.origin] = event.sequence - 1
        return
      }
      this.#events.push(event)
    }
  }

  /** The closing of a broken room, without being folded. */
  closeBroken(room: string, now: Instant): void {
    const closed: Fact = { type: 'room-closed', payload: { cause: 'fault' } }
    this.#events.push(this.#stamp(room, closed, now))
  }

  /** Events of other nodes; folded once they are on disk. */
  ingest(events: readonly RoomEvent[], now: Instant): IngestResult {
    const { accepted, result } = sortOutIngest(events, {
      vector: this.#vector,
      lost: this.#store.lostEvents(),
      observe: (time) => this.#clock.observe(time, now.wallMs),
    })
    for (const event of accepted) {
      const { origin, sequence } = event
      this.#vector[origin] = Math.max(sequence, this.#vector[origin] ?? 0)
      this.#events.push(event)
      this.#arrived.push(event)
    }
    return result
  }

  /** The batch is on disk: folds it into what everybody sees. */
  commit(): void {
    for (const room of this.#rooms.touched) this.#rooms.guard(room, () => room.commit())
    const byRoom = Map.groupBy(this.#arrived, (event) => event.room)
    byRoom.delete('')
    for (const [name, late] of byRoom) {
      const open = this.#rooms.get(name)
      // A room that is read now has the new events from the store.
      if (open === undefined) this.#rooms.named(name)?.noteRead()
      else {
        this.#rooms.touched.add(open)
        this.#rooms.guard(open, () => open.merge(late))
      }
    }
  }

  /** The disk has refused the batch: its numbers are free again. */
  forget(): void {
    this.#vector = this.#before
    for (const room of this.#rooms.touched) room.undo()
  }

  #stamp(room: string, fact: Fact, now: Instant): RoomEvent {
    const origin = this.#store.nodeId
    const sequence = this.#vector[origin]! + 1
    this.#vector[origin] = sequence
    return { ...fact, origin, sequence, time: this.#clock.tick(now.wallMs), room }
  }
}
