/**
 * Arithmetic of GF(256), x^8 + x^4 + x^3 + x^2 + 1 (0x11d, as RFC 5510 §8.1), over whole payloads. A
 * table of all products (64 KB) turns a payload's scaling into one look-up a byte.
 */

const EXP = new Uint8Array(510)
const LOG = new Uint8Array(256)
const PRODUCT = new Uint8Array(65_536)

let power = 1
for (let exponent = 0; exponent < 255; exponent++) {
  EXP[exponent] = power
  EXP[exponent + 255] = power
  LOG[power] = exponent
  power = power < 0x80 ? power << 1 : (power << 1) ^ 0x11d
}
for (let a = 1; a < 256; a++) {
  for (let b = 1; b < 256; b++) PRODUCT[(a << 8) | b] = EXP[LOG[a]! + LOG[b]!]!
}

/** @hot 1 / a; a is 1..255. */
export function inverse(a: number): number {
  return EXP[255 - LOG[a]!]!
}

/** @hot `out[at..] += factor × bytes[start..end]`, byte by byte. */
export function addScaled(
  out: Uint8Array,
  at: number,
  factor: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const row = factor << 8
  for (let from = start, to = at; from < end; from++, to++) {
    out[to] = out[to]! ^ PRODUCT[row | bytes[from]!]!
  }
}

/** @hot `out[at..at+length] *= factor`. */
export function scale(out: Uint8Array, at: number, length: number, factor: number): void {
  const row = factor << 8
  for (let i = at; i < at + length; i++) out[i] = PRODUCT[row | out[i]!]!
}
