/**
 * The shell around the media engine: sockets, threads, clocks, logs, metrics. Other folders enter here; nobody but
 * main.ts should need more than `createMediaPlane`, `createLog`, `createMetrics` and `systemClock`.
 */
export { type Clock, systemClock } from './clock.ts'
export { createLog, type Log, type LogLevel } from './log.ts'
export { createMediaPlane, type MediaPlaneOptions, type NodeMediaPlane } from './media-plane.ts'
export type { PlanePeer, PlanePeerEvents } from './media-plane-links.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export type { SrtpMaster } from './srtp/index.ts'
export { whyNotBatched } from './udp-native/index.ts'
