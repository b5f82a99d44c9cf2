/**
 * What a synthetic publisher puts into its payloads, so that a receiver can tell latency and loss
 * of frames: a magic, the frame number and the time of sending on the clock of this process.
 *
 *    0               4               8                             16
 *   | magic "NCST"  | frame number  | send time, ms (float64 BE)  |
 */

/** Bytes that a stamp takes. */
export const STAMP_BYTES = 16
const MAGIC = 0x4e435354

/** Writes at `offset`; returns the offset after it. */
export function writeStamp(
  view: DataView,
  offset: number,
  { frame, sentMs }: { frame: number; sentMs: number },
): number {
  view.setUint32(offset, MAGIC)
  view.setUint32(offset + 4, frame >>> 0)
  view.setFloat64(offset + 8, sentMs)
  return offset + STAMP_BYTES
}

/** Send time of a stamp in `bytes[start, end)`; -1 when there is none at that place. */
export function readStampMs(bytes: Buffer, start: number, end: number): number {
  if (start + STAMP_BYTES > end || bytes.readUInt32BE(start) !== MAGIC) return -1
  return bytes.readDoubleBE(start + 8)
}
