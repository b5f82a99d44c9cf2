/**
 * The code between ParityEncoder and ParityDecoder: a sliding window of linear combinations over GF(256), in
 * the way of RFC 8681 (FECFRAME, sliding window RLC), but with the coefficients of a Cauchy matrix, so that
 * parities over the same datagrams are always independent, as those of a Reed-Solomon code are. Not a
 * block code: no group has to be full before the first loss in it can be repaired.
 *
 * Body of a parity frame:
 *
 *   0      row of the matrix, counts up, 0..127
 *   1..2   newest covered index, low 16 bits
 *   3      mask bytes m, 1..8
 *   4..    mask: bit i (lowest bit of the first byte first) = datagram newest-i is covered; bit 0 is set
 *   4+m    combination of the lengths (2 bytes), then of the payloads, zero-padded to the longest
 */
import { PARITY_SPAN } from '../../config/limits.ts'
import { inverse } from './galois.ts'

/** Before the mask; the lengths' combination follows it. */
export const PARITY_HEAD_BYTES = 4
export const PARITY_LENGTH_BYTES = 2
export const PARITY_MASK_BYTES_MAX = PARITY_SPAN / 8
/** What a parity body is longer than the longest payload that it covers, at most. */
export const PARITY_OVERHEAD_BYTES_MAX =
  PARITY_HEAD_BYTES + PARITY_MASK_BYTES_MAX + PARITY_LENGTH_BYTES

export const PARITY_ROWS = 128

/** @hot Coefficient of a datagram in a row of the matrix: 1 / (x + y), x in 0..127, y in 128..255; never 0. */
export function coefficientOf(row: number, index: number): number {
  return inverse((row & 127) ^ (128 | (index % 128)))
}
