/**
 * What each slot shows and at which layer: applies the room's assignment and the participant's
 * views, asks the allocator, and moves the forwarders. Decides neither who speaks (director) nor
 * what fits (bandwidth).
 */
import { SWITCH_HOLD_MS } from '../../../config/limits.ts'
import { allocate } from '../bandwidth/index.ts'
import type { SlotView } from '../control.ts'
import { DROP_CODE } from '../rtp/index.ts'
import type { Ingress } from './ingress.ts'
import type { Publication } from './publication.ts'
import type { Registry } from './registry.ts'
import type { Slot } from './slot.ts'
import type { Transport } from './transport.ts'

const CODEC_NOT_NEGOTIATED = DROP_CODE['codec-not-negotiated']
/** Between two requests for a keyframe of an imported layer. */
const UPSTREAM_KEYFRAME_MS = 500
const SPEND_MS = 1_000

/** The only one that moves forwarders between layers. */
export class Tuner {
  readonly #registry: Registry
  readonly #replay: Ingress['replay']

  /** `replay`: see Ingress. */
  constructor(registry: Registry, replay: Ingress['replay']) {
    this.#registry = registry
    this.#replay = replay
  }

  /** The room's defaults changed, or a publication came or went. */
  retuneRoom(roomId: number, nowMs: number): void {
    const room = this.#registry.rooms.get(roomId)
    if (room === undefined) return
    for (const transport of room.transports) this.retune(transport, nowMs)
  }

  setViews(transport: Transport, views: SlotView[], nowMs: number): void {
    for (const { mid, publicationId, heightPx, widthPx } of views) {
      const slot = transport.slotOfMid(mid)
      if (slot === undefined) continue
      slot.viewPublicationId = publicationId
      if (slot.allocation !== undefined) slot.allocation.heightPx = widthPx > 0 ? heightPx : 0
    }
    this.retune(transport, nowMs)
    if (transport.isConnected) this.spend(transport, nowMs)
  }

  /** Looks again at everything that one participant is shown. */
  retune(transport: Transport, nowMs: number): void {
    if (!transport.isConnected) return
    const room = this.#registry.rooms.get(transport.roomId)
    if (room === undefined) return
    let isVideoChanged = false
    for (const slot of transport.slots) {
      if (!slot.show(room.publicationFor(slot, transport))) continue
      if (slot.allocation === undefined) this.#tuneAudio(slot, nowMs)
      else isVideoChanged = true
    }
    if (isVideoChanged) this.spend(transport, nowMs)
  }

  /**
   * A transport's turn, four times a second: the allocator is asked once a second, and at once when
   * the link carries less than is spent, when a layer began or ceased to flow, or while a keyframe
   * is awaited.
   */
  review(transport: Transport, nowMs: number): void {
    if (transport.allocations.length === 0) return
    const room = this.#registry.rooms.get(transport.roomId)
    const isDue =
      nowMs - transport.spentMs >= SPEND_MS ||
      transport.spentRevision !== room?.flowRevision ||
      transport.estimator.availableBps(nowMs) < transport.spentBps ||
      isAwaiting(transport)
    if (isDue) this.spend(transport, nowMs)
    else transport.estimator.onDemand(transport.sentBps, transport.wantedBps, nowMs)
  }

  /** Asks the allocator what the link carries now, and does it. */
  spend(transport: Transport, nowMs: number): void {
    const { estimator, allocations } = transport
    if (allocations.length === 0) return
    transport.measureSent(nowMs)
    const audio = audioBps(transport)
    const videoBps = Math.max(0, estimator.availableBps(nowMs) - audio)
    const { wantedBps, spentBps } = allocate(allocations, videoBps, nowMs)
    transport.wantedBps = wantedBps + audio
    estimator.onDemand(transport.sentBps, transport.wantedBps, nowMs)
    transport.spentMs = nowMs
    transport.spentBps = spentBps + audio
    transport.spentRevision = this.#registry.rooms.get(transport.roomId)?.flowRevision ?? -1
    for (const slot of transport.videoSlots) this.#tuneVideo(slot, nowMs)
  }

