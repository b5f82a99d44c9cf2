/**
 * What an Opus packet says of itself in its first two bytes (RFC 6716 §3.1, §3.2): how long it
 * plays. Needed for timestamps and for telling DTX from speech; not a decoder.
 */

/** Frame length in 48 kHz ticks by TOC configuration 0..31. */
const FRAME_TICKS = createFrameTicks()
/** RFC 6716 §3.2.5 R5: at most 120 ms. */
const PACKET_TICKS_MAX = 5_760

function createFrameTicks(): Uint16Array {
  const table = new Uint16Array(32)
  for (let configuration = 0; configuration < 32; configuration++) {
    const step = configuration & 3
    if (configuration < 12) table[configuration] = [480, 960, 1_920, 2_880][step]!
    else if (configuration < 16) table[configuration] = [480, 960][configuration & 1]!
    else table[configuration] = 120 << step
  }
  return table
}

/** @hot Playing time in 48 kHz ticks, 120..5760; 0 when the packet is not valid Opus. */
export function opusDurationTicks(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return 0
  const toc = bytes[start]!
  const frameTicks = FRAME_TICKS[toc >>> 3]!
  const code = toc & 0x03
  if (code === 0) return frameTicks
  if (code < 3) return frameTicks * 2
  if (start + 1 >= end) return 0
  const durationTicks = frameTicks * (bytes[start + 1]! & 0x3f)
  return durationTicks > PACKET_TICKS_MAX ? 0 : durationTicks
}

/**
 * @hot True for a packet without coded sound (RFC 7587 §3.1.3): silence, sent every 400 ms or so.
 */
export function isOpusDtx(start: number, end: number): boolean {
  return end - start <= 2
}
