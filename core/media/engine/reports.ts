/**
 * What the main thread is told: levels, flowing, quality and statistics, as figures. Colours and
 * words for people are made by the doors.
 */
import { FLOWING_SILENCE_MS, QUALITY_REPEAT_MS } from '../../../config/limits.ts'
import type { QualityReason, StreamQuality, TransportStats } from '../control.ts'
import type { IncomingStream } from '../receive/index.ts'
import type { Publication } from './publication.ts'
import type { Registry } from './registry.ts'
import type { Slot } from './slot.ts'
import type { Transport } from './transport.ts'

/** Beyond these a stream's trouble has that name. */
const LOSS_RATIO_BAD = 0.04
const RTT_MS_BAD = 500
const JITTER_MS_BAD = 60
/** Smaller moves of a figure are not told before QUALITY_REPEAT_MS. */
const LOSS_RATIO_NEWS = 0.005
const RTT_MS_NEWS = 25
const JITTER_MS_NEWS = 15

/** Calls `options.report` from within the engine's methods. */
export class Reports {
  readonly #registry: Registry
  readonly #audio: Publication[] = []

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Audio publications are kept in a list of their own: levels are asked for 20 times a second. */
  watch(publication: Publication): void {
    if (publication.kind === 'audio') this.#audio.push(publication)
  }

  unwatch(publication: Publication): void {
    const place = this.#audio.indexOf(publication)
    if (place >= 0) this.#audio.splice(place, 1)
  }

  /** Levels of all audio that flows and may be heard. */
  levels(nowMs: number): void {
    const levels: [number, number][] = []
    for (const publication of this.#audio) {
      const { isFlowing, isMuted, isPermitted, publicationId } = publication
      if (!isFlowing || isMuted || !isPermitted) continue
      levels.push([publicationId, publication.levelDbov(nowMs)])
    }
    if (levels.length > 0) this.#registry.options.report({ type: 'levels', levels })
  }

  /** The worker that has the publisher speaks; importers only note it. */
  flowing(publication: Publication, flowing: boolean): void {
    if (publication.isFlowing === flowing) return
    publication.isFlowing = flowing
    if (publication.isImported) return
    const { publicationId } = publication
    this.#registry.options.report({ type: 'flowing', publicationId, flowing })
  }

  /** Those without a packet for two seconds have stopped. */
  silences(nowMs: number): void {
    for (const publication of this.#registry.publications.values()) {
      if (!publication.isFlowing) continue
      if (nowMs - publication.lastPacketMs >= FLOWING_SILENCE_MS) this.flowing(publication, false)
    }
  }

  /**
   * Tells how a participant's streams fare, if that differs from what was told last or that is
   * long ago: a hall of a thousand that sees and hears well is not worth a message a millisecond.
   */
  quality(transport: Transport, nowMs: number): void {
    const streams = streamsOf(transport, nowMs)
    transport.qualityMs = nowMs
    const isFresh = nowMs - transport.qualityToldMs < QUALITY_REPEAT_MS
    if (isFresh && !isNews(transport.qualityTold, streams)) return
    transport.qualityTold = streams
    transport.qualityToldMs = nowMs
    const { transportId } = transport
    this.#registry.options.report({ type: 'quality', transportId, streams })
  }

  stats(requestId: number, transportId: number, nowMs: number): void {
    const transport = this.#registry.byId(transportId)
    const stats = transport === undefined ? undefined : statsOf(transport, nowMs)
    this.#registry.options.report({ type: 'stats', requestId, transportId, stats })
  }
}

function statsOf(transport: Transport, nowMs: number): TransportStats {
  transport.measureSent(nowMs)
  return {
    rttMs: transport.rttMs,
    bytesIn: transport.bytesIn,
    bytesOut: transport.bytesOut,
    packetsIn: transport.packetsIn,
    packetsOut: transport.packetsOut,
    availableBps: transport.estimator.availableBps(nowMs),
    streams: streamsOf(transport, nowMs),
  }
}

