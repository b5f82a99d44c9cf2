/**
 * A lock between processes for the moment of a change: a file that only one can make. Who dies with it is
 * outlived.
 */
import { closeSync, openSync, statSync, unlinkSync } from 'node:fs'
import { RELAY_BOOK_LOCK_MS_MAX } from '../../config/limits.ts'

const RETRY_MS = 10
const WAIT_MS_MAX = 2 * RELAY_BOOK_LOCK_MS_MAX

/** Throws when the lock is not to be had for twice the longest time that anybody may hold it. */
export function withBookLock(path: string, change: () => void): void {
  const lock = `${path}.lock`
  const giveUpMs = performance.now() + WAIT_MS_MAX
  while (!tryLock(lock)) {
    if (performance.now() > giveUpMs) throw new Error(`${lock} is held by another process`)
    breakIfStale(lock)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
  }
  try {
    change()
  } finally {
    unlinkSync(lock)
  }
}

function tryLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

function breakIfStale(lock: string): void {
  const found = statSync(lock, { throwIfNoEntry: false })
  if (found === undefined || Date.now() - found.mtimeMs < RELAY_BOOK_LOCK_MS_MAX) return
  try {
    unlinkSync(lock)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
