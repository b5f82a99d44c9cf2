/**
 * An open room of a node: its log, and what is derived from it for those who look. Holds what changed since the last
 * `settle`, and can undo a batch that the disk refused.
 */
import { ROOM_EMPTY_MS, ROOM_UNUSED_MS } from '../../config/limits.ts'
import type { RoomEvent } from './events.ts'
import { RoomLog } from './room-log.ts'
import { createRoomChanges, type RoomChanges, type RoomState } from './room-state.ts'
import { RoomView } from './room-view.ts'
import { Roster } from './roster.ts'

export class Room {
  readonly name: string
  readonly log: RoomLog
  readonly view = new RoomView()
  readonly roster = new Roster()
  /** When it closes for want of anybody (monotonic ms); Infinity while somebody is in. */
  emptyDeadlineMs = Number.POSITIVE_INFINITY
  #changes = createRoomChanges()
  #merged: RoomChanges[] = []
  /** Events before the running batch; -1 outside of one. */
  #batchStart = -1

  constructor(name: string, readAll: () => Iterable<RoomEvent>) {
    this.name = name
    this.log = new RoomLog(name, readAll)
  }

  get state(): RoomState {
    return this.log.state
  }

  /** Folds a proposed event of this node, to be settled or undone. */
  propose(event: RoomEvent): void {
    if (this.#batchStart < 0) this.#batchStart = this.log.eventCount
    this.log.append(event, this.#changes)
  }

  /** Folds stored events of other nodes; not within a batch. */
  merge(events: readonly RoomEvent[]): void {
    const changes = createRoomChanges()
    this.log.merge(events, changes)
    this.#take(changes)
    this.#merged.push(changes)
  }

  /** Takes back all proposals since the last settle. */
  undo(): void {
    if (this.#batchStart >= 0) this.log.truncate(this.#batchStart)
    this.#batchStart = -1
    this.#changes = createRoomChanges()
  }

  /** The proposals are on disk: shows them to view and roster and returns all changes since the last settle. */
  settle(nowMs: number): RoomChanges[] {
    this.#batchStart = -1
    this.#take(this.#changes)
    const settled = [...this.#merged, this.#changes]
    this.#merged = []
    this.#changes = createRoomChanges()
    const { participants, used } = this.state
    if (participants.size > 0) this.emptyDeadlineMs = Number.POSITIVE_INFINITY
    else if (this.emptyDeadlineMs === Number.POSITIVE_INFINITY) {
      this.emptyDeadlineMs = nowMs + (used ? ROOM_EMPTY_MS : ROOM_UNUSED_MS)
    }
    return settled
  }

  #take(changes: RoomChanges): void {
    this.view.note(changes, this.state.participants.size)
    this.roster.note(changes.added, changes.gone.size, changes.refolded)
  }
}
