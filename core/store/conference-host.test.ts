import { mock } from 'node:test'
import test from 'ava'
import { STORE_BATCH_MS, STORE_BATCH_MS_MAX } from '../../config/limits.ts'
import type { Conference, Instant, Notice } from '../conference/index.ts'
import { createConferenceHost } from './conference-host.ts'

/** A conference whose every flush takes the disk so long, and notes when it was asked. */
class SlowConference {
  nowMs = 0
  flushMs = 0
  waiting = 0
  readonly flushedAtMs: number[] = []

  get deadlineMs(): number {
    return this.waiting > 0 ? 0 : Number.POSITIVE_INFINITY
  }

  command(): void {
    this.waiting += 1
  }

  flush(_now: Instant, _notices: Notice[]): void {
    this.flushedAtMs.push(this.nowMs)
    this.waiting = 0
    this.nowMs += this.flushMs
  }
}

test.serial('requests gather the longer the slower the disk is, within a bound', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const conference = new SlowConference()
  const now = (): Instant => ({ nowMs: conference.nowMs, wallMs: 0 })
  const host = createConferenceHost(conference as unknown as Conference, now)
  /** Time from a request to its transaction. */
  const waitMs = (): number => {
    const askedMs = conference.nowMs
    const before = conference.flushedAtMs.length
    void host.command('p1', { type: 'leave' })
    while (conference.flushedAtMs.length === before) {
      conference.nowMs += 1
      mock.timers.tick(1)
    }
    return conference.flushedAtMs.at(-1)! - askedMs
  }
  t.is(waitMs(), STORE_BATCH_MS)
  conference.flushMs = 10
  t.is(waitMs(), STORE_BATCH_MS)
  t.is(waitMs(), 20)
  conference.flushMs = 500
  waitMs()
  t.is(waitMs(), STORE_BATCH_MS_MAX)
  conference.flushMs = 0
  waitMs()
  t.is(waitMs(), STORE_BATCH_MS)
})