function streamsOf(transport: Transport, nowMs: number): StreamQuality[] {
  const streams: StreamQuality[] = []
  for (const slot of transport.slots) {
    if (slot.publication !== undefined) streams.push(outgoingQuality(slot, transport, nowMs))
  }
  for (const publication of transport.publications) {
    if (!publication.isPermitted || publication.isMuted) continue
    const quality = incomingQuality(publication, transport, nowMs)
    if (quality !== undefined) streams.push(quality)
  }
  return streams
}

function outgoingQuality(slot: Slot, transport: Transport, nowMs: number): StreamQuality {
  const { forwarder, section, allocation, publication } = slot
  const layer = forwarder.current
  const isFlowing = layer !== undefined && nowMs - forwarder.lastSentMs < FLOWING_SILENCE_MS
  const wanted = allocation === undefined ? 0 : allocation.spatialWanted
  const spatialLayer = isFlowing ? layer.spatialLayer : -1
  const jitterMs = (slot.jitterTicks * 1_000) / section.codecs[0]!.clockRate
  const figures = { lossRatio: slot.lossRatio, jitterMs, rttMs: transport.rttMs }
  const isSqueezed = allocation !== undefined && allocation.spatial < wanted
  return {
    mid: section.mid,
    direction: 'out',
    bitrateBps: isFlowing ? Math.round(layer.rate.bitrateBps) : 0,
    ...figures,
    spatialLayer,
    spatialLayerWanted: wanted,
    reason: reasonOf({ ...figures, isSqueezed, isFlowing: isFlowing || !publication!.isFlowing }),
  }
}

function incomingQuality(
  publication: Publication,
  transport: Transport,
  nowMs: number,
): StreamQuality | undefined {
  let best: IncomingStream | undefined
  let bitrateBps = 0
  let lossRatio = 0
  for (const stream of publication.streams) {
    if (stream === undefined || nowMs - stream.arrivalMs > FLOWING_SILENCE_MS) continue
    best = stream
    bitrateBps += stream.rate.bitrateBps(nowMs)
    lossRatio = Math.max(lossRatio, stream.lossRatio)
  }
  const any = best ?? publication.streams.find((stream) => stream !== undefined)
  // Never sent: the source is off, which is nobody's fault.
  if (any === undefined) return undefined
  const figures = { lossRatio, jitterMs: any.jitterMs, rttMs: transport.rttMs }
  return {
    mid: any.section.mid,
    direction: 'in',
    bitrateBps: Math.round(bitrateBps),
    ...figures,
    spatialLayer: best?.spatialLayer ?? -1,
    spatialLayerWanted: publication.layers.length - 1,
    reason: reasonOf({ ...figures, isSqueezed: false, isFlowing: best !== undefined }),
  }
}

function isNews(told: readonly StreamQuality[], now: readonly StreamQuality[]): boolean {
  if (told.length !== now.length) return true
  for (let i = 0; i < now.length; i++) {
    if (differs(told[i]!, now[i]!)) return true
  }
  return false
}

function differs(told: StreamQuality, now: StreamQuality): boolean {
  return (
    told.mid !== now.mid ||
    told.reason !== now.reason ||
    told.spatialLayer !== now.spatialLayer ||
    told.spatialLayerWanted !== now.spatialLayerWanted ||
    (told.bitrateBps === 0) !== (now.bitrateBps === 0) ||
    Math.abs(told.lossRatio - now.lossRatio) >= LOSS_RATIO_NEWS ||
    Math.abs(told.rttMs - now.rttMs) >= RTT_MS_NEWS ||
    Math.abs(told.jitterMs - now.jitterMs) >= JITTER_MS_NEWS
  )
}

function reasonOf(stream: {
  lossRatio: number
  jitterMs: number
  rttMs: number
  isSqueezed: boolean
  isFlowing: boolean
}): QualityReason {
  if (stream.isSqueezed) return 'bandwidth'
  if (!stream.isFlowing) return 'no-packets'
  if (stream.lossRatio > LOSS_RATIO_BAD) return 'loss'
  if (stream.rttMs > RTT_MS_BAD || stream.jitterMs > JITTER_MS_BAD) return 'delay'
  return 'none'
}
