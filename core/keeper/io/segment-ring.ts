/** The bounds of the stage on disk: hours, bytes, and what is left free for others. The oldest leave first. */
import { KEEPER_DROPS_AT_ONCE, KEEPER_FREE_BYTES_MIN } from '../../../config/limits.ts'
import type { SegmentEntry } from '../contract.ts'
import type { SegmentFiles } from './segment-files.ts'
import { chargeOf, type SegmentTable } from './segment-table.ts'

export type RingBounds = { hours: number; bytes: number }

export type SegmentRingOptions = {
  files: SegmentFiles
  table: SegmentTable
  bounds: RingBounds
  onDropped: (entries: SegmentEntry[]) => void
}

const HOUR_MS = 3_600_000
/** Tracks without segments are looked for after so many rounds of dropping. */
const PRUNE_EVERY = 64

/** Thrown when room cannot be made. */
export class DiskFullError extends Error {
  readonly code = 'ENOSPC'
}

/** Counts with the table: tell it of all that comes and goes. */
export class SegmentRing {
  readonly #options: SegmentRingOptions
  #rounds = 0
  segmentCount: number
  /** Whole blocks. */
  sizeBytes: number
  oldestMs: number

  constructor(options: SegmentRingOptions) {
    this.#options = options
    const { segmentCount, chargedBytes, oldestMs } = options.table.totals()
    this.segmentCount = segmentCount
    this.sizeBytes = chargedBytes
    this.oldestMs = oldestMs
  }

  isTooOld(startMs: number, wallMs: number): boolean {
    return startMs < wallMs - this.#options.bounds.hours * HOUR_MS
  }

  added(entries: readonly SegmentEntry[]): void {
    for (const { sizeBytes, startMs, storedMs } of entries) {
      this.segmentCount += 1
      this.sizeBytes += chargeOf(sizeBytes)
      const agesMs = Math.min(startMs, storedMs)
      if (this.segmentCount === 1 || agesMs < this.oldestMs) this.oldestMs = agesMs
    }
  }

  removed(entries: readonly SegmentEntry[]): void {
    for (const { sizeBytes } of entries) {
      this.segmentCount -= 1
      this.sizeBytes -= chargeOf(sizeBytes)
    }
    this.oldestMs = this.#options.table.oldestMs()
  }

  /** Drops the oldest until `wantedBytes` more keep all bounds; rejects with DiskFullError when that does not help. */
  async makeRoom(wantedBytes: number, wallMs: number): Promise<void> {
    const { bounds, files } = this.#options
    const horizonMs = wallMs - bounds.hours * HOUR_MS
    let freeBytes = await files.freeBytes()
    for (;;) {
      const isOver = this.sizeBytes + wantedBytes > bounds.bytes
      const isTight = freeBytes - wantedBytes < KEEPER_FREE_BYTES_MIN && wantedBytes > 0
      const isOld = this.segmentCount > 0 && this.oldestMs < horizonMs
      if (!isOver && !isTight && !isOld) return
      if (this.segmentCount === 0) throw new DiskFullError('no room is left for the stage')
      const spareBytes = Math.max(
        this.sizeBytes + wantedBytes - bounds.bytes,
        KEEPER_FREE_BYTES_MIN + wantedBytes - freeBytes,
      )
      freeBytes += await this.#drop({ horizonMs, spareBytes })
    }
  }

  /** At most KEEPER_DROPS_AT_ONCE; returns their bytes. */
  async #drop({
    horizonMs,
    spareBytes,
  }: {
    horizonMs: number
    spareBytes: number
  }): Promise<number> {
    const { table, files, onDropped } = this.#options
    const gone: SegmentEntry[] = []
    let bytes = 0
    for (const entry of table.oldest(KEEPER_DROPS_AT_ONCE)) {
      const isOld = Math.min(entry.startMs, entry.storedMs) < horizonMs
      if (!isOld && bytes >= spareBytes) break
      gone.push(entry)
      bytes += chargeOf(entry.sizeBytes)
    }
    for (const { hash } of gone) await files.remove(hash)
    table.delete(gone.map(({ hash }) => hash))
    this.removed(gone)
    this.#rounds += 1
    if (this.#rounds % PRUNE_EVERY === 0) table.prune()
    onDropped(gone)
    return bytes
  }
}
