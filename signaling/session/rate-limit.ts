/**
 * Token buckets, one and many. Time comes from the caller; a bucket that nobody asked for a while
 * is full, so forgetting the least recently used one is harmless unless an attacker has more keys
 * than RATE_KEYS_MAX.
 */

import { LRUCache } from 'lru-cache'
import { RATE_KEYS_MAX } from '../../config/index.ts'

export type Rate = { perS: number; burst: number }

/** Holds `burst` at first and gains `perS` a second. */
export class Bucket {
  readonly #rate: Rate
  #level: number
  #atMs: number

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate
    this.#level = rate.burst
    this.#atMs = nowMs
  }

  /** Takes one; false when there is none, and nothing is taken. */
  take(nowMs: number): boolean {
    const gained = (Math.max(0, nowMs - this.#atMs) / 1000) * this.#rate.perS
    this.#level = Math.min(this.#rate.burst, this.#level + gained)
    this.#atMs = nowMs
    if (this.#level < 1) return false
    this.#level -= 1
    return true
  }
}

/** A bucket per key, for at most RATE_KEYS_MAX keys. */
export class KeyedBuckets {
  readonly #rate: Rate
  readonly #buckets = new LRUCache<string, Bucket>({ max: RATE_KEYS_MAX })

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** Takes one from the bucket of `key`. */
  take(key: string, nowMs: number): boolean {
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = new Bucket(this.#rate, nowMs)
      this.#buckets.set(key, bucket)
    }
    return bucket.take(nowMs)
  }

  get size(): number {
    return this.#buckets.size
  }
}
