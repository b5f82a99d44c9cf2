/** Waiting times between attempts to reconnect. Deliberately without an end: a clinic's link comes back some day. */
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN } from './limits.ts'

/**
 * Milliseconds to wait before attempt number `attempt` (0 = the first after a loss). Doubles up to
 * `BACKOFF_MS_MAX`, with half of it left to chance (`random` in 0..1) so that a thousand sites do not come at once.
 */
export const backoffMs = (attempt: number, random: number): number => {
  const ceiling = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(attempt, 16))
  return Math.round(ceiling / 2 + (ceiling / 2) * random)
}
