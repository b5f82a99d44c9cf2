/** The part of the media engine that its worker drives; `Engine` of core/media/engine is one, tests fake another. */
import type { DisconnectCause, MediaCommand } from '../media/control.ts'
import type { EngineCounters, EngineOptions, ExportOutlet } from '../media/engine/index.ts'

/** Contracts stand at `Engine` of core/media/engine. */
export interface MediaEngine {
  readonly counters: Pick<
    EngineCounters,
    'drops' | 'rtcpIn' | 'rtcpOut' | 'retransmitted' | 'paddingOut' | 'keyframesRequested'
  >
  command(command: MediaCommand, nowMs: number): void
  transportIndex(transportId: number): number
  connected(transportIndex: number, nowMs: number): void
  disconnected(transportIndex: number, cause: DisconnectCause, nowMs: number): void
  onRtp(index: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void
  onRtcp(index: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void
  nextDeadlineMs(): number
  onDeadline(nowMs: number): void
  exportPublication(publicationId: number, outlet: ExportOutlet | undefined): boolean
  onUpstreamKeyframe(publicationId: number, layer: number, nowMs: number): void
  onUpstreamWant(publicationId: number, layerMask: number, nowMs: number): void
  onImported(bytes: Uint8Array, start: number, end: number, nowMs: number): void
}

export type CreateEngine = (options: EngineOptions) => MediaEngine
