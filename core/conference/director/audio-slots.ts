/**
 * Who is heard: the loudest few, with hysteresis. While there are no more microphones than slots,
 * each has one for good, so no first syllable is lost; a microphone keeps its slot's place as long
 * as it has one.
 */

/** Above -50 dBov somebody speaks. */
const SPEECH_LOUDNESS_DB = 77
/** How long a pause between words may be. */
const HANGOVER_MS = 500
/** One who speaks must be beaten by this much for this long. */
const CHALLENGE_MARGIN_DB = 6
const CHALLENGE_MS = 300
/** Shares of a new level per report of 50 ms: quick to rise, slow to fall. */
const ATTACK_RATIO = 0.7
const RELEASE_RATIO = 0.1
const SILENT_DBOV = 127

type Microphone = {
  readonly publicationId: number
  /** Smoothed, 127 - level: 0 silent .. 127 loud. */
  loudnessDb: number
  /** Of the running report, -dBov. */
  levelDbov: number
  spokeMs: number
  challengeSinceMs: number
}

const NOBODY: Readonly<Microphone> = {
  publicationId: 0,
  loudnessDb: 0,
  levelDbov: SILENT_DBOV,
  spokeMs: Number.NEGATIVE_INFINITY,
  challengeSinceMs: Number.POSITIVE_INFINITY,
}

export class AudioSlots {
  /** One publicationId per slot, 0 = silent. */
  readonly slots: number[]
  /** In stage order. */
  #microphones: Microphone[] = []

  constructor(slotCount: number) {
    this.slots = new Array<number>(slotCount).fill(0)
  }

  /** All live and unmuted microphones, each once. */
  setMicrophones(publicationIds: readonly number[], nowMs: number): void {
    const known = new Map(this.#microphones.map((one) => [one.publicationId, one]))
    this.#microphones = publicationIds.map(
      (id) => known.get(id) ?? { ...NOBODY, publicationId: id },
    )
    for (let slot = 0; slot < this.slots.length; slot += 1) {
      if (!publicationIds.includes(this.slots[slot]!)) this.slots[slot] = 0
    }
    this.#fillEmpty(nowMs)
  }

  onLevels(levels: readonly (readonly [number, number])[], nowMs: number): void {
    for (const microphone of this.#microphones) microphone.levelDbov = SILENT_DBOV
    for (const [publicationId, levelDbov] of levels) {
      const microphone = this.#find(publicationId)
      if (microphone !== undefined) microphone.levelDbov = levelDbov
    }
    for (const microphone of this.#microphones) hear(microphone, nowMs)
    this.#challenge(nowMs)
  }

  /** The loudest in a slot now. */
  loudest(): { publicationId: number; loudnessDb: number; isSpeech: boolean } {
    let loudest: Readonly<Microphone> = NOBODY
    for (const microphone of this.#microphones) {
      if (this.#isHeard(microphone) && microphone.loudnessDb > loudest.loudnessDb) {
        loudest = microphone
      }
    }
    const { publicationId, loudnessDb } = loudest
    return { publicationId, loudnessDb, isSpeech: loudnessDb >= SPEECH_LOUDNESS_DB }
  }

  /** Smoothed loudness, 0..127 dB; 0 for an unknown one. */
  loudnessDbOf(publicationId: number): number {
    return this.#find(publicationId)?.loudnessDb ?? 0
  }

  #find(publicationId: number): Microphone | undefined {
    for (const microphone of this.#microphones) {
      if (microphone.publicationId === publicationId) return microphone
    }
    return undefined
  }

  #isHeard(microphone: Readonly<Microphone>): boolean {
    return this.slots.includes(microphone.publicationId)
  }

  #fillEmpty(nowMs: number): void {
    for (let slot = 0; slot < this.slots.length; slot += 1) {
      const next = this.slots[slot] === 0 ? this.#loudestUnheard() : undefined
      if (next === undefined) continue
      this.slots[slot] = next.publicationId
      // Whoever just got a slot is given the time to begin.
      next.spokeMs = nowMs
    }
  }

  #loudestUnheard(): Microphone | undefined {
    let loudest: Microphone | undefined
    for (const microphone of this.#microphones) {
      if (this.#isHeard(microphone)) continue
      if (loudest === undefined || microphone.loudnessDb > loudest.loudnessDb) loudest = microphone
    }
    return loudest
  }

  /** The one to give way: who has been silent longest, else the quietest. */
  #weakestHeard(nowMs: number): Microphone | undefined {
    let weakest: Microphone | undefined
    for (const microphone of this.#microphones) {
      if (!this.#isHeard(microphone)) continue
      if (weakest === undefined || isWeaker(microphone, weakest, nowMs)) weakest = microphone
    }
    return weakest
  }

  #challenge(nowMs: number): void {
    const challenger = this.#loudestUnheard()
    const weakest = this.#weakestHeard(nowMs)
    for (const microphone of this.#microphones) {
      if (microphone !== challenger) microphone.challengeSinceMs = Number.POSITIVE_INFINITY
    }
    if (challenger === undefined || weakest === undefined) return
    if (challenger.loudnessDb < SPEECH_LOUDNESS_DB) {
      challenger.challengeSinceMs = Number.POSITIVE_INFINITY
      return
    }
    if (isSpeaking(weakest, nowMs)) {
      if (challenger.loudnessDb < weakest.loudnessDb + CHALLENGE_MARGIN_DB) {
        challenger.challengeSinceMs = Number.POSITIVE_INFINITY
        return
      }
      challenger.challengeSinceMs = Math.min(challenger.challengeSinceMs, nowMs)
      if (nowMs - challenger.challengeSinceMs < CHALLENGE_MS) return
    }
    this.slots[this.slots.indexOf(weakest.publicationId)] = challenger.publicationId
    challenger.spokeMs = nowMs
    challenger.challengeSinceMs = Number.POSITIVE_INFINITY
  }
}

function hear(microphone: Microphone, nowMs: number): void {
  const loudnessDb = SILENT_DBOV - microphone.levelDbov
  const ratio = loudnessDb > microphone.loudnessDb ? ATTACK_RATIO : RELEASE_RATIO
  microphone.loudnessDb += (loudnessDb - microphone.loudnessDb) * ratio
  if (loudnessDb >= SPEECH_LOUDNESS_DB) microphone.spokeMs = nowMs
}

function isSpeaking(microphone: Readonly<Microphone>, nowMs: number): boolean {
  return nowMs - microphone.spokeMs < HANGOVER_MS
}

function isWeaker(a: Readonly<Microphone>, b: Readonly<Microphone>, nowMs: number): boolean {
  const aSpeaks = isSpeaking(a, nowMs)
  if (aSpeaks !== isSpeaking(b, nowMs)) return !aSpeaks
  return aSpeaks ? a.loudnessDb < b.loudnessDb : a.spokeMs < b.spokeMs
}
