/**
 * Receiver's half of the parity across datagrams (parity-code.ts): Gauss-Jordan elimination that goes on as
 * parity and datagrams come. Rows are kept fully reduced: each has a missing datagram of its own (its pivot)
 * that no other row contains; a row that contains nothing else is that datagram.
 */
import {
  PARITY_EQUATIONS_MAX,
  PARITY_KEPT,
  PARITY_SPAN,
  REPAIR_PAYLOAD_BYTES_MAX,
} from '../../config/limits.ts'
import { addScaled, inverse, scale } from './galois.ts'
import {
  coefficientOf,
  PARITY_HEAD_BYTES,
  PARITY_LENGTH_BYTES,
  PARITY_MASK_BYTES_MAX,
} from './parity-code.ts'

const MASK = PARITY_KEPT - 1
const SLOT_BYTES = PARITY_LENGTH_BYTES + REPAIR_PAYLOAD_BYTES_MAX

/** Where recovered payloads go. */
export type RecoveredOutlet = {
  /**
   * @hot The payload of a datagram that was lost; the bytes are the decoder's, valid during the call. Must
   * not call the decoder.
   */
  recovered(index: number, bytes: Uint8Array, start: number, end: number): void
}

/** One equation: sum of factor × payload over missing datagrams = sum. Columns are index modulo PARITY_KEPT. */
class Row {
  readonly factors = new Uint8Array(PARITY_KEPT)
  /** Length (2 bytes) and payload; zero beyond `sizeBytes`. */
  readonly sum = new Uint8Array(SLOT_BYTES)
  sizeBytes = 0
  pivot = -1
}

/** 400 KB, allocated at once; nothing that comes makes it grow or throw. */
export class ParityDecoder {
  readonly #outlet: RecoveredOutlet
  readonly #slab = new Uint8Array(PARITY_KEPT * SLOT_BYTES)
  /** Index whose payload is in a slot, -1 = none. */
  readonly #index = new Float64Array(PARITY_KEPT).fill(-1)
  readonly #sizeBytes = new Uint16Array(PARITY_KEPT)
  /** The first `#rowCount` are in use. */
  readonly #rows = Array.from({ length: PARITY_EQUATIONS_MAX }, () => new Row())
  #rowCount = 0
  #highest = -1

  /** Datagrams brought back. */
  recoveredCount = 0
  /** Parity frames that were malformed, contradicted what came, or were about forgotten datagrams. */
  refusedCount = 0
  /** Parity frames that told nothing new. */
  redundantCount = 0

  constructor(outlet: RecoveredOutlet) {
    this.#outlet = outlet
  }

