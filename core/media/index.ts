/** The door of the media engine: what core/io, main.ts and tests of the whole may know of it. */
export * from './control.ts'
export type { EngineOptions, ExportOutlet, UpstreamRequests } from './engine/index.ts'
export type { PacketSink } from './sink.ts'
