/**
 * What the engine counts, as plain numbers that the shell copies out: no names, no labels, no
 * clock.
 */
import { createDropCounters } from '../rtp/index.ts'

/** Only ever grow (wrap at 2^53; `drops` at 2^32). */
export class EngineCounters {
  /** By DROP_CODE. Place 0 stays 0. */
  readonly drops = createDropCounters()
  packetsIn = 0
  bytesIn = 0
  packetsOut = 0
  bytesOut = 0
  rtcpIn = 0
  rtcpOut = 0
  /** Packets sent again in answer to NACK, by RTX or sealed again. */
  retransmitted = 0
  /** Padding-only packets sent as probes. */
  paddingOut = 0
  keyframesRequested = 0

  drop(code: number): void {
    this.drops[code] = this.drops[code]! + 1
  }
}
