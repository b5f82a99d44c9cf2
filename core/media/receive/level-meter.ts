/**
 * How loud a publication is now, from RFC 6464 levels: rises within a syllable, falls over a
 * breath, and is silent when packets stop (DTX). Who speaks is decided by the director, not here.
 */

/** -dBov of silence. */
export const LEVEL_SILENT_DBOV = 127

const ATTACK_MS = 40
const RELEASE_MS = 250
/** Opus with DTX sends every 400 ms; without any packet for longer there is no sound. */
const STALE_MS = 600

/** Smoothed loudness of one publication. */
export class LevelMeter {
  #loudness = 0
  #updatedMs = Number.NEGATIVE_INFINITY

  /** @hot `levelDbov` is 0 (loud) .. 127 (silent). */
  onLevel(levelDbov: number, nowMs: number): void {
    const loudness = LEVEL_SILENT_DBOV - levelDbov
    const elapsedMs = Math.min(STALE_MS, Math.max(1, nowMs - this.#updatedMs))
    const constantMs = loudness > this.#loudness ? ATTACK_MS : RELEASE_MS
    this.#loudness += (loudness - this.#loudness) * (1 - Math.exp(-elapsedMs / constantMs))
    this.#updatedMs = nowMs
  }

  /** Smoothed level, an integer 0 (loud) .. 127 (silent). */
  levelDbov(nowMs: number): number {
    if (nowMs - this.#updatedMs > STALE_MS) return LEVEL_SILENT_DBOV
    return Math.round(LEVEL_SILENT_DBOV - this.#loudness)
  }

  /** When the stream restarts under another source. */
  reset(): void {
    this.#loudness = 0
    this.#updatedMs = Number.NEGATIVE_INFINITY
  }
}
