/**
 * What the engine's owner (core/io) gives to it beside packets: options and the ways to other
 * workers. Not the control seam (core/media/control.ts) and not the packet sink
 * (core/media/sink.ts).
 */
import type { MediaReport } from '../control.ts'
import type { PacketSink } from '../sink.ts'

/**
 * Where requests for imported publications go: to the worker (later: node) that has the publisher.
 */
export interface UpstreamRequests {
  /** A subscriber here waits for a keyframe of this layer. Throttled by the engine. */
  requestKeyframe(publicationId: number, layer: number): void
  /** Bit i set = someone here wants layer i. Called when the mask changes. */
  wantLayers(publicationId: number, layerMask: number): void
}

/** Takes the packets of an exported publication; reads the bytes before it returns. */
export interface ExportOutlet {
  /**
   * One handoff frame (`handoff.ts`), opaque to the carrier: put it into a ring, and on the other
   * side give the same bytes to `Engine.onImported`. At most `HANDOFF_BYTES_MAX`.
   */
  handoff(bytes: Uint8Array, start: number, end: number): void
}

export type EngineOptions = {
  sink: PacketSink
  /** Uniform unsigned 32-bit integers from a seeded source: sequence and timestamp starts. */
  randomUint32: () => number
  /** Called synchronously from within the engine's methods; must not call back into it. */
  report: (report: MediaReport) => void
  /** Unix time in ms at `nowMs` 0: for sender reports only. */
  unixMsAtZero: number
  /** Absent where nothing is ever imported. */
  upstream?: UpstreamRequests
}
