/**
 * Waiting for what must come, however slow the machine: bounds are for what never comes, not for
 * how soon it does.
 */
import { setTimeout as sleep } from 'node:timers/promises'

const EVENTUAL_MS = 20_000
const POLL_MS = 10

/** Whether `isSo` became true within `withinMs`; polls in real time. */
export async function eventual(isSo: () => boolean, withinMs = EVENTUAL_MS): Promise<boolean> {
  const endMs = performance.now() + withinMs
  while (!isSo()) {
    if (performance.now() > endMs) return false
    await sleep(POLL_MS)
  }
  return true
}

/** Resolves when `count` has not changed for `quietMs`; gives up waiting after twenty seconds. */
export async function settled(count: () => number, quietMs = 300): Promise<void> {
  const endMs = performance.now() + EVENTUAL_MS
  let [last, sinceMs] = [count(), performance.now()]
  while (performance.now() - sinceMs < quietMs && performance.now() < endMs) {
    await sleep(POLL_MS)
    if (count() === last) continue
    last = count()
    sinceMs = performance.now()
  }
}
