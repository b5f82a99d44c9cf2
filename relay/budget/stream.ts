/**
 * One stream as the budget of a trunk sees it: what it could cost, where it stands, and at which level it was set. The
 * owner (TrunkEnd) makes one per offered stream, keeps its facts true and reads its level after each allocation.
 * Not the stream's packets, and nothing of the wire.
 */
import type { LayerOffer } from '../../core/media/bandwidth/index.ts'
import type { MediaKind, SourceUse } from '../../core/media/control.ts'
import type { ShedReason, StreamPlace } from '../trunk/contract.ts'

/** Facts in, level out, and what hysteresis remembers between. Reused for the life of the stream. */
export type TrunkStream = {
  readonly streamId: number
  readonly kind: MediaKind
  /** A screen is a document: class `slides`, size before frame rate. */
  readonly use: SourceUse

  // What the owner tells, before each allocation.
  place: StreamPlace['place']
  emergency: boolean
  /** Any number that the streams of one room have in common: rooms share a class equally. 0 = unknown. */
  room: number
  /** Layers that the far end wants, bit by bit; 0 = nobody there. Audio: layer 0. */
  wantedMask: number
  /** Lowest first, one per layer; rate on the wire without datagram headers, redundancy and parity. Never empty. */
  layers: LayerOffer[]
  /** Size of the last keyframe of the lowest layer; 0 = not seen yet, a guess is used. */
  keyframeBytes: number

  // What the budget answers.
  /** Layers to send now, bit by bit: of the wanted ones those up to `ceiling`, and `ceiling` for those above it. */
  sentMask: number
  /** Highest layer to tell the far end of with its rate; those above are told with rate 0. Never below 0. */
  ceiling: number
  /** Highest temporal layer to send, of each layer sent; 3 = all. */
  temporal: number
  /** `keyframes`: of the one layer in `sentMask` only keyframes, asked upstream every `keyframeIntervalMs`. */
  mode: 'full' | 'keyframes' | 'off'
  /** 2,000..10,000 in mode `keyframes`, else 0. */
  keyframeIntervalMs: number
  /** What this level costs, with redundancy, parity and headers, bit/s. */
  grantedBps: number
  /** What everything that is wanted would cost, bit/s. */
  wantedBps: number
  /** The next better level needs this much more, bit/s; 0 = has all that it wants. */
  missingBps: number
  reason: ShedReason
  /** Position in TRUNK_CLASSES of what `sentMask` costs least: the class of the stream's first packets. */
  baseClass: number

  // The budget's own; for nobody else.
  readonly hold: StreamHold
}

/** What hysteresis and the passes keep in a stream; fixed shape, no meaning outside of this folder. */
export type StreamHold = {
  /** Present level, see ladder.ts. */
  level: number
  /** Highest mask wanted while the ceiling kept the far end from asking for it. */
  desiredMask: number
  /** Since when a better level would have fitted with margin; 0 = does not. */
  fitsSinceMs: number
  /** When it last went up, and how long it must fit before it goes up again. */
  lastUpMs: number
  holdMs: number
  /** Level before an emergency took it; -1 = none did. */
  levelBefore: number
  /** When the ceiling was last raised; 0 = not yet. */
  raisedMs: number
  /** Was given a level before. */
  settled: boolean
  /** The ladder of this allocation: levels and their costs, cheapest first; entry 0 is off. */
  rungCount: number
  readonly rungLevels: Uint8Array
  readonly rungCosts: Float64Array
  /** Highest rung that is still of the base class. */
  baseRung: number
  /** Rungs reached by the passes. */
  firmRung: number
  roomyRung: number
  calmRung: number
  /** Order of service. */
  key: number
}
