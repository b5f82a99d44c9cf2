/**
 * Unchecked big-endian access to byte arrays, for code that has already compared with the end. Not
 * DataView: plain index arithmetic is what V8 makes cheapest in short functions. Callers own the
 * bounds.
 */

/** @hot 0..65535. */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!
}

/** @hot 0..2^24-1. */
export function readUint24(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 16) | (bytes[offset + 1]! << 8) | bytes[offset + 2]!
}

/** @hot 0..2^32-1, never negative. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((readUint16(bytes, offset) << 16) | readUint16(bytes, offset + 2)) >>> 0
}

/** @hot Writes the low 16 bits; returns the offset after them. */
export function writeUint16(bytes: Uint8Array, offset: number, value: number): number {
  bytes[offset] = value >>> 8
  bytes[offset + 1] = value
  return offset + 2
}

/** @hot Writes the low 24 bits; returns the offset after them. */
export function writeUint24(bytes: Uint8Array, offset: number, value: number): number {
  bytes[offset] = value >>> 16
  bytes[offset + 1] = value >>> 8
  bytes[offset + 2] = value
  return offset + 3
}

/** @hot Writes the low 32 bits; returns the offset after them. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): number {
  writeUint16(bytes, offset, value >>> 16)
  return writeUint16(bytes, offset + 2, value)
}
