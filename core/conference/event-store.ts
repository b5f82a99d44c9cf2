/**
 * The seam between the conference and the disk. Implemented in core/store (SQLite), faked in tests. Synchronous on
 * purpose: a batch is folded, written and acknowledged within one call, so nobody ever sees a fact that is not on disk.
 */
import type { EventPosition, RoomEvent, VersionVector } from './events.ts'

/** `full` and `read-only` heal by themselves when the disk does; `failed` is anything else. */
export type AppendResult = { ok: true } | { ok: false; cause: 'full' | 'read-only' | 'failed' }

export interface EventStore {
  /** Random id of this node, made on first start and kept. */
  readonly nodeId: string
  /** Ids this node had before its log was damaged; who joined under them joined here. */
  readonly formerNodeIds: readonly string[]
  /** Highest hybrid time on disk, 0 when empty: the clock starts from here. */
  readonly timeLast: number
  /**
   * All or nothing, durable before it returns; events already there are ignored, and one
   * that was lost is restored. An empty batch only tries whether writing is possible. Never throws. */
  append(events: readonly RoomEvent[]): AppendResult
  /** Copy of "the last I have of each origin". */
  versionVector(): VersionVector
  /** A room's events in total order, strictly after `after` when given; bounded pages are read lazily. */
  readRoom(room: string, after?: EventPosition): Iterable<RoomEvent>
  /** Events of one origin with sequence > `after`, ascending, at most `limit`. */
  readOrigin(origin: string, after: number, limit: number): RoomEvent[]
  /** Rooms whose last event is not `room-closed`, at most `limit`. */
  openRooms(limit: number): string[]
  /** Places whose event was damaged on disk; the same event from another node repairs them. */
  lostEvents(): { origin: string; sequence: number }[]
}
