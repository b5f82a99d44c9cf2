/**
 * What the router in the trunk thread needs of those around it. It knows no sockets, keys, rings or clocks: media
 * workers are numbers (their peer index), trunks are their `TrunkEnd`s.
 */
import type { MediaReport } from '../../core/media/control.ts'

/** The ways to the media workers of this node. Unknown peers are ignored. */
export interface WorkerDoor {
  /** @hot One handoff frame for a worker that imports its publication; false when the ring is full. Not kept. */
  push(peer: number, bytes: Uint8Array, start: number, end: number): boolean
  /** Bit i set = someone beyond this thread wants layer i of a publication that this worker receives. */
  want(peer: number, publicationId: number, layerMask: number): void
  keyframe(peer: number, publicationId: number, layer: number): void
}

export type RouterOptions = {
  workers: WorkerDoor
  /** By DropReason code; counted into. */
  drops: Uint32Array
  /** `flowing` and `levels` of publications that come over a trunk. Called from within the router's methods. */
  report: (report: MediaReport) => void
}
