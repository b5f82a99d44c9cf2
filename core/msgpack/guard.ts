/**
 * A look over msgpack bytes before msgpackr sees them: only plain values, maps with string keys,
 * bounded depth and count, lengths that the frame really holds. msgpackr is fast and lenient
 * (extensions, preallocation by declared length, any map key); this makes it strict. Not a decoder:
 * nothing is allocated.
 */

import {
  MESSAGE_DEPTH_MAX,
  MESSAGE_VALUES_MAX,
  TRUNK_MESSAGE_DEPTH_MAX,
} from '../../config/limits.ts'

/** How deep values may nest, at most DEPTH_MAX, and how many there may be. */
export type MessageBounds = { depthMax: number; valuesMax: number }

const DEPTH_MAX = Math.max(MESSAGE_DEPTH_MAX, TRUNK_MESSAGE_DEPTH_MAX)
const CLIENT_BOUNDS = { depthMax: MESSAGE_DEPTH_MAX, valuesMax: MESSAGE_VALUES_MAX }

// What a first byte means, by table: bytes that follow it, or a container.
const MAP = -1
const ARRAY = -2
const TEXT = -3
const REFUSED = -4

/**
 * Bytes of the length field of str/bin/array/map forms, 0 where the length is in the first byte.
 */
const LENGTH_BYTES = new Uint8Array(256)
const KIND = new Int8Array(256).fill(REFUSED)
for (let byte = 0; byte < 256; byte++) {
  if (byte <= 0x7f || byte >= 0xe0) KIND[byte] = 0
  else if (byte <= 0x8f) KIND[byte] = MAP
  else if (byte <= 0x9f) KIND[byte] = ARRAY
  else if (byte <= 0xbf) KIND[byte] = TEXT
}
for (const byte of [0xc0, 0xc2, 0xc3]) KIND[byte] = 0
for (const [byte, size] of [
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
] as const) {
  KIND[byte] = size
}
for (const [byte, kind, size] of [
  [0xd9, TEXT, 1],
  [0xda, TEXT, 2],
  [0xdb, TEXT, 4],
  [0xdc, ARRAY, 2],
  [0xdd, ARRAY, 4],
  [0xde, MAP, 2],
  [0xdf, MAP, 4],
] as const) {
  KIND[byte] = kind
  LENGTH_BYTES[byte] = size
}

/** Values still expected at each depth. Reused: the guard is synchronous. */
const pending = new Float64Array(DEPTH_MAX + 1)
/** 1 where the level is a map, whose values at even distance from the end are keys. */
const isMap = new Uint8Array(DEPTH_MAX + 1)

function lengthAt(bytes: Uint8Array, at: number, size: number): number {
  let length = 0
  for (let i = 0; i < size; i++) length = length * 256 + (bytes[at + i] ?? 0)
  return length
}

function lengthInFirstByte(byte: number, kind: number): number {
  return kind === TEXT ? byte & 0x1f : byte & 0x0f
}

/**
 * True for exactly one plain msgpack map that fills `bytes`; the bounds are those of a client's message unless told
 * otherwise. Never throws, never reads past the end.
 */
export function isPlainMessage(bytes: Uint8Array, bounds: MessageBounds = CLIENT_BOUNDS): boolean {
  const { depthMax, valuesMax } = bounds
  const first = KIND[bytes[0] ?? 0xc1]
  if (first !== MAP) return false
  let at = 0
  let depth = 0
  let count = 0
  pending[0] = 1
  isMap[0] = 0
  while (depth >= 0) {
    const left = pending[depth] ?? 0
    if (left === 0) {
      depth--
      continue
    }
    if (at >= bytes.length || ++count > valuesMax) return false
    pending[depth] = left - 1
    const byte = bytes[at++] ?? 0
    const kind = KIND[byte] ?? REFUSED
    const isKey = isMap[depth] === 1 && left % 2 === 0
    if (kind === REFUSED || (isKey && kind !== TEXT)) return false
    if (kind >= 0) {
      at += kind
      continue
    }
    const size = LENGTH_BYTES[byte] ?? 0
    if (at + size > bytes.length) return false
    const length = size === 0 ? lengthInFirstByte(byte, kind) : lengthAt(bytes, at, size)
    at += size
    if (kind === TEXT) {
      at += length
      if (at > bytes.length) return false
      continue
    }
    // Every value takes a byte at least: a declared length beyond what is left is a lie.
    if (length > bytes.length - at || ++depth > depthMax) return false
    pending[depth] = kind === MAP ? length * 2 : length
    isMap[depth] = kind === MAP ? 1 : 0
  }
  return at === bytes.length
}
