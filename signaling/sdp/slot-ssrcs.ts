/**
 * Outgoing SSRCs by slot use and index: the same for all receivers, so that one rewritten packet
 * serves them all. They share no RTP session with each other, so nothing collides (RFC 3550 §8
 * concerns one session).
 */

import type { SlotUse } from '../../core/media/control.ts'

const FIRST: Readonly<Record<SlotUse, number>> = {
  audio: 0x4e43_1000,
  main: 0x4e43_2000,
  tile: 0x4e43_3000,
}

/** SSRC and RTX SSRC of the slot with this index (0..2047) among those of its use. */
export function slotSsrcs(use: SlotUse, index: number): { ssrc: number; rtxSsrc: number } {
  const ssrc = FIRST[use] + index * 2
  return { ssrc, rtxSsrc: ssrc + 1 }
}
