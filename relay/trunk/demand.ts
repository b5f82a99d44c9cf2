/**
 * Which layers each end wants of the other's streams, told in band: every change has a version;
 * what changed since the version known there is repeated until it is acknowledged. Keyframe
 * requests are asked again until a keyframe came.
 */
import { TRUNK_DEMAND_PAIRS_MAX, TRUNK_STREAMS_MAX } from '../../config/limits.ts'
import {
  DEMAND_HEAD_BYTES_MAX,
  PAIR_BYTES_MAX,
  PairReader,
  type WireReader,
  writePair,
  writeVarint,
} from '../wire/index.ts'

const REPEAT_MS_MIN = 100
const REPEAT_RTTS = 1.25
const LAYER_BITS = 7

type Want = { mask: number; version: number }

/** What we want; one per end. */
export class WantsOut {
  /** Insertion order is the order of versions: a changed want goes to the end. */
  readonly #wants = new Map<number, Want>()
  #version = 0
  #known = 0
  #dueMs = Number.POSITIVE_INFINITY

  get isPending(): boolean {
    return this.#known < this.#version
  }

  /** 0 = nothing. False when it is one stream too many. */
  set(streamId: number, mask: number, nowMs: number): boolean {
    const want = this.#wants.get(streamId)
    if ((want?.mask ?? 0) === mask) return true
    if (want === undefined && this.#wants.size >= TRUNK_STREAMS_MAX) this.#forgetIdle()
    if (want === undefined && this.#wants.size >= TRUNK_STREAMS_MAX) return false
    this.#version += 1
    this.#wants.delete(streamId)
    this.#wants.set(streamId, { mask, version: this.#version })
    this.#dueMs = Math.min(this.#dueMs, nowMs)
    return true
  }

  mask(streamId: number): number {
    return this.#wants.get(streamId)?.mask ?? 0
  }

  deadlineMs(): number {
    return this.isPending ? this.#dueMs : Number.POSITIVE_INFINITY
  }

  /**
   * Body of a DEMAND with what fits into `bytesMax`; returns its end, `offset` when nothing fits.
   */
  write(
    out: Uint8Array,
    offset: number,
    { bytesMax, rttMs, nowMs }: { bytesMax: number; rttMs: number; nowMs: number },
  ): number {
    const room = bytesMax - DEMAND_HEAD_BYTES_MAX
    const pairsMax = Math.min(TRUNK_DEMAND_PAIRS_MAX, Math.floor(room / PAIR_BYTES_MAX))
    if (pairsMax < 1) return offset
    let version = this.#known
    let count = 0
    for (const want of this.#wants.values()) {
      if (want.version <= this.#known) continue
      if (count === pairsMax) break
      version = want.version
      count += 1
    }
    if (count < pairsMax) version = this.#version
    let at = writeVarint(out, offset, this.#known)
    at = writeVarint(out, at, version)
    for (const [streamId, want] of this.#wants) {
      if (want.version <= this.#known || want.version > version) continue
      at = writePair(out, at, streamId, want.mask)
    }
    this.#dueMs = nowMs + Math.max(REPEAT_MS_MIN, rttMs * REPEAT_RTTS)
    return at
  }

  /** The far end knows all up to this version. */
  onKnown(version: number, nowMs: number): void {
    if (version <= this.#known || version > this.#version) return
    this.#known = version
    if (this.isPending) this.#dueMs = nowMs
  }

  #forgetIdle(): void {
    for (const [streamId, want] of this.#wants) {
      if (want.mask === 0 && want.version <= this.#known) this.#wants.delete(streamId)
    }
  }
}

/**
 * What the far end wants; one per end. Streams that are not offered (yet) are remembered, within
 * the limit.
 */
export class WantsIn {
  readonly #masks = new Map<number, number>()
  readonly #pairs = new PairReader()
  #version = 0
  /** An acknowledgement should go out. */
  isAckDue = false

  get version(): number {
    return this.#version
  }

  mask(streamId: number): number {
    return this.#masks.get(streamId) ?? 0
  }

  /** Body of a DEMAND; `changed` is called for each stream of it. False when it is malformed. */
  read(reader: WireReader, changed: (streamId: number, mask: number) => void): boolean {
    const since = reader.varint()
    const version = reader.varint()
    if (reader.failed || version < since) return false
    this.isAckDue = true
    // An old one, or one that counts on something that never came.
    if (version <= this.#version || since > this.#version) return true
    const pairs = this.#pairs
    while (pairs.next(reader)) this.#set(pairs.streamId, pairs.value & LAYER_BITS, changed)
    if (!reader.failed) this.#version = version
    return !reader.failed
  }

  #set(streamId: number, mask: number, changed: (streamId: number, mask: number) => void): void {
    if (this.mask(streamId) === mask) return
    if (mask === 0) this.#masks.delete(streamId)
    else if (this.#masks.has(streamId) || this.#masks.size < TRUNK_STREAMS_MAX) {
      this.#masks.set(streamId, mask)
    }
    changed(streamId, this.mask(streamId))
  }
}
