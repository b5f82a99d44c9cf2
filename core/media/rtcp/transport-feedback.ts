/**
 * One transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1) as a cursor
 * over the bytes: a run of 8,191 packets stays two bytes and is never expanded. Checked whole
 * before the first status is handed out.
 *
 *   base sequence(16) status count(16) | reference time(24, 64 ms) feedback count(8)
 *   | chunks(16 each) | deltas(8 or 16)
 */
import { readUint16, readUint24 } from '../rtp/index.ts'

/** 250 us ticks in one unit of reference time. */
export const TICKS_PER_REFERENCE = 256
export const TICKS_PER_MS = 4

const SYMBOL_SMALL = 1
const SYMBOL_LARGE = 2

/** `read` once, then `next` until false; again after `rewind`. */
export class TransportFeedback {
  senderSsrc = 0
  mediaSsrc = 0
  /** First sequence number reported, 0..65535. */
  baseSequence = 0
  statusCount = 0
  /** 0..255, wraps; a gap means that feedback was lost. */
  feedbackCount = 0
  /** Signed 24 bits, in 64 ms. */
  referenceTime = 0

  /** Of the status that `next` has just reached. */
  sequenceNumber = 0
  received = false
  /** Sender-relative arrival in 250 us ticks; only meaningful when received. */
  arrivalTicks = 0

  #bytes: Uint8Array = new Uint8Array(0)
  #chunkStart = 0
  #deltaStart = 0
  #chunkOffset = 0
  #deltaOffset = 0
  #index = 0
  #ticks = 0
  #chunk = 0
  #chunkLeft = 0

  /**
   * Takes a feedback message whose FCI is `bytes[start, end)` and rewinds. False when a status is
   * reserved or bytes are missing. The bytes must stay as they are while statuses are read.
   */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.statusCount = 0
    if (end - start < 8) return false
    this.#bytes = bytes
    this.baseSequence = readUint16(bytes, start)
    const statusCount = readUint16(bytes, start + 2)
    this.referenceTime = (readUint24(bytes, start + 4) << 8) >> 8
    this.feedbackCount = bytes[start + 7]!
    this.#chunkStart = start + 8
    let offset = start + 8
    let deltaBytes = 0
    for (let left = statusCount; left > 0; offset += 2) {
      if (offset + 2 > end) return false
      const chunk = readUint16(bytes, offset)
      const covered = Math.min(left, chunkLength(chunk))
      const chunkDeltaBytes = deltaBytesOf(chunk, covered)
      if (chunkDeltaBytes < 0) return false
      deltaBytes += chunkDeltaBytes
      left -= covered
    }
    if (statusCount === 0 || offset + deltaBytes > end) return false
    this.#deltaStart = offset
    this.statusCount = statusCount
    this.rewind()
    return true
  }

  /** Back before the first status. */
  rewind(): void {
    this.#index = 0
    this.#chunkOffset = this.#chunkStart
    this.#deltaOffset = this.#deltaStart
    this.#ticks = this.referenceTime * TICKS_PER_REFERENCE
    this.#chunkLeft = 0
  }

  /** @hot Moves to the next status; false after the last. */
  next(): boolean {
    if (this.#index >= this.statusCount) return false
    if (this.#chunkLeft === 0) {
      this.#chunk = readUint16(this.#bytes, this.#chunkOffset)
      this.#chunkOffset += 2
      this.#chunkLeft = chunkLength(this.#chunk)
    }
    const symbol = symbolAt(this.#chunk, chunkLength(this.#chunk) - this.#chunkLeft)
    this.#chunkLeft -= 1
    this.sequenceNumber = (this.baseSequence + this.#index) & 0xffff
    this.#index += 1
    this.received = symbol !== 0
    if (symbol === SYMBOL_SMALL) {
      this.#ticks += this.#bytes[this.#deltaOffset]!
      this.#deltaOffset += 1
    } else if (symbol === SYMBOL_LARGE) {
      this.#ticks += (readUint16(this.#bytes, this.#deltaOffset) << 16) >> 16
      this.#deltaOffset += 2
    }
    this.arrivalTicks = this.#ticks
    return true
  }
}

/** @hot Statuses that a chunk can hold: a run, 14 one-bit or 7 two-bit symbols. */
function chunkLength(chunk: number): number {
  if (chunk < 0x8000) return chunk & 0x1fff
  return chunk < 0xc000 ? 14 : 7
}

/** @hot 0 lost, 1 small delta, 2 large delta, 3 reserved. */
function symbolAt(chunk: number, index: number): number {
  if (chunk < 0x8000) return chunk >>> 13
  if (chunk < 0xc000) return (chunk >>> (13 - index)) & 1
  return (chunk >>> (12 - 2 * index)) & 3
}

/**
 * Bytes of deltas for the first `count` statuses of a chunk; -1 when one is reserved or the chunk
 * holds none.
 */
function deltaBytesOf(chunk: number, count: number): number {
  if (count === 0) return -1
  if (chunk < 0x8000) {
    const symbol = chunk >>> 13
    return symbol === 3 ? -1 : symbol * count
  }
  let sizeBytes = 0
  for (let index = 0; index < count; index++) {
    const symbol = symbolAt(chunk, index)
    if (symbol === 3) return -1
    sizeBytes += symbol
  }
  return sizeBytes
}
