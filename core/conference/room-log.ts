/**
 * The events of one room in their order, with the state that they fold to. Late events (of an
 * island that heals) go to their place and the state is folded again from the nearest snapshot
 * before it; older than the oldest snapshot, the whole room is read again from the store. Reading
 * begins at a checkpoint, where there is one. Snapshots
 * stand apart at least as many events as a copy costs, so appending stays linear, and memory is
 * bounded by LOG_SNAPSHOTS_MAX such distances.
 */
import {
  CHECKPOINT_EVENTS_MIN,
  LOG_SNAPSHOT_EVENTS_MIN,
  LOG_SNAPSHOTS_MAX,
} from '../../config/limits.ts'
import { checkpointOf, type RoomCheckpoint, stateOfCheckpoint } from './checkpoint.ts'
import { compareEvents, type EventPosition, type RoomEvent } from './events.ts'
import { foldEvent } from './fold.ts'
import { voteCountOf } from './polls.ts'
import { noteDifference } from './refold.ts'
import {
  cloneRoomState,
  createRoomChanges,
  createRoomState,
  type RoomChanges,
  type RoomState,
} from './room-state.ts'

/** `index` counts the events folded into `state` since the room's log was read. */
type Snapshot = { index: number; state: RoomState; last: EventPosition | undefined }

export class RoomLog {
  readonly #room: string
  readonly #read: (after?: EventPosition) => Iterable<RoomEvent>
  #state: RoomState
  /** Oldest first, never empty; the recent events start at the first one's index. */
  #snapshots: Snapshot[]
  #recent: RoomEvent[] = []
  /** Events folded since creation, a figure of cost for tests and metrics. */
  foldedCount = 0

  /** `read` gives the events after a place, in total order; it is asked again when the distant past changes. */
  constructor(
    room: string,
    read: (after?: EventPosition) => Iterable<RoomEvent>,
    checkpoint?: RoomCheckpoint,
  ) {
    this.#room = room
    this.#read = read
    this.#state = createRoomState(room)
    this.#snapshots = [{ index: 0, state: cloneRoomState(this.#state), last: undefined }]
    this.#reload(checkpoint)
  }

  /** Owned by the log; read it, and do not keep it over a change. */
  get state(): RoomState {
    return this.#state
  }

  get eventCount(): number {
    return this.#snapshots[0]!.index + this.#recent.length
  }

  /** Events held in memory, bounded by the distance of LOG_SNAPSHOTS_MAX snapshots. */
  get recentCount(): number {
    return this.#recent.length
  }

  /** Folds an event that comes after all others. */
  append(event: RoomEvent, changes: RoomChanges): void {
    this.#recent.push(event)
    foldEvent(this.#state, event, changes)
    this.foldedCount += 1
    const newest = this.#snapshots.at(-1)!
    const distance = Math.max(LOG_SNAPSHOT_EVENTS_MIN, sizeOf(this.#state))
    if (this.eventCount - newest.index >= distance) this.#takeSnapshot()
  }

  /**
   * Puts events of other nodes (already in the store) in their places; those that are here already
   * change nothing. Folds again at most once for the whole batch.
   */
  merge(events: readonly RoomEvent[], changes: RoomChanges): void {
    const sorted = events.toSorted(compareEvents)
    const last = this.#last
    if (sorted.length === 0) return
    if (last === undefined || compareEvents(sorted[0]!, last) > 0) {
      this.#appendSorted(sorted, changes)
      return
    }
    const before = cloneRoomState(this.#state)
    this.#rewrite(sorted)
    noteDifference(before, this.#state, changes)
  }

  /** What it leaves behind when it is closed; undefined when that saves too little. */
  checkpoint(): RoomCheckpoint | undefined {
    const last = this.#last
    if (last === undefined || this.eventCount < CHECKPOINT_EVENTS_MIN) return undefined
    return checkpointOf(this.#state, last)
  }

  get #last(): EventPosition | undefined {
    return this.#recent.at(-1) ?? this.#snapshots[0]!.last
  }

  #appendSorted(sorted: readonly RoomEvent[], changes: RoomChanges): void {
    let last: RoomEvent | undefined
    for (const event of sorted) {
      if (last === undefined || compareEvents(last, event) !== 0) this.append(event, changes)
      last = event
    }
  }

  #rewrite(sorted: readonly RoomEvent[]): void {
    const first = sorted[0]!
    const snapshot = this.#snapshots.findLast(
      ({ last }) => last !== undefined && compareEvents(last, first) < 0,
    )
    const fromStart = this.#snapshots[0]!.last === undefined ? this.#snapshots[0] : undefined
    const from = snapshot ?? fromStart
    if (from === undefined) {
      this.#reload()
      return
    }
    this.#restore(from, mergeSorted(this.#recent, sorted))
  }

  /** Starts again at a snapshot and folds what of `events` (all since the oldest snapshot) comes after it. */
  #restore(from: Snapshot, events: readonly RoomEvent[]): void {
    const keptCount = from.index - this.#snapshots[0]!.index
    this.#snapshots = this.#snapshots.filter((snapshot) => snapshot.index <= from.index)
    this.#state = cloneRoomState(from.state)
    this.#recent = events.slice(0, keptCount)
    const changes = createRoomChanges()
    for (let index = keptCount; index < events.length; index += 1) {
      this.append(events[index]!, changes)
    }
  }

  #reload(checkpoint?: RoomCheckpoint): void {
    const kept = checkpoint && stateOfCheckpoint(checkpoint)
    const last = kept && checkpoint?.last
    this.#state = kept ?? createRoomState(this.#room)
    this.#recent = []
    this.#snapshots = [{ index: 0, state: cloneRoomState(this.#state), last }]
    let changes = createRoomChanges()
    for (const event of this.#read(last)) {
      this.append(event, changes)
      // What happened in the past concerns nobody; do not gather it.
      if (this.#recent.length % LOG_SNAPSHOT_EVENTS_MIN === 0) changes = createRoomChanges()
    }
  }

  #takeSnapshot(): void {
    const last = this.#recent.at(-1)!
    this.#snapshots.push({
      index: this.eventCount,
      state: cloneRoomState(this.#state),
      last: { time: last.time, origin: last.origin, sequence: last.sequence },
    })
    if (this.#snapshots.length <= LOG_SNAPSHOTS_MAX) return
    const dropped = this.#snapshots.shift()!
    this.#recent.splice(0, this.#snapshots[0]!.index - dropped.index)
  }
}

function sizeOf(state: RoomState): number {
  return (
    state.participants.size +
    state.chat.length +
    voteCountOf(state.polls) +
    state.barredTokens.size +
    state.barredSubjects.size
  )
}

/** Two ordered lists as one; equal positions once. */
function mergeSorted(a: readonly RoomEvent[], b: readonly RoomEvent[]): RoomEvent[] {
  const merged: RoomEvent[] = []
  let left = 0
  let right = 0
  while (left < a.length || right < b.length) {
    const fromLeft =
      right >= b.length || (left < a.length && compareEvents(a[left]!, b[right]!) <= 0)
    const next = fromLeft ? a[left++]! : b[right++]!
    const last = merged.at(-1)
    if (last === undefined || compareEvents(last, next) !== 0) merged.push(next)
  }
  return merged
}
