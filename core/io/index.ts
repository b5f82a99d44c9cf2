/**
 * The shell around the media engine: sockets, threads, clocks, logs, metrics. Other folders enter here; nobody but
 * main.ts should need more than `createMediaPlane`, `createLog`, `createMetrics` and `systemClock`.
 */
import type { MediaPlane } from '../media/control.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

export { type Clock, systemClock } from './clock.ts'
export { createLog, type Log, type LogLevel } from './log.ts'
export { createMetrics, type Metrics } from './metrics.ts'

export type MediaPlaneOptions = {
  /** Media worker threads, 1..WORKERS_MAX; one UDP port each. */
  workers: number
  /** UDP port of the first worker; worker i has `mediaPort + i`. 0 = any free port for each (tests). */
  mediaPort: number
  /** Numeric addresses for host candidates; empty = all addresses of this machine, loopback last. */
  announcedIps: string[]
  /** Folder of the node's certificate (made on first start, mode 0600). */
  dataDir: string
  log: Log
  metrics: Metrics
}

/** What `createMediaPlane` of media-plane.ts will be; resolves when every worker's port is bound. */
export type CreateMediaPlane = (options: MediaPlaneOptions) => Promise<MediaPlane>
