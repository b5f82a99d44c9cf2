/**
 * What waits for the disk: segments that were recorded here, bounded in bytes; and whose chain has lost one. No I/O.
 */
import { KEEPER_QUEUE_BYTES_MAX } from '../../../config/limits.ts'
import type { KeptTrack } from '../contract.ts'
import type { SegmentDraft } from '../track-recorder.ts'

export type QueuedDraft = { track: KeptTrack & { name: string }; draft: SegmentDraft }

export const trackKey = ({ room, participant, use }: KeptTrack): string =>
  `${room}\0${participant}\0${use}`

/** Oldest first. Beyond the bound the oldest are lost: what is said now matters more when the disk is back. */
export class SegmentQueue {
  readonly #waiting: QueuedDraft[] = []
  #bytes = 0
  readonly #broken = new Set<string>()
  lost = 0

  get count(): number {
    return this.#waiting.length
  }

  get sizeBytes(): number {
    return this.#bytes
  }

  push(one: QueuedDraft): void {
    this.#waiting.push(one)
    this.#bytes += sizeOf(one)
    while (this.#bytes > KEEPER_QUEUE_BYTES_MAX) this.lose(this.#waiting.shift()!)
  }

  /** The first of them. */
  peek(countMax: number): readonly QueuedDraft[] {
    return this.#waiting.slice(0, countMax)
  }

  /** They are on disk. */
  done(these: readonly QueuedDraft[]): void {
    const gone = new Set(these)
    const left = this.#waiting.filter((one) => !gone.has(one))
    this.#waiting.length = 0
    this.#bytes = 0
    for (const one of left) {
      this.#waiting.push(one)
      this.#bytes += sizeOf(one)
    }
  }

  /** One is lost for good: the next of its track does not continue the one before. */
  lose(one: QueuedDraft): void {
    this.#bytes -= sizeOf(one)
    this.#broken.add(trackKey(one.track))
    this.lost += 1
  }

  /** Whether something of the track was lost before its next segment. */
  isBroken(track: KeptTrack): boolean {
    return this.#broken.has(trackKey(track))
  }

  /** Its next segment is on disk, and says so. */
  mended(track: KeptTrack): void {
    this.#broken.delete(trackKey(track))
  }
}

function sizeOf({ draft }: QueuedDraft): number {
  return draft.frames.reduce((sum, { bytes }) => sum + bytes.length, 256)
}
