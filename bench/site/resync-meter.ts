/**
 * How long a site is without sound and picture after an outage has ended: from the healing of its
 * link where that is told, else from the first packet after more than a second of nothing, to
 * steady sound and to the next whole key frame.
 */

/** Silence of the whole link that counts as an outage. */
export const OUTAGE_MS = 1_000
/** Steady: so many frames in a row, each this soon after the one before. */
const STEADY_FRAMES = 10
const STEADY_MS = 60
/** What had not flowed for this long before is not waited for. */
const FLOWING_MS = 2_000

/** One per site. All times are the caller's. */
export class ResyncMeter {
  outages = 0
  audioMsMax = 0
  videoMsMax = 0
  #packetMs = -1
  #audioMs = Number.NEGATIVE_INFINITY
  #videoMs = Number.NEGATIVE_INFINITY
  #fromMs = 0
  #awaitsAudio = false
  #awaitsVideo = false
  #run = 0
  #runMs = 0

  /** True while the picture has not come back: a key frame is looked for. */
  get awaitsVideo(): boolean {
    return this.#awaitsVideo
  }

  get awaitsAudio(): boolean {
    return this.#awaitsAudio
  }

  /** @hot Any media packet, before `onAudio` and `onVideo`. */
  onPacket(nowMs: number): void {
    const silentMs = nowMs - this.#packetMs
    if (this.#packetMs >= 0 && silentMs > OUTAGE_MS && !this.#isHealing(nowMs)) {
      this.#begin(nowMs, this.#packetMs)
    }
    this.#packetMs = nowMs
  }

  /** @hot */
  onAudio(nowMs: number): void {
    const spacingMs = nowMs - this.#audioMs
    this.#audioMs = nowMs
    if (!this.#awaitsAudio) return
    if (spacingMs > STEADY_MS || this.#run === 0) {
      this.#run = 0
      this.#runMs = nowMs
    }
    this.#run += 1
    if (this.#run < STEADY_FRAMES) return
    this.#awaitsAudio = false
    this.audioMsMax = Math.max(this.audioMsMax, this.#runMs - this.#fromMs)
  }

  /** @hot */
  onVideo(nowMs: number): void {
    this.#videoMs = nowMs
  }

  /** A whole key frame, or a frame that could be decoded without one, is there. */
  onPicture(nowMs: number): void {
    if (!this.#awaitsVideo) return
    this.#awaitsVideo = false
    this.videoMsMax = Math.max(this.videoMsMax, nowMs - this.#fromMs)
  }

  /** Somebody who knows says that the link works again from now. */
  healed(nowMs: number): void {
    const isCounted = this.#fromMs > 0 && nowMs - this.#fromMs < OUTAGE_MS && this.outages > 0
    if (!isCounted && this.#packetMs >= 0) this.#begin(nowMs, this.#packetMs)
  }

  /** What is still missing now counts as not there until now. */
  read(nowMs: number): { audioMsMax: number; videoMsMax: number } {
    const openMs = Math.max(0, nowMs - this.#fromMs)
    return {
      audioMsMax: Math.max(this.audioMsMax, this.#awaitsAudio ? openMs : 0),
      videoMsMax: Math.max(this.videoMsMax, this.#awaitsVideo ? openMs : 0),
    }
  }

  /** The longest are looked for anew; outages go on being counted. */
  restart(): void {
    this.audioMsMax = 0
    this.videoMsMax = 0
  }

  #begin(nowMs: number, lastMs: number): void {
    this.outages += 1
    this.#fromMs = nowMs
    this.#awaitsAudio = lastMs - this.#audioMs < FLOWING_MS
    this.#awaitsVideo = lastMs - this.#videoMs < FLOWING_MS
    this.#run = 0
  }

  /** The outage whose end was told is the one that this packet ends. */
  #isHealing(nowMs: number): boolean {
    return (this.#awaitsAudio || this.#awaitsVideo) && nowMs >= this.#fromMs
  }
}
