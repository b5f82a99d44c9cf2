/**
 * How a slot's outgoing numbers map to source numbers, lately: a bounded ring of segments with
 * constant differences. It maps late packets forwards and NACKed numbers backwards, without any
 * memory per packet. Not a packet cache.
 *
 *   source  ... 40 41 42 | 43 44 (dropped) | 45 46 47 ...      segment k: from 40   segment k+1: from 45, dropped 2
 *   out     ... 90 91 92 |                 | 93 94 95 ...
 *
 * Numbers are kept as 32-bit integers; comparisons go by difference, so wraps of 32 bits are
 * harmless.
 */
import type { SourceLayer } from './source-layer.ts'

const FIELDS = 9
const SOURCE_FROM = 0
const OUT_FROM = 1
const TIMESTAMP_DELTA = 2
const PICTURE_DELTA = 3
const TL0_DELTA = 4
const DROPPED = 5
const EPOCH = 6
/** Timestamp of the dropped frame, if a frame it was (and not padding). */
const FRAME_TIMESTAMP = 7
const IS_FRAME = 8

/** What a segment adds to the source's numbers. */
export type SegmentStart = {
  layer: SourceLayer
  epoch: number
  /** First source sequence of the segment, and the outgoing index that it gets. */
  sourceFrom: number
  outFrom: number
  timestampDelta: number
  pictureDelta: number
  tl0Delta: number
}

/** Ring of `capacity` (a power of two) segments; the oldest is forgotten. */
export class Segments {
  readonly #capacity: number
  readonly #values: Int32Array
  readonly #layers: (SourceLayer | undefined)[]
  /** Segments ever made. */
  #count = 0
  /** First segment (by count) of the present switch. */
  #present = 0