  #tuneAudio(slot: Slot, nowMs: number): void {
    const { publication, forwarder } = slot
    const before = forwarder.target
    const layer = this.#prepare(slot) ? publication?.layers[0] : undefined
    if (layer !== undefined && slot.section.feedback.nack) layer.keepPackets()
    forwarder.retarget(layer, nowMs)
    if (before !== layer && publication?.isImported) this.#tellWants(publication)
  }

  #tuneVideo(slot: Slot, nowMs: number): void {
    const { publication, forwarder } = slot
    const { spatial, temporal } = slot.allocation!
    const isShown = publication !== undefined && spatial >= 0 && this.#prepare(slot)
    const layer = isShown ? publication.layers[spatial] : undefined
    if (layer !== undefined && slot.section.feedback.nack) layer.keepPackets()
    forwarder.setTemporal(temporal)
    const before = forwarder.target
    forwarder.retarget(layer, nowMs)
    if (publication?.isImported && before !== layer) this.#tellWants(publication)
    if (publication === undefined || !forwarder.isAwaitingKeyframe) return
    const isNew = before !== layer && forwarder.current?.publicationId !== publication.publicationId
    if (isNew && publication.isImported && this.#replay(publication, forwarder, nowMs)) return
    this.requestKeyframe(publication, spatial, nowMs)
    // Another's picture is not left standing when the new one cannot come.
    const isOther = forwarder.current?.publicationId !== publication.publicationId
    if (isOther && nowMs - forwarder.awaitingSinceMs > SWITCH_HOLD_MS) forwarder.dropHeld()
  }

  #prepare(slot: Slot): boolean {
    if (slot.publication === undefined) return false
    const isReceivable = slot.prepare()
    if (!isReceivable) this.#registry.counters.drop(CODEC_NOT_NEGOTIATED)
    return isReceivable
  }

  /** The publisher, or the worker that has it, hears of it; throttled there and here. */
  requestKeyframe(publication: Publication, layer: number, nowMs: number): void {
    if (publication.kind !== 'video') return
    if (!publication.isImported) {
      publication.streams[layer]?.requestKeyframe()
      return
    }
    const askedMs = publication.askedKeyframeMs[layer] ?? Number.POSITIVE_INFINITY
    if (nowMs - askedMs < UPSTREAM_KEYFRAME_MS) return
    publication.askedKeyframeMs[layer] = nowMs
    this.#registry.options.upstream?.requestKeyframe(publication.publicationId, layer)
  }

  #tellWants(publication: Publication): void {
    let mask = 0
    for (const layer of publication.layers) {
      if (layer.subscribers.length > 0) mask |= 1 << layer.spatialLayer
    }
    if (mask === publication.askedMask) return
    // What is not wanted does not come, and what comes later does not continue it.
    publication.cache?.clear(~mask)
    publication.askedMask = mask
    this.#registry.options.upstream?.wantLayers(publication.publicationId, mask)
  }

  /** Its layers may have lost a subscriber by a switch, which nobody reports. */
  refreshWants(publication: Publication): void {
    if (publication.isImported) this.#tellWants(publication)
  }

  /** After a mute or an outage: whoever shows it begins at a keyframe. */
  restart(publication: Publication, nowMs: number): void {
    const room = this.#registry.rooms.get(publication.roomId)
    for (const transport of room?.transports ?? []) {
      for (const { forwarder, publication: shown } of transport.slots) {
        if (shown !== publication || forwarder.target === undefined) continue
        const { target } = forwarder
        forwarder.retarget(undefined, nowMs)
        forwarder.retarget(target, nowMs)
        this.requestKeyframe(publication, target.spatialLayer, nowMs)
      }
    }
  }

  /** The publisher changed its codec: other payload types, and other receivers who can have it. */
  recode(publication: Publication, nowMs: number): void {
    this.restart(publication, nowMs)
    const room = this.#registry.rooms.get(publication.roomId)
    for (const transport of room?.transports ?? []) {
      if (!transport.isConnected) continue
      const shown = transport.slots.filter((slot) => slot.publication === publication)
      for (const slot of shown) {
        if (slot.allocation === undefined) this.#tuneAudio(slot, nowMs)
      }
      if (shown.length > 0) this.spend(transport, nowMs)
    }
  }

  /** Takes a publication out of every slot, at once. */
  detach(publication: Publication, nowMs: number): void {
    for (const layer of publication.layers) {
      // Whoever still holds the last picture lets go of it too.
      for (let i = layer.subscribers.length - 1; i >= 0; i--) {
        const forwarder = layer.subscribers[i]!
        if (forwarder.target === layer) forwarder.retarget(undefined, nowMs)
        else forwarder.dropHeld()
      }
    }
    if (publication.shownCount > 0) this.retuneRoom(publication.roomId, nowMs)
  }
}

function isAwaiting(transport: Transport): boolean {
  for (const { forwarder } of transport.videoSlots) {
    if (forwarder.isAwaitingKeyframe) return true
  }
  return false
}

function audioBps(transport: Transport): number {
  let bps = 0
  for (const { publication, allocation } of transport.slots) {
    if (allocation === undefined) bps += publication?.layers[0]?.rate.bitrateBps ?? 0
  }
  return bps
}
