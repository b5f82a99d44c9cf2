/** What the log counts, as Prometheus series (prom-client) on the node's registry. */
import { Counter, Histogram, type Registry } from 'prom-client'
import type { ConferenceHostOptions } from './conference-host.ts'

const COMMIT_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]

/** Adds the series of the log, once per registry; what is returned is the host's `onAppended`. */
export function registerStoreMetrics(
  registry: Registry,
): NonNullable<ConferenceHostOptions['onAppended']> {
  const registers = [registry]
  const commits = new Histogram({
    name: 'nhipcau_store_commit_seconds',
    help: 'From the handing over of a batch of control events until it is on disk, fsync included.',
    buckets: COMMIT_BUCKETS_S,
    registers,
  })
  const events = new Counter({
    name: 'nhipcau_store_events_total',
    help: 'Control events written to the log.',
    registers,
  })
  const refusals = new Counter({
    name: 'nhipcau_store_refusals_total',
    help: 'Batches of control events that the disk refused, by cause.',
    labelNames: ['cause'],
    registers,
  })
  return (result, eventCount, durationMs) => {
    if (!result.ok) {
      refusals.inc({ cause: result.cause })
      return
    }
    commits.observe(durationMs / 1_000)
    events.inc(eventCount)
  }
}
