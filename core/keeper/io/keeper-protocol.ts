/**
 * What the main thread and the keeper thread say to each other beside the ways to media workers: plain,
 * structured-cloneable values; nothing per packet.
 */
import type { ToPlanePeer } from '../../io/carriers.ts'
import type {
  KeeperHealth,
  PutOutcome,
  ReadOutcome,
  SegmentEntry,
  SegmentHash,
} from '../contract.ts'
import type { KeepOrder } from '../keeper-tracks.ts'
import type { RingBounds } from './segment-ring.ts'

/** `workerData` of the keeper thread. */
export type KeeperSetup = { folder: string; origin: string; bounds: RingBounds }

export type ToKeeper =
  | ToPlanePeer
  | ({ type: 'keep' } & KeepOrder)
  | { type: 'drop'; publicationId: number }
  | { type: 'read'; id: number; hash: SegmentHash }
  | { type: 'put'; id: number; bytes: Uint8Array<ArrayBuffer>; hash: SegmentHash | undefined }
  | { type: 'close' }

export type FromKeeper =
  /** The index is there to be read. */
  | { type: 'ready'; health: KeeperHealth }
  | { type: 'unavailable'; message: string }
  | { type: 'stored'; entries: SegmentEntry[] }
  | { type: 'dropped'; entries: SegmentEntry[] }
  | { type: 'damaged'; entry: SegmentEntry }
  | { type: 'health'; health: KeeperHealth }
  | { type: 'read-done'; id: number; outcome: ReadOutcome }
  | { type: 'put-done'; id: number; outcome: PutOutcome }
  /** Once a second. */
  | { type: 'figures'; figures: KeeperFigures; health: KeeperHealth }
  | { type: 'note'; level: 'info' | 'warn' | 'error'; message: string; fields: object }
  | { type: 'closed' }

/** Counters since the thread began, but for the last three, which are of now. */
export type KeeperFigures = {
  /** Segments recorded here, and their bytes; taken from elsewhere; dropped by the ring; found damaged. */
  stored: number
  storedBytes: number
  put: number
  dropped: number
  damaged: number
  /** Batches that the disk refused, and recorded segments that were lost because of it. */
  refusals: number
  lost: number
  /** Packets that came too late for their segment. */
  latePackets: number
  /** Publications in a codec that is not kept. */
  unkept: number
  tracks: number
  queueBytes: number
  cpuRatio: number
}
