/**
 * One stream as the budget of a trunk sees it: what it could cost, where it stands, and at which level it was set. The
 * owner (TrunkEnd) makes one per offered stream, keeps its facts true and reads its level after each allocation.
 * Not the stream's packets, and nothing of the wire.
 */
import { LAYERS_PER_PUBLICATION_MAX } from '../../config/limits.ts'
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
  /** Highest layer that the far end would have if the budget let it; -1 = none. */
  layerWanted: number
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
  /** Position in TRUNK_CLASSES of its cheapest answer. */
  baseClass: number

  // The budget's own; for nobody else.
  readonly hold: StreamHold
}

/** What hysteresis and the passes keep in a stream; fixed shape, no meaning outside of this folder. */
export type StreamHold = {
  /** Present level, see ladder.ts. */
  level: number
  /** Has been given a level at this place since it was last unwanted. */
  settled: boolean
  /** Lacked something after the last allocation. */
  limited: boolean
  /** What was wanted when the ceiling came down: afterwards the far end cannot ask for it. 0 = no such memory. */
  desiredMask: number
  /** What this allocation reckons with. */
  demandMask: number
  /** When the ceiling was last raised: the far end needs a while to ask. */
  raisedMs: number
  /** Since when a better level would have fitted with margin; -1 = does not. */
  fitsSinceMs: number
  lastUpMs: number
  /** How long it must fit before it goes up; doubles with each level that did not last. */
  holdMs: number
  /** The estimate at the last change upwards, bit/s. */
  upBps: number
  /** Level from which an emergency took it; -1 = none did. */
  levelBefore: number
  /** Audio: highest rate of late, and when it was looked at; talk begins suddenly after silence. */
  peakBps: number
  peakMs: number
  /** Order of service, and the facts from which it was made. */
  key: number
  placed: number
  rank: number
  /** The ladder of this allocation: levels and their costs (bit/s), both rising; rung 0 is off. */
  rungCount: number
  readonly rungLevels: Uint8Array
  readonly rungCosts: Float64Array
  /** Highest rungs of the base class, and of the base layer with all its frames. */
  baseRung: number
  smoothRung: number
  /** Where the present pass got to; and the passes with all there is, with margin, and without the emergency. */
  rung: number
  firmRung: number
  roomyRung: number
  calmRung: number
}

export type TrunkStreamOptions = {
  streamId: number
  kind: MediaKind
  use: SourceUse
  /** 1..LAYERS_PER_PUBLICATION_MAX */
  layerCount: number
}

/** A stream that nobody wants yet, at place `other`. */
export function createTrunkStream(options: TrunkStreamOptions): TrunkStream {
  const { streamId, kind, use } = options
  const layerCount = Math.max(1, Math.min(LAYERS_PER_PUBLICATION_MAX, options.layerCount))
  return {
    streamId,
    kind,
    use,
    place: 'other',
    emergency: false,
    room: 0,
    wantedMask: 0,
    layers: Array.from({ length: layerCount }, () => ({
      bitrateBps: 0,
      heightPx: 0,
      temporalShare: [1, 1, 1, 1],
      temporalMax: 0,
    })),
    keyframeBytes: 0,
    sentMask: 0,
    ceiling: layerCount - 1,
    layerWanted: -1,
    temporal: 3,
    mode: 'off',
    keyframeIntervalMs: 0,
    grantedBps: 0,
    wantedBps: 0,
    missingBps: 0,
    reason: 'not-wanted',
    baseClass: kind === 'audio' ? STAGE_AUDIO : OTHER_BASE,
    hold: createHold(),
  }
}

function createHold(): StreamHold {
  return {
    level: 0,
    settled: false,
    limited: false,
    desiredMask: 0,
    demandMask: 0,
    raisedMs: Number.NEGATIVE_INFINITY,
    fitsSinceMs: -1,
    lastUpMs: Number.NEGATIVE_INFINITY,
    holdMs: 0,
    upBps: Number.POSITIVE_INFINITY,
    levelBefore: -1,
    peakBps: 0,
    peakMs: 0,
    key: 0,
    placed: -1,
    rank: 0,
    rungCount: 1,
    rungLevels: new Uint8Array(RUNGS_MAX),
    rungCosts: new Float64Array(RUNGS_MAX),
    baseRung: 0,
    smoothRung: 0,
    rung: 0,
    firmRung: 0,
    roomyRung: 0,
    calmRung: 0,
  }
}

/** Positions in TRUNK_CLASSES. */
export const EMERGENCY_AUDIO = 0
export const STAGE_AUDIO = 1
export const CONTROL = 2
export const SLIDES = 3
export const MAIN_BASE = 4
export const OTHER_BASE = 5
export const ENHANCEMENT = 6
export const CATCH_UP = 7

/** Off, five keyframe intervals, three layers of four frame rates. */
const RUNGS_MAX = 1 + 5 + LAYERS_PER_PUBLICATION_MAX * 4

/** @hot The class of a stream's cheapest answer. */
export function baseClassOf(stream: TrunkStream): number {
  if (stream.kind === 'audio') return stream.emergency ? EMERGENCY_AUDIO : STAGE_AUDIO
  if (stream.use === 'screen') return SLIDES
  return stream.place === 'main' ? MAIN_BASE : OTHER_BASE
}

/**
 * @hot Position in TRUNK_CLASSES of one packet of a stream, as the budget reckons it. A pacer must keep the packets
 * of one stream in order whatever their classes.
 */
export function trunkClassOf(stream: TrunkStream, layer: number, temporal: number): number {
  const base = baseClassOf(stream)
  if (base <= STAGE_AUDIO || stream.mode === 'keyframes') return base
  if (temporal > 0) return ENHANCEMENT
  const lowest = stream.sentMask & -stream.sentMask
  return base === SLIDES || 1 << layer <= lowest ? base : ENHANCEMENT
}
