/**
 * What the far end must know of a layer beside its packets: measured rate (0 = not to be had now),
 * sender's clock, size, temporal shares, and where its numbers stand.
 *
 *   stream | flags (8) | rate varint, 100 bit/s | size: width, height varints | shares: top (8), top x share (8)
 *   | clock: NTP (48, 1/64 ms), timestamp (32) | numbers: run (8), sequence (32), timestamp (32)
 *   flags: 5 numbers | 4 clock | 3 shares | 2 size | 1-0 layer
 */
import { LAYERS_PER_PUBLICATION_MAX } from '../../config/limits.ts'
import { writeUint32 } from '../../core/media/rtp/index.ts'
import { type WireReader, writeUint48, writeVarint } from './varint.ts'

const HAS_SIZE = 4
const HAS_SHARES = 8
const HAS_CLOCK = 16
const HAS_NUMBERS = 32
const RATE_UNIT_BPS = 100
const NTP_UNITS_PER_MS = 64

export const STATUS_BYTES_MAX = 48

/** One status, to be written or as read; reused. Parts that are not there are told by `has...`. */
export class StatusFrame {
  streamId = 0
  layer = 0
  bitrateBps = 0
  hasSize = false
  widthPx = 0
  heightPx = 0
  hasShares = false
  /** Highest temporal layer, 0..3. */
  temporalMax = 0
  /** In 1/255 of the rate, up to and including each temporal layer. */
  readonly shares = new Uint8Array(4).fill(255)
  hasClock = false
  ntpMs = 0
  clockTimestamp = 0
  hasNumbers = false
  run = 0
  sequence = 0
  timestamp = 0
}

/** Returns the end; at most STATUS_BYTES_MAX. */
export function writeStatus(out: Uint8Array, offset: number, status: StatusFrame): number {
  let at = writeVarint(out, offset, status.streamId)
  out[at++] =
    status.layer |
    (status.hasSize ? HAS_SIZE : 0) |
    (status.hasShares ? HAS_SHARES : 0) |
    (status.hasClock ? HAS_CLOCK : 0) |
    (status.hasNumbers ? HAS_NUMBERS : 0)
  at = writeVarint(out, at, Math.ceil(status.bitrateBps / RATE_UNIT_BPS))
  if (status.hasSize) {
    at = writeVarint(out, at, status.widthPx)
    at = writeVarint(out, at, status.heightPx)
  }
  if (status.hasShares) {
    out[at++] = status.temporalMax
    for (let i = 0; i < status.temporalMax; i++) out[at++] = status.shares[i]!
  }
  if (status.hasClock) {
    at = writeUint48(out, at, Math.max(0, Math.round(status.ntpMs * NTP_UNITS_PER_MS)))
    at = writeUint32(out, at, status.clockTimestamp)
  }
  if (!status.hasNumbers) return at
  out[at++] = status.run
  at = writeUint32(out, at, status.sequence)
  return writeUint32(out, at, status.timestamp)
}

/** False when it is malformed. */
export function readStatus(status: StatusFrame, reader: WireReader): boolean {
  status.streamId = reader.varint()
  const flags = reader.uint8()
  status.layer = flags & 3
  status.bitrateBps = reader.varint() * RATE_UNIT_BPS
  if (status.streamId < 1 || status.streamId > 0xffff) return false
  if (status.layer >= LAYERS_PER_PUBLICATION_MAX || status.bitrateBps > 1e9) return false
  status.hasSize = (flags & HAS_SIZE) !== 0
  if (status.hasSize) {
    status.widthPx = reader.varint()
    status.heightPx = reader.varint()
    if (status.widthPx > 0xffff || status.heightPx > 0xffff) return false
  }
  status.hasShares = (flags & HAS_SHARES) !== 0
  if (status.hasShares) {
    status.temporalMax = reader.uint8()
    if (status.temporalMax > 3) return false
    status.shares.fill(255)
    for (let i = 0; i < status.temporalMax; i++) status.shares[i] = reader.uint8()
  }
  status.hasClock = (flags & HAS_CLOCK) !== 0
  if (status.hasClock) {
    status.ntpMs = reader.uint48() / NTP_UNITS_PER_MS
    status.clockTimestamp = reader.uint32()
  }
  status.hasNumbers = (flags & HAS_NUMBERS) !== 0
  if (status.hasNumbers) {
    status.run = reader.uint8()
    status.sequence = reader.uint32() | 0
    status.timestamp = reader.uint32()
  }
  return !reader.failed
}
