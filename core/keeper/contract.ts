/**
 * What the rest of the node knows of the stage on disk: segments, where they are, what is missing. Implemented by
 * core/keeper/io; used by catch-up, store-and-forward, recordings and the page that shows what was missed. The bytes:
 * docs/SEGMENTS.md.
 */
import type { MediaKind, SourceUse } from '../media/control.ts'

/** SHA-256 of a whole segment: 64 lower-case hex digits. Its name on every node. */
export type SegmentHash = string

/** One track of one participant, by names that are the same on every node. */
export type KeptTrack = { room: string; participant: string; use: SourceUse }

/** Codecs that are kept. */
export type KeptCodec = 'opus' | 'vp8'

/** What the head of a segment says (docs/SEGMENTS.md); frames are read with `readSegment`. */
export type SegmentHead = KeptTrack & {
  /** As people knew the participant. */
  name: string
  /** Node that recorded it. */
  origin: string
  kind: MediaKind
  codec: KeptCodec
  /**
   * Unix ms by the recording node at which the chain began; with origin and track it names the chain. A track has a
   * new one where the recording node no longer knew the end of the last.
   */
  chainMs: number
  /** Position in the chain, from 0. */
  sequence: number
  /** Hash of the one before in the chain; '' for the first. */
  previous: SegmentHash | ''
  /** Room time of its first frame: Unix ms by the recording node. */
  startMs: number
  /** From the first frame's beginning to the last one's end, ms. */
  durationMs: number
  /** Packets were lost, or nobody was recording, between the one before in the chain and this one. */
  gapBefore: boolean
  /** Frames inside are missing. */
  incomplete: boolean
  /**
   * It begins with a keyframe. False only where none came for SEGMENT_WITHOUT_KEYFRAME_MS: then it continues the one
   * before.
   */
  independent: boolean
  frameCount: number
  /** Of a picture's keyframe; 0 for audio. */
  widthPx: number
  heightPx: number
}

/** One segment that is on disk here. */
export type SegmentEntry = SegmentHead & {
  hash: SegmentHash
  sizeBytes: number
  /** Unix ms by this node at which it came onto this disk. */
  storedMs: number
}

/** Half open: fromMs <= t < toMs, Unix ms. */
export type TimeRange = { fromMs: number; toMs: number }

export type SegmentQuery = TimeRange & {
  room: string
  participant?: string
  use?: SourceUse
  origin?: string
  /** At most so many, the earliest first; absent = SEGMENTS_PER_LIST_MAX, which is never exceeded. */
  limit?: number
}

/** What is on disk here. Synchronous, on the main thread: an index, no media. */
export interface SegmentIndex {
  /** Those that overlap the range, by startMs, then track, origin and sequence. */
  list(query: SegmentQuery): SegmentEntry[]
  get(hash: SegmentHash): SegmentEntry | undefined
  /** Tracks of a room with anything in the range. */
  tracks(query: TimeRange & { room: string }): KeptTrack[]
  /** Rooms with anything on disk, and between when. */
  rooms(): (TimeRange & { room: string })[]
  /**
   * Parts of the range that nothing here covers for the track, whoever recorded it. Consecutive segments of a chain
   * cover the silence between them; `incomplete` ones do not count unless `allowIncomplete`.
   */
  missing(query: KeptTrack & TimeRange & { allowIncomplete?: boolean }): TimeRange[]
  /** The newest of a chain, for who continues or checks it. */
  tail(chain: KeptTrack & { origin: string; chainMs: number }): SegmentEntry | undefined
}

export type PutOutcome =
  /** On disk, fsynced. */
  | { ok: true; state: 'stored' | 'known'; entry: SegmentEntry }
  | {
      ok: false
      /**
       * malformed: not a segment; wrong-hash: not the one that was asked for; wrong-chain: its place in its chain is
       * taken by another, or its neighbours there contradict it; too-old: the ring would drop it at once; the others:
       * what the disk says.
       */
      reason: 'malformed' | 'wrong-hash' | 'wrong-chain' | 'too-old' | 'busy' | StorageFault
    }

export type StorageFault = 'full' | 'read-only' | 'failed'

export type ReadOutcome =
  | { ok: true; bytes: Uint8Array }
  /** damaged: it was set aside, is no longer in the index, and `onDamaged` was told. */
  | { ok: false; reason: 'unknown' | 'damaged' | 'failed' | 'busy' }

/** Called on the main thread; must not throw. */
export type SegmentListener = {
  /** On disk and in the index, recorded here or put. */
  onStored?: (entry: SegmentEntry) => void
  /** Left the ring because of its age, or for room. */
  onDropped?: (entry: SegmentEntry) => void
  /** It is to be fetched again from who has it. */
  onDamaged?: (entry: SegmentEntry) => void
  onHealth?: (health: KeeperHealth) => void
}

/** `storing`: all well. Otherwise what is recorded now is lost, and media and control go on. */
export type KeeperHealth = {
  state: 'storing' | StorageFault
  /** Unix ms since when. */
  sinceMs: number
  segmentCount: number
  sizeBytes: number
  /** Unix ms of the oldest; 0 when there is none. */
  oldestMs: number
}

/** The stage on disk. One per node; absent when `keeper.enabled` is false. */
export interface SegmentStore extends SegmentIndex {
  readonly health: KeeperHealth
  /**
   * The bytes as they were made, checked against the hash off the main thread. Bounded: `busy` beyond
   * KEEPER_REQUESTS_MAX at once.
   */
  read(hash: SegmentHash): Promise<ReadOutcome>
  /**
   * Takes one from elsewhere. Resolves when it is on disk: only then may it be acknowledged. `bytes` are moved to
   * another thread and empty afterwards. `hash`: the one that was asked for.
   */
  put(bytes: Uint8Array<ArrayBuffer>, hash?: SegmentHash): Promise<PutOutcome>
  /** Returns how to stop it. */
  watch(listener: SegmentListener): () => void
  /** Finishes what is open, then ends. Idempotent. */
  close(): Promise<void>
}
