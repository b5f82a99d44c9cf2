/** Door of the media engine: what core/io, main.ts and tests of the whole may know of it. */
export type * from './control.ts'
export {
  Engine,
  EngineCounters,
  type EngineOptions,
  type ExportOutlet,
  LATENCY_EDGES_US,
  type UpstreamRequests,
} from './engine/index.ts'
export { DROP_REASONS, type DropReason } from './rtp/index.ts'
export type { PacketSink } from './sink.ts'