  /** @hot Any datagram's payload, also one that came again; copies. May recover others. */
  onDatagram(index: number, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#advance(index)) return
    if (!this.#keep(index, bytes, start, end)) return
    if (this.#rowCount > 0) this.#substitute(index & MASK)
  }

  /** @hot A parity frame's body; `carrierIndex` is the index of the datagram that brought it. */
  onParity(carrierIndex: number, bytes: Uint8Array, start: number, end: number): void {
    this.#advance(carrierIndex)
    if (this.#rowCount === PARITY_EQUATIONS_MAX) this.#drop(this.#oldestRow())
    const row = this.#rows[this.#rowCount]!
    if (!this.#read(row, carrierIndex, bytes, start, end)) {
      this.refusedCount += 1
      return
    }
    this.#insert(row)
    this.#deliver()
  }

  /** Moves the window; false when the index is older than all of it. */
  #advance(index: number): boolean {
    if (index <= this.#highest) return index > this.#highest - PARITY_KEPT
    const first = Math.max(this.#highest + 1, index - PARITY_KEPT + 1)
    for (let fresh = first; fresh <= index; fresh++) {
      const column = fresh & MASK
      this.#index[column] = -1
      for (let place = this.#rowCount - 1; place >= 0; place--) {
        if (this.#rows[place]!.factors[column] !== 0) this.#drop(place)
      }
    }
    this.#highest = index
    return true
  }

  /** Copies a payload into its slot; false when it was there, is too long, or empty. */
  #keep(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start
    const slot = index & MASK
    if (this.#index[slot] === index || length <= 0 || length > REPAIR_PAYLOAD_BYTES_MAX)
      return false
    const at = slot * SLOT_BYTES
    const slab = this.#slab
    slab[at] = length >> 8
    slab[at + 1] = length & 0xff
    for (let i = 0; i < length; i++) slab[at + PARITY_LENGTH_BYTES + i] = bytes[start + i]!
    this.#index[slot] = index
    this.#sizeBytes[slot] = length
    return true
  }

  /** Fills a row from a body, less what is here already; false when it cannot be. */
  #read(row: Row, carrier: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < PARITY_HEAD_BYTES) return false
    const maskBytes = bytes[start + 3]!
    const maskAt = start + PARITY_HEAD_BYTES
    const sumAt = maskAt + maskBytes
    const sizeBytes = end - sumAt
    if (maskBytes < 1 || maskBytes > PARITY_MASK_BYTES_MAX) return false
    if (sizeBytes <= PARITY_LENGTH_BYTES || sizeBytes > SLOT_BYTES) return false
    const newest = carrier - ((carrier - ((bytes[start + 1]! << 8) | bytes[start + 2]!)) & 0xffff)
    if (newest < 0 || newest - PARITY_SPAN <= this.#highest - PARITY_KEPT) return false
    row.factors.fill(0)
    row.sum.fill(0, sizeBytes, Math.max(sizeBytes, row.sizeBytes))
    for (let i = 0; i < sizeBytes; i++) row.sum[i] = bytes[sumAt + i]!
    row.sizeBytes = sizeBytes
    for (let back = 0; back < maskBytes * 8; back++) {
      if ((bytes[maskAt + (back >> 3)]! & (1 << (back & 7))) === 0) continue
      const index = newest - back
      if (index < 0) return false
      row.factors[index & MASK] = coefficientOf(bytes[start]!, index)
      if (this.#index[index & MASK] === index && !this.#subtract(row, index & MASK)) return false
    }
    return true
  }

  /** Takes a payload that is here out of a row; false when it is longer than the row says any is. */
  #subtract(row: Row, column: number): boolean {
    const length = PARITY_LENGTH_BYTES + this.#sizeBytes[column]!
    if (length > row.sizeBytes) return false
    const at = column * SLOT_BYTES
    addScaled(row.sum, 0, row.factors[column]!, this.#slab, at, at + length)
    row.factors[column] = 0
    return true
  }

  /** Adds the row that stands behind the last, reduced by the others and they by it. */
  #insert(row: Row): void {
    for (let place = 0; place < this.#rowCount; place++) {
      const other = this.#rows[place]!
      const factor = row.factors[other.pivot]!
      if (factor !== 0) addRow(row, other, factor)
    }
    const pivot = firstColumn(row)
    if (pivot < 0) {
      this.redundantCount += 1
      return
    }
    row.pivot = pivot
    scaleRow(row, inverse(row.factors[pivot]!))
    for (let place = 0; place < this.#rowCount; place++) {
      const other = this.#rows[place]!
      const factor = other.factors[pivot]!
      if (factor !== 0) addRow(other, row, factor)
    }
    this.#rowCount += 1
  }

  /** A datagram came by itself: out of all rows with it. */
  #substitute(column: number): void {
    let orphan: Row | undefined
    for (let place = this.#rowCount - 1; place >= 0; place--) {
      const row = this.#rows[place]!
      if (row.factors[column] === 0) continue
      if (!this.#subtract(row, column)) this.#drop(place)
      else if (row.pivot === column) orphan = row
    }
    if (orphan !== undefined) {
      // No other row has its pivot: it looks for another one, as a new row does.
      this.#drop(this.#rows.indexOf(orphan))
      this.#insert(orphan)
    }
    this.#deliver()
  }

  /** Hands out every row that has but its pivot left. */
  #deliver(): void {
    for (let place = this.#rowCount - 1; place >= 0; place--) {
      const row = this.#rows[place]!
      if (!isSingle(row)) continue
      this.#drop(place)
      this.#recover(row)
    }
  }

  #recover(row: Row): void {
    const length = (row.sum[0]! << 8) | row.sum[1]!
    const end = PARITY_LENGTH_BYTES + length
    const index = this.#highest - ((this.#highest - row.pivot) & MASK)
    let isSound = length > 0 && end <= row.sizeBytes
    for (let i = end; isSound && i < row.sizeBytes; i++) isSound = row.sum[i] === 0
    if (!isSound || !this.#keep(index, row.sum, PARITY_LENGTH_BYTES, end)) {
      this.refusedCount += 1
      return
    }
    this.recoveredCount += 1
    this.#outlet.recovered(index, row.sum, PARITY_LENGTH_BYTES, end)
  }

  /** The row goes behind the used ones; its contents stay until it is filled again. */
  #drop(place: number): void {
    this.#rowCount -= 1
    const row = this.#rows[place]!
    this.#rows[place] = this.#rows[this.#rowCount]!
    this.#rows[this.#rowCount] = row
  }

  #oldestRow(): number {
    let oldest = 0
    for (let place = 1; place < this.#rowCount; place++) {
      if (this.#age(this.#rows[place]!.pivot) > this.#age(this.#rows[oldest]!.pivot)) oldest = place
    }
    return oldest
  }

  #age(column: number): number {
    return (this.#highest - column) & MASK
  }
}

/** @hot `row += factor × other`, factors and sum. */
function addRow(row: Row, other: Row, factor: number): void {
  addScaled(row.factors, 0, factor, other.factors, 0, PARITY_KEPT)
  addScaled(row.sum, 0, factor, other.sum, 0, other.sizeBytes)
  if (other.sizeBytes > row.sizeBytes) row.sizeBytes = other.sizeBytes
}

/** @hot */
function scaleRow(row: Row, factor: number): void {
  if (factor === 1) return
  scale(row.factors, 0, PARITY_KEPT, factor)
  scale(row.sum, 0, row.sizeBytes, factor)
}

/** @hot -1 when the row is empty. */
function firstColumn(row: Row): number {
  for (let column = 0; column < PARITY_KEPT; column++) if (row.factors[column] !== 0) return column
  return -1
}

/** @hot */
function isSingle(row: Row): boolean {
  for (let column = 0; column < PARITY_KEPT; column++) {
    if (row.factors[column] !== 0 && column !== row.pivot) return false
  }
  return true
}
