/**
 * One Prometheus registry per process (prom-client), on the main thread. Media workers count in plain numbers and send a
 * snapshot each second; the figures here are the sum over workers and over their restarts. Label values come from closed
 * sets in our own code, never from outside.
 */
import { collectDefaultMetrics, Registry } from 'prom-client'

export type Metrics = {
  /** For folders that keep counters of their own (doors, conference). */
  readonly registry: Registry
  /** Prometheus text exposition, for `/metrics`. */
  text(): Promise<string>
  readonly contentType: string
}

/** A registry with the process's default figures under `nhipcau_`. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'nhipcau_' })
  return { registry, text: () => registry.metrics(), contentType: registry.contentType }
}
