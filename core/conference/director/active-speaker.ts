/**
 * Who has the word: the loudest for a while, kept for a while, so that a cough takes nobody's
 * picture away. Silence changes nothing: the last speaker stays.
 */
import { SPEAKERS_REMEMBERED_MAX } from '../../../config/limits.ts'

/** How long one must be the loudest to become active; the first one of all sooner. */
const TAKE_OVER_MS = 600
const FIRST_MS = 200
/** How long the active one stays at least. */
const DWELL_MS = 2_000
/** A speaking active one must be beaten by this much. */
const LEAD_MARGIN_DB = 3

export class ActiveSpeaker {
  active: string | null = null
  /** Most recent first, the active one included. */
  recent: string[] = []
  #candidate: string | null = null
  #candidateSinceMs = 0
  #activeSinceMs = Number.NEGATIVE_INFINITY

  /** Forgets all who are not on stage any more. */
  keep(participants: readonly string[]): void {
    this.recent = this.recent.filter((one) => participants.includes(one))
    if (this.active !== null && !participants.includes(this.active)) this.active = null
  }

  /** The loudest speaker of a report (null in silence), and its lead over the active one. */
  onLoudest(loudest: { participant: string | null; leadDb: number; nowMs: number }): void {
    const { participant, leadDb, nowMs } = loudest
    const leads = this.active === null || leadDb >= LEAD_MARGIN_DB
    if (participant === null || participant === this.active || !leads) {
      this.#candidate = null
      return
    }
    if (participant !== this.#candidate) {
      this.#candidate = participant
      this.#candidateSinceMs = nowMs
    }
    if (nowMs - this.#candidateSinceMs < (this.active === null ? FIRST_MS : TAKE_OVER_MS)) return
    if (this.active !== null && nowMs - this.#activeSinceMs < DWELL_MS) return
    this.#take(participant, nowMs)
  }

  #take(participant: string, nowMs: number): void {
    this.active = participant
    this.#activeSinceMs = nowMs
    this.#candidate = null
    const others = this.recent.filter((one) => one !== participant)
    this.recent = [participant, ...others].slice(0, SPEAKERS_REMEMBERED_MAX)
  }
}
