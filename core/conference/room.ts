/**
 * An open room of a node: its log, and what is derived from it for those who look. There are two states: `state`, of
 * what is on disk and what everybody sees, and `next`, with the proposals that are on their way there, by which the
 * next request is decided. A batch that the disk refuses is undone by forgetting `next`.
 */
import { ROOM_EMPTY_MS, ROOM_UNUSED_MS } from '../../config/limits.ts'
import type { RoomCheckpoint } from './checkpoint.ts'
import type { EventPosition, RoomEvent } from './events.ts'
import { foldEvent } from './fold.ts'
import { RoomLog } from './room-log.ts'
import {
  cloneRoomState,
  createRoomChanges,
  type RoomChanges,
  type RoomState,
} from './room-state.ts'
import { RoomView } from './room-view.ts'
import { Roster } from './roster.ts'

type SourceOfRoom = [
  read: (after?: EventPosition) => Iterable<RoomEvent>,
  checkpoint?: RoomCheckpoint,
]

export class Room {
  readonly name: string
  readonly log: RoomLog
  readonly view = new RoomView()
  readonly roster = new Roster()
  /** When it closes for want of anybody (monotonic ms); Infinity while somebody is in. */
  emptyDeadlineMs = Number.POSITIVE_INFINITY
  /** Not yet settled, one for each step. */
  #changes: RoomChanges[] = []
  #proposed: RoomEvent[] = []
  /** In step with `state` once the proposals are committed; undefined when it must be copied afresh. */
  #next: RoomState | undefined

  /** As RoomLog. */
  constructor(name: string, ...source: SourceOfRoom) {
    this.name = name
    this.log = new RoomLog(name, ...source)
  }

  get state(): RoomState {
    return this.log.state
  }

  /** The state with all proposals folded in; read it, and do not keep it over a change. */
  get next(): RoomState {
    return this.#next ?? this.log.state
  }

  /** Folds an event of this node into `next`, to be committed or undone. */
  propose(event: RoomEvent): void {
    this.#next ??= cloneRoomState(this.log.state)
    foldEvent(this.#next, event, createRoomChanges())
    this.#proposed.push(event)
  }

  /** The proposals are on disk. */
  commit(): void {
    if (this.#proposed.length === 0) return
    const changes = createRoomChanges()
    for (const event of this.#proposed) this.log.append(event, changes)
    this.#proposed = []
    this.#take(changes)
  }

  /** The disk has refused the proposals. */
  undo(): void {
    this.#proposed = []
    this.#next = undefined
  }

  /** Folds stored events of other nodes; not while there are proposals. */
  merge(events: readonly RoomEvent[]): void {
    const changes = createRoomChanges()
    this.log.merge(events, changes)
    this.#next = undefined
    this.#take(changes)
  }

  /** Other nodes have opened it: all that is in it is news to those who look at it from here. */
  noteRead(): void {
    const changes = { ...createRoomChanges(), counts: true, hands: true, pin: true }
    const stage = new Set(this.state.stage)
    const polls = new Set(this.state.polls.keys())
    this.#take({ ...changes, locked: true, emergency: true, acting: true, stage, polls })
  }

  /** All changes since the last settle. */
  settle(nowMs: number): RoomChanges[] {
    const settled = this.#changes
    this.#changes = []
    const { participants, used } = this.state
    if (participants.size > 0) this.emptyDeadlineMs = Number.POSITIVE_INFINITY
    else if (this.emptyDeadlineMs === Number.POSITIVE_INFINITY) {
      this.emptyDeadlineMs = nowMs + (used ? ROOM_EMPTY_MS : ROOM_UNUSED_MS)
    }
    return settled
  }

  #take(changes: RoomChanges): void {
    this.#changes.push(changes)
    this.view.note(changes, this.state.participants.size)
    this.roster.note(changes.added, changes.gone.size, changes.refolded)
  }
}
