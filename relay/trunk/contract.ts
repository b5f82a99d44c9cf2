/**
 * One end of one trunk's media flow, as its owner (the router in the trunk thread, or a test) sees
 * it. Pure: frames, datagrams, wants and time in; datagrams, frames, wants and one next deadline
 * out. Both ends are the same class; each sends what the other wants. Frames on the node's side are
 * handoff frames (core/media/engine/handoff.ts); what they look like between the nodes is
 * docs/RELAY-WIRE.md.
 */
import type { CodecName, MediaKind, SourceUse } from '../../core/media/control.ts'

/** Where a stream stands in its room, told by the main thread; decides its class. */
export type StreamPlace = {
  /**
   * heard: in an audio slot; main: the main picture or its fallback; other: a tile, or nothing yet.
   */
  place: 'heard' | 'main' | 'other'
  /** The room is an emergency. */
  emergency: boolean
  /**
   * Any number that the streams of one room have in common on this trunk: rooms share a class
   * equally.
   */
  room: number
}

/**
 * A stream that this end may send, or that the far end may send to us. `streamId` is the sending
 * end's number, 1..65535.
 */
export type TrunkStreamSpec = {
  streamId: number
  kind: MediaKind
  use: SourceUse
  /** Codec, payload type and clock rate of the first codec; RED counts as Opus. */
  codec: CodecName
  payloadType: number
  /** Hz. */
  clockRate: number
  layerCount: number
}

/** Classes of design.md §4, most important first. */
export const TRUNK_CLASSES = [
  'emergency-audio',
  'stage-audio',
  'control',
  'slides',
  'main-base',
  'other-base',
  'enhancement',
  'catch-up',
] as const
export type TrunkClass = (typeof TRUNK_CLASSES)[number]

/** Why a stream crosses below what is wanted of it. */
export type ShedReason = 'none' | 'bandwidth' | 'pre-empted' | 'not-flowing' | 'not-wanted'

/** How one sent stream fares; for GET /api/v1/trunk, metrics and the operator's page. */
export type TrunkStreamReport = {
  streamId: number
  /** Of its cheapest answer. */
  class: TrunkClass
  /** Highest layer that the far end wants, and that is sent now; -1 = none. */
  layerWanted: number
  layerSent: number
  /** Highest temporal layer sent, 0..3. */
  temporal: number
  /** `keyframes`: a picture every few seconds. */
  mode: 'full' | 'keyframes' | 'off'
  /** Between pictures in mode `keyframes`; else 0. */
  keyframeIntervalMs: number
  bitrateBps: number
  reason: ShedReason
  /** The next better level would need this much more. */
  missingBps: number
}

/** Figures of one end over the last report interval (1 s). */
export type TrunkReport = {
  rttMs: number
  /** Of what we sent, as the far end saw it, before repair; 0..1. */
  lossSentRatio: number
  /** Of what the far end sent. */
  lossReceivedRatio: number
  /** Of what it sent, after repair. */
  lossResidualRatio: number
  /** Mean length of runs of lost datagrams. */
  lossBurst: number
  queueDelayMs: number
  /** Of what we sent, as it came (RFC 3550 §6.4.1). */
  jitterMs: number
  estimateBps: number
  /** Most that came out of the link in any second of the last ten or twenty, headers of IP and UDP included. */
  provenBps: number
  sentBps: number
  receivedBps: number
  /** Payload bytes a datagram may carry now. */
  mtuBytes: number
  /** Sent bit/s by class, in the order of TRUNK_CLASSES. */
  shares: number[]
  repair: { nack: boolean; redundancyRatio: number; parityRatio: number }
  /** What publishers of the voices that are sent should be asked for; 20 ms and 0 = as they like. */
  speech: { packetMs: number; bitrateBps: number }
  streams: TrunkStreamReport[]
}

/** Where an end's outputs go; called synchronously, bytes are reused after the call. */
export interface TrunkOutlet {
  /**
   * @hot One datagram to protect and send: an RTP packet (RFC 3550 header without CSRC or
   * extension) whose 48-bit index is `index`.
   */
  datagram(bytes: Uint8Array, start: number, end: number, index: number): void
  /**
   * @hot A frame of a stream of the far end, as a handoff frame with publicationId = its streamId.
   */
  frame(streamId: number, bytes: Uint8Array, start: number, end: number): void
  /** The far end wants these layers of our stream, bit by bit. */
  wanted(streamId: number, layerMask: number): void
  keyframeWanted(streamId: number, layer: number): void
}

export type TrunkEndOptions = {
  outlet: TrunkOutlet
  /** Of the RTP packets that carry this direction. */
  ssrc: number
  /** Uniform unsigned 32-bit integers. */
  randomUint32: () => number
  nowMs: number
}

/** Every method is synchronous; none throws on what the far end sent. */
export interface TrunkEnd {
  /** A stream that the far end may want; told again when its place changes. */
  offer(spec: TrunkStreamSpec, place: StreamPlace): void
  withdraw(streamId: number): void
  /**
   * A stream of the far end that was announced on the control flow; frames of unknown ones are
   * dropped and counted.
   */
  expect(spec: TrunkStreamSpec): void
  unexpect(streamId: number): void
  /** We want these layers of a stream of the far end; repeated in band until it is known there. */
  want(streamId: number, layerMask: number): void
  /** Asked again until a keyframe of the layer has come. */
  requestKeyframe(streamId: number, layer: number): void
  /**
   * Until then what media leaves of the estimate is filled with padding, and more is probed for, so that the link
   * shows what it carries. Media goes first. A time that is past: no longer.
   */
  saturate(untilMs: number): void
  /** @hot A handoff frame (packet or status) of one of our streams. */
  onFrame(streamId: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void
  /** @hot An authenticated datagram of the far end, in plain. */
  onDatagram(bytes: Uint8Array, start: number, end: number, index: number, nowMs: number): void
  nextDeadlineMs(): number
  onDeadline(nowMs: number): void
  /** Monotonic ms of the last authenticated datagram. */
  readonly heardMs: number
  report(nowMs: number): TrunkReport
}
