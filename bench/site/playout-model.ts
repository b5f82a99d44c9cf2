/**
 * The concealment that a jitter buffer of 200 ms would need: each 20 ms frame of a talkspurt has
 * its playout time, 200 ms after that of the first arrival; a frame that is missing or later must
 * be concealed. Not a buffer: nothing is kept. A buffer that finds everything late for a second
 * starts anew, as real ones do.
 */

/** Playout delay of the model, and what one frame of ours plays. */
export const PLAYOUT_MS = 200
const FRAME_MS = 20
const FRAME_TICKS = 960
/** Silence longer than this was an outage, though the sender says at last that it is silent. */
export const MEANT_MS_MAX = 1_000
/** A timestamp further away than this is another clock: the model starts anew. */
const JUMP_FRAMES_MAX = 3_000
/** So many late frames in a row move the playout point. */
const LATE_RUN_MAX = 50

/** One per audio stream. Counts distinct packets only: the caller leaves out duplicates. */
export class PlayoutModel {
  /** How often the playout point had to move. */
  restarts = 0
  #started = false
  #paused = false
  #cut = false
  #anchorTicks = 0
  #anchorMs = 0
  /** Of the present talkspurt, by number from 0. */
  #highest = -1
  /** Frames of former talkspurts. */
  #frames = 0
  #onTime = 0
  #lateRun = 0

  /**
   * @hot A frame of 32-bit `timestamp` (48 kHz) arrived. `startsSpurt`: newest by number and
   * marked, so that silence before it was meant.
   */
  add(timestamp: number, startsSpurt: boolean, nowMs: number): void {
    if (!this.#started || startsSpurt || this.#paused || this.#cut) {
      if (this.#cut) this.#frames += this.#awaited(nowMs)
      this.#begin(timestamp, nowMs)
      return
    }
    const frame = Math.round(((timestamp - this.#anchorTicks) | 0) / FRAME_TICKS)
    if (frame > this.#highest + JUMP_FRAMES_MAX || frame < -JUMP_FRAMES_MAX) {
      this.#begin(timestamp, nowMs)
      return
    }
    // From before the first arrival: its time had passed when the buffer began.
    if (frame < 0) return
    if (frame > this.#highest) this.#highest = frame
    if (nowMs - this.#anchorMs <= frame * FRAME_MS + PLAYOUT_MS) {
      this.#onTime += 1
      this.#lateRun = 0
      return
    }
    this.#lateRun += 1
    if (this.#lateRun < LATE_RUN_MAX || frame < this.#highest) return
    this.restarts += 1
    // It is played after all, as the first of a new run.
    this.#highest -= 1
    this.#begin(timestamp, nowMs)
  }

  /**
   * The sender said that it is silent (DTX), or the slot is empty: nothing is missed until the next
   * frame. What was awaited until now is missing only if it was for longer than words take to come.
   */
  pause(nowMs: number): void {
    const awaited = this.#awaited(nowMs)
    if (awaited * FRAME_MS > MEANT_MS_MAX) this.#frames += awaited
    this.#paused = true
    this.#cut = false
  }

  /**
   * The stream will go on under other numbers (a new transport): what is awaited until then is
   * missing.
   */
  cut(): void {
    this.#cut = !this.#paused
  }

  /** Frames that should have been played by now, and those that were missing or late. */
  read(nowMs: number): { frames: number; concealed: number } {
    const frames = this.#frames + this.#highest + 1 + this.#awaited(nowMs)
    return { frames, concealed: Math.max(0, frames - this.#onTime) }
  }

  /** Frames after the highest whose playout has passed. */
  #awaited(nowMs: number): number {
    if (!this.#started || this.#paused) return 0
    const dueFrames = Math.floor((nowMs - this.#anchorMs - PLAYOUT_MS) / FRAME_MS) + 1
    return Math.max(0, dueFrames - this.#highest - 1)
  }

  #begin(timestamp: number, nowMs: number): void {
    this.#frames += this.#highest + 1
    this.#anchorTicks = timestamp
    this.#anchorMs = nowMs
    this.#highest = 0
    this.#onTime += 1
    this.#lateRun = 0
    this.#started = true
    this.#paused = false
    this.#cut = false
  }
}