  // Filled by `findSource` and `findOut`.
  layer: SourceLayer | undefined
  epoch = 0
  sequence = 0
  outIndex = 0
  timestampDelta = 0
  pictureDelta = 0
  tl0Delta = 0
  /** The very packet at which the slot switched. */
  isSwitch = false

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#values = new Int32Array(capacity * FIELDS)
    this.#layers = new Array<SourceLayer | undefined>(capacity).fill(undefined)
  }

  /** A switch: nothing older maps forwards any more, but NACKs still map back. */
  begin(start: SegmentStart): void {
    this.#present = this.#count
    const at = this.#push(start.layer)
    const values = this.#values
    values[at + SOURCE_FROM] = start.sourceFrom
    values[at + OUT_FROM] = start.outFrom
    values[at + TIMESTAMP_DELTA] = start.timestampDelta
    values[at + PICTURE_DELTA] = start.pictureDelta
    values[at + TL0_DELTA] = start.tl0Delta
    values[at + DROPPED] = 0
    values[at + EPOCH] = start.epoch
    values[at + IS_FRAME] = 0
  }

  /**
   * @hot A frame's numbers `sequence - count + 1 .. sequence` are not forwarded; its first closes a
   * PictureID.
   */
  dropFrame(sequence: number, count: number, timestamp: number, pictures: number): void {
    const values = this.#values
    const last = this.#at(this.#count - 1)
    const isSame = values[last + IS_FRAME] === 1 && values[last + FRAME_TIMESTAMP] === timestamp
    const at = isSame && this.#isNext(last, sequence, count) ? last : this.#split(sequence, count)
    this.#grow(at, sequence, count)
    values[at + PICTURE_DELTA] = values[at + PICTURE_DELTA]! - pictures
    values[at + FRAME_TIMESTAMP] = timestamp
    values[at + IS_FRAME] = 1
  }

  /** @hot A number that was used for padding is not forwarded. */
  dropPadding(sequence: number): void {
    const values = this.#values
    const last = this.#at(this.#count - 1)
    const isSame = values[last + IS_FRAME] === 0 && values[last + DROPPED]! > 0
    const at = isSame && this.#isNext(last, sequence, 1) ? last : this.#split(sequence, 1)
    this.#grow(at, sequence, 1)
    values[at + IS_FRAME] = 0
  }

  /** True when nothing was forwarded since the drop with which this segment began. */
  #isNext(at: number, sequence: number, count: number): boolean {
    return ((sequence + 1 - this.#values[at + SOURCE_FROM]!) | 0) === count
  }

  /** A new segment with the differences of the last, in which nothing is dropped yet. */
  #split(sequence: number, count: number): number {
    const values = this.#values
    const last = this.#at(this.#count - 1)
    const run = (sequence + 1 - count - values[last + SOURCE_FROM]!) | 0
    const outFrom = values[last + OUT_FROM]! + run
    const at = this.#push(this.#layers[(this.#count - 1) & (this.#capacity - 1)])
    values.copyWithin(at, last, last + FIELDS)
    values[at + OUT_FROM] = outFrom
    values[at + DROPPED] = 0
    return at
  }

  #grow(at: number, sequence: number, count: number): void {
    const values = this.#values
    values[at + SOURCE_FROM] = (sequence + 1) | 0
    values[at + DROPPED] = values[at + DROPPED]! + count
  }

  /** True when packets of the frame with this timestamp were dropped in the present run. */
  hasDroppedFrame(timestamp: number): boolean {
    const oldest = Math.max(this.#present, this.#count - this.#capacity)
    for (let k = this.#count - 1; k >= oldest; k--) {
      const at = this.#at(k)
      if (this.#values[at + IS_FRAME] !== 1) continue
      if (this.#values[at + FRAME_TIMESTAMP] === timestamp) return true
    }
    return false
  }

  /**
   * Maps a late source number of the present switch: found (fields set), dropped, or before what is
   * remembered.
   */
  findSource(sequence: number): 'found' | 'dropped' | 'before' {
    const oldest = Math.max(this.#present, this.#count - this.#capacity)
    for (let k = this.#count - 1; k >= oldest; k--) {
      const at = this.#at(k)
      const offset = (sequence - this.#values[at + SOURCE_FROM]!) | 0
      if (offset >= 0) {
        this.#take(at, k, offset)
        return 'found'
      }
      if (offset >= -this.#values[at + DROPPED]!) return 'dropped'
    }
    return 'before'
  }

  /** The source of an outgoing index (any 32 low bits of it); false when it is forgotten. */
  findOut(outIndex: number): boolean {
    const oldest = Math.max(0, this.#count - this.#capacity)
    for (let k = this.#count - 1; k >= oldest; k--) {
      const at = this.#at(k)
      const offset = (outIndex - this.#values[at + OUT_FROM]!) | 0
      if (offset < 0) continue
      this.#take(at, k, offset)
      return true
    }
    return false
  }

  /** Lets go of every layer. */
  clear(): void {
    this.#layers.fill(undefined)
    this.layer = undefined
    this.#count = 0
    this.#present = 0
  }

  #take(at: number, k: number, offset: number): void {
    const values = this.#values
    this.layer = this.#layers[k & (this.#capacity - 1)]
    this.epoch = values[at + EPOCH]!
    this.sequence = (values[at + SOURCE_FROM]! + offset) | 0
    this.outIndex = (values[at + OUT_FROM]! + offset) | 0
    this.timestampDelta = values[at + TIMESTAMP_DELTA]!
    this.pictureDelta = values[at + PICTURE_DELTA]!
    this.tl0Delta = values[at + TL0_DELTA]!
    this.isSwitch = offset === 0 && values[at + DROPPED] === 0
  }

  #at(k: number): number {
    return (k & (this.#capacity - 1)) * FIELDS
  }

  #push(layer: SourceLayer | undefined): number {
    const place = this.#count & (this.#capacity - 1)
    this.#count += 1
    this.#layers[place] = layer
    return place * FIELDS
  }
}
