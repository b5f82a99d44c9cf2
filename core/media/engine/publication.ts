/**
 * One track sent into a room, wherever its publisher is: its layers, whether it may be heard, and
 * what is known of its sender's clock. Packets reach it through ingress.ts (own transports) or
 * handoff.ts (other workers).
 */
import { LAYER_STALE_MS, LAYERS_PER_PUBLICATION_MAX } from '../../../config/limits.ts'
import type { LayerOffer } from '../bandwidth/index.ts'
import type { CodecName, CodecSpec, IncomingSection, MediaKind, SourceUse } from '../control.ts'
import { SourceLayer } from '../forward/index.ts'
import { type IncomingStream, LEVEL_SILENT_DBOV } from '../receive/index.ts'
import type { ExportOutlet } from './contract.ts'
import type { HandoffCache } from './handoff-cache.ts'

/** Heights assumed until the bitstream tells, by how many layers there are. */
const GUESSED_HEIGHTS_PX = [[720], [360, 720], [180, 360, 720]] as const
const SCREEN_HEIGHT_PX = 1_080
/** Weight of a later sample when the estimate of a clock's offset would rise. */
const OFFSET_RISE = 0.02

export type PublicationOptions = {
  publicationId: number
  roomId: number
  kind: MediaKind
  use: SourceUse
  codecs: CodecSpec[]
  layerCount: number
  /** 0 = imported. */
  transportId: number
}

/** Owned by the registry; lives as long as its transport, or until it is forgotten. */
export class Publication {
  readonly publicationId: number
  readonly roomId: number
  readonly kind: MediaKind
  readonly use: SourceUse
  readonly transportId: number
  readonly layers: SourceLayer[] = []
  /** One per layer, for the allocator; brought up to date by `update`. */
  readonly offers: LayerOffer[] = []
  /** Negotiated with the publisher. */
  readonly codecs: CodecSpec[]
  /** Of the newest packet; RED counts as Opus. */
  codec: CodecName
  isMuted = false
  isPermitted = true
  isFlowing = false
  lastPacketMs = Number.NEGATIVE_INFINITY
  /** Incoming streams by layer; empty for imported ones and before the first packet. */
  readonly streams: (IncomingStream | undefined)[] = []
  /** Of imported publications, as the exporting side says. */
  importedLevelDbov = LEVEL_SILENT_DBOV
  /** Slots that show it, on this engine. */
  shownCount = 0
  outlet: ExportOutlet | undefined
  /** Layers that the importing side wants, bit by bit. */
  exportMask = 0
  /** Of imported ones: what we last asked for, and when keyframes were asked for. */
  askedMask = 0
  readonly askedKeyframeMs: number[] = []
  /** Of imported video: for slots that begin to show it. */
  cache: HandoffCache | undefined
  /** Our clock minus the sender's, ms; NaN before its first report. */
  clockOffsetMs = Number.NaN

  constructor(options: PublicationOptions) {
    this.publicationId = options.publicationId
    this.roomId = options.roomId
    this.kind = options.kind
    this.use = options.use
    this.transportId = options.transportId
    this.codecs = options.codecs
    const first = options.codecs[0]!
    this.codec = first.codec === 'red' ? 'opus' : first.codec
    const layerCount = Math.max(1, Math.min(LAYERS_PER_PUBLICATION_MAX, options.layerCount))
    for (let i = 0; i < layerCount; i++) this.#addLayer(i, layerCount, first.clockRate)
  }

  #addLayer(spatialLayer: number, layerCount: number, clockRate: number): void {
    const { publicationId, kind } = this
    const layer = new SourceLayer({ publicationId, kind, spatialLayer, clockRate })
    layer.codec = this.codec
    layer.fmtp = this.fmtp
    this.layers.push(layer)
    this.streams.push(undefined)
    this.askedKeyframeMs.push(Number.NEGATIVE_INFINITY)
    const isScreen = this.use === 'screen' && layerCount === 1
    const heightPx = isScreen
      ? SCREEN_HEIGHT_PX
      : GUESSED_HEIGHTS_PX[layerCount - 1]![spatialLayer]!
    const { temporalShare } = layer.rate
    this.offers.push({ bitrateBps: 0, heightPx, temporalShare, temporalMax: 0 })
  }

  get isImported(): boolean {
    return this.transportId === 0
  }

  /** fmtp of the codec in use, to find the receivers' like payload type. */
  get fmtp(): string | undefined {
    return this.codecs.find((spec) => spec.codec === this.codec)?.fmtp
  }

  /** The publisher changed to another negotiated codec. */
  changeCodec(codec: CodecName): void {
    this.codec = codec
    for (const layer of this.layers) {
      layer.codec = codec
      layer.fmtp = this.fmtp
    }
  }

  /** Now and then: rates, caches and offers. True when a layer began or ceased to flow. */
  update(nowMs: number): boolean {
    let isChanged = false
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i]!
      const offer = this.offers[i]!
      if (!this.isImported) layer.rate.update(nowMs)
      layer.cache?.fitRate(layer.rate.bitrateBps)
      const bitrateBps = this.#isStale(layer, nowMs) ? 0 : layer.rate.bitrateBps
      if (bitrateBps > 0 !== offer.bitrateBps > 0) isChanged = true
      offer.bitrateBps = bitrateBps
      offer.temporalMax = layer.rate.temporalMax
      if (layer.heightPx > 0) offer.heightPx = layer.heightPx
    }
    return isChanged
  }

  /** A layer that stopped while others go on: its encoder was switched off. */
  #isStale(layer: SourceLayer, nowMs: number): boolean {
    if (this.isImported) return false
    return nowMs - layer.lastPacketMs > LAYER_STALE_MS && nowMs - this.lastPacketMs < LAYER_STALE_MS
  }

  /**
   * A sender report came: one offset for all streams, falling at once and rising slowly (queues
   * only delay).
   */
  onSenderTime(senderNtpMs: number, ownNtpMs: number): void {
    const sample = ownNtpMs - senderNtpMs
    const known = this.clockOffsetMs
    const isFirst = Number.isNaN(known) || Math.abs(sample - known) > 5_000
    if (isFirst || sample < known) this.clockOffsetMs = sample
    else this.clockOffsetMs = known + (sample - known) * OFFSET_RISE
  }

  /** Smoothed, 0 (loud) .. 127; 127 for video. */
  levelDbov(nowMs: number): number {
    if (this.isImported) return this.importedLevelDbov
    return this.streams[0]?.level.levelDbov(nowMs) ?? LEVEL_SILENT_DBOV
  }

  /** Everyone must have left. */
  close(): void {
    for (const layer of this.layers) layer.close()
    this.outlet = undefined
  }
}

/** The publication that an incoming section creates. */
export function publicationOf(
  section: IncomingSection,
  owner: { roomId: number; transportId: number },
): Publication {
  return new Publication({
    publicationId: section.publicationId,
    roomId: owner.roomId,
    kind: section.kind,
    use: section.use,
    codecs: section.codecs,
    layerCount: Math.max(1, section.rids.length),
    transportId: owner.transportId,
  })
}
