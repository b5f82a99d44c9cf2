/**
 * The seam between the conference and the disk. Implemented in core/store (SQLite), faked in tests. The conference only
 * reads; what it decides it hands to the host, which appends and tells it what became of it: an fsync holds up nobody.
 */
import type { RoomCheckpoint } from './checkpoint.ts'
import type { EventPosition, RoomEvent, VersionVector } from './events.ts'

/** `full` and `read-only` heal by themselves when the disk does; `failed` is anything else. */
export type AppendResult = { ok: true } | { ok: false; cause: 'full' | 'read-only' | 'failed' }

/** What is on disk. Reads see all batches that were acknowledged, and nothing of one that is on its way. */
export interface EventReader {
  /** Random id of this node, made on first start and kept. */
  readonly nodeId: string
  /** Ids this node had before its log was damaged; who joined under them joined here. */
  readonly formerNodeIds: readonly string[]
  /** Highest hybrid time on disk, 0 when empty: the clock starts from here. */
  readonly timeLast: number
  /** Copy of "the last I have of each origin". */
  versionVector(): VersionVector
  /** A room's events in total order, strictly after `after` when given; bounded pages are read lazily. */
  readRoom(room: string, after?: EventPosition): Iterable<RoomEvent>
  /** The room's newest checkpoint, unless events before it came later. */
  readCheckpoint(room: string): RoomCheckpoint | undefined
  /** Events of one origin with sequence > `after`, ascending, at most `limit`. */
  readOrigin(origin: string, after: number, limit: number): RoomEvent[]
  /** Rooms whose last event is not `room-closed`, at most `limit`. */
  openRooms(limit: number): string[]
  /** Places whose event was damaged on disk; the same event from another node repairs them. */
  lostEvents(): { origin: string; sequence: number }[]
}

export interface EventStore extends EventReader {
  /**
   * All or nothing, durable before it resolves, in order of the calls; events already there are ignored, and one that
   * was lost is restored. An empty batch only tries whether writing is possible. Never rejects.
   */
  append(events: readonly RoomEvent[]): Promise<AppendResult>
  /** Keeps a checkpoint of what is on disk, in order with the appends; a disk that refuses it is not told. */
  keep(checkpoint: RoomCheckpoint): void
}
