/**
 * The selective forwarding unit of one worker, pure: commands, packets and time go in; packets
 * (PacketSink), reports and one next deadline come out. No socket, no key, no clock, no log.
 */
import { ENGINE_TICK_MS, REPLAY_CACHES_MAX } from '../../../config/limits.ts'
import type {
  DisconnectCause,
  ImportedPublication,
  MediaCommand,
  SourceUse,
  TransportSpec,
} from '../control.ts'
import { DROP_CODE, MediaPacket } from '../rtp/index.ts'
import type { EngineOptions, ExportOutlet } from './contract.ts'
import type { EngineCounters } from './counters.ts'
import { FanOut } from './fan-out.ts'
import { Feedback } from './feedback.ts'
import {
  applyHandoffStatus,
  HANDOFF_PACKET,
  HandoffFrame,
  readHandoffPacket,
  writeHandoffStatus,
} from './handoff.ts'
import { CacheAllowance, HandoffCache } from './handoff-cache.ts'
import { Ingress } from './ingress.ts'
import { Publication } from './publication.ts'
import { Registry } from './registry.ts'
import { Reports } from './reports.ts'
import { Retransmitter } from './retransmitter.ts'
import { RtcpIngress } from './rtcp-ingress.ts'
import type { Transport } from './transport.ts'
import { Tuner } from './tuner.ts'

const ALL_LAYERS = -1
const HANDOFF_MALFORMED = DROP_CODE['handoff-malformed']
const HANDOFF_UNKNOWN = DROP_CODE['handoff-unknown']

/** Ticks in which every transport has had its turn: a quarter of a second. */
const WHEEL_TICKS = 25
const LEVELS_TICKS = 5
const PUBLICATIONS_TICKS = 25
const SILENCE_TICKS = 10
const QUALITY_MS = 2_000
const HANDOFF_STATUS_BYTES = 64

/** One per media worker; every method is synchronous and never throws on input from outside. */
export class Engine {
  readonly #registry: Registry
  readonly #tuner: Tuner
  readonly #ingress: Ingress
  readonly #rtcp: RtcpIngress
  readonly #feedback: Feedback
  readonly #reports: Reports
  readonly #retransmitter: Retransmitter
  readonly #probing: Transport[] = []
  readonly #frame = new HandoffFrame()
  readonly #allowance = new CacheAllowance(REPLAY_CACHES_MAX)
  readonly #packet = new MediaPacket()
  readonly #status = new Uint8Array(HANDOFF_STATUS_BYTES)
  #tick = 0
  #deadlineMs = Number.POSITIVE_INFINITY

  constructor(options: EngineOptions) {
    const registry = new Registry(options)
    this.#registry = registry
    this.#tuner = new Tuner(registry, (publication, forwarder, nowMs) =>
      this.#ingress.replay(publication, forwarder, nowMs),
    )
    this.#reports = new Reports(registry)
    this.#retransmitter = new Retransmitter(registry)
    this.#feedback = new Feedback(registry)
    this.#ingress = new Ingress(registry, new FanOut(options.sink, registry.counters), {
      onFlowing: (publication, nowMs) => {
        this.#reports.flowing(publication, true)
        // It may have been assigned before it existed here.
        this.#tuner.retuneRoom(publication.roomId, nowMs)
      },
      onCodecChange: (publication, nowMs) => this.#tuner.recode(publication, nowMs),
    })
    this.#rtcp = new RtcpIngress({
      registry,
      tuner: this.#tuner,
      retransmitter: this.#retransmitter,
    })
  }

  /** Drops by reason, packets, bytes: a live object, to be read only. */
  get counters(): EngineCounters {
    return this.#registry.counters
  }

  get transportCount(): number {
    return this.#registry.transportCount
  }

  get publicationCount(): number {
    return this.#registry.publications.size
  }

  get roomCount(): number {
    return this.#registry.rooms.size
  }

  /** The sink's index of a transport, -1 when unknown; given by `open`, reused after the end. */
  transportIndex(transportId: number): number {
    return this.#registry.indexOf(transportId)
  }

  /**
   * Carries out one command. Unknown ids are ignored: the two sides of the seam may have crossed.
   */
  command(command: MediaCommand, nowMs: number): void {
    switch (command.type) {
      case 'open':
        this.#open(command.spec, nowMs)
        break
      case 'restart':
        // Credentials are the shell's.
        break
      case 'close':
        this.disconnected(this.transportIndex(command.transportId), 'closed', nowMs)
        break
      case 'permit':
        this.#permit(command.transportId, command.uses, nowMs)
        break
      case 'mute':
        this.#mute(command.publicationId, command.muted, nowMs)
        break
      case 'assign':
        this.#registry.assign(command.roomId, command.assignment)
        this.#tuner.retuneRoom(command.roomId, nowMs)
        break
      case 'view': {
        const transport = this.#registry.byId(command.transportId)
        if (transport !== undefined) this.#tuner.setViews(transport, command.views, nowMs)
        break
      }
      case 'import':
        this.#import(command.roomId, command.publication, nowMs)
        break
      case 'forget':
        this.#forget(command.publicationId, nowMs)
        break
      case 'request-stats':
        this.#reports.stats(command.requestId, command.transportId, nowMs)
        break
    }
  }

  #open(spec: TransportSpec, nowMs: number): void {
    const transport = this.#registry.add(spec, nowMs)
    if (transport === undefined) {
      const { transportId } = spec
      if (this.#registry.indexOf(transportId) >= 0) return
      this.#registry.options.report({ type: 'disconnected', transportId, cause: 'worker-failed' })
      return
    }
    for (const publication of transport.publications) this.#reports.watch(publication)
  }

  /** Keys are in place. Idempotent. */
  connected(transportIndex: number, nowMs: number): void {
    const transport = this.#registry.transports[transportIndex]
    if (transport === undefined || transport.isConnected) return
    transport.isConnected = true
    transport.openStreams(this.#registry.options.sink)
    this.#registry.connectedCount += 1
    if (transport.table !== undefined) this.#registry.senders.push(transport)
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) this.#deadlineMs = nowMs + ENGINE_TICK_MS
    const { transportId } = transport
    this.#registry.options.report({ type: 'connected', transportId })
    this.#tuner.retune(transport, nowMs)
  }

  /** Ends a transport and all that was its own, and reports it. Unknown indexes are ignored. */
  disconnected(transportIndex: number, cause: DisconnectCause, nowMs: number): void {
    const transport = this.#registry.transports[transportIndex]
    if (transport === undefined) return
    for (const slot of transport.slots) {
      const shown = slot.publication
      slot.show(undefined)
      slot.forwarder.close()
      if (shown !== undefined) this.#tuner.refreshWants(shown)
    }
    if (transport.isConnected) this.#close(transport)
    this.#registry.remove(transport)
    for (const publication of transport.publications) this.#remove(publication, nowMs)
    const { transportId } = transport
    this.#registry.options.report({ type: 'disconnected', transportId, cause })
  }

  #close(transport: Transport): void {
    transport.isConnected = false
    transport.closeStreams(this.#registry.options.sink)
    remove(this.#registry.senders, transport)
    remove(this.#probing, transport)
    this.#registry.connectedCount -= 1
    if (this.#registry.connectedCount === 0) this.#deadlineMs = Number.POSITIVE_INFINITY
  }

  #remove(publication: Publication, nowMs: number): void {
    publication.cache?.clear(ALL_LAYERS)
    this.#reports.flowing(publication, false)
    this.#reports.unwatch(publication)
    this.#registry.removePublication(publication)
    this.#tuner.detach(publication, nowMs)
    publication.close()
  }

  #permit(transportId: number, uses: SourceUse[], nowMs: number): void {
    const transport = this.#registry.byId(transportId)
    if (transport === undefined) return
    const before = transport.publications.filter(({ isPermitted }) => isPermitted)
    transport.permit(uses)
    for (const publication of transport.publications) {
      const isNew = publication.isPermitted && !before.includes(publication)
      if (isNew) this.#tuner.restart(publication, nowMs)
    }
  }

  #mute(publicationId: number, muted: boolean, nowMs: number): void {
    const publication = this.#registry.publications.get(publicationId)
    if (publication === undefined || publication.isMuted === muted) return
    publication.isMuted = muted
    publication.cache?.clear(ALL_LAYERS)
    // What was missed meanwhile shall not look like loss.
    if (!muted) this.#tuner.restart(publication, nowMs)
  }

  #import(roomId: number, imported: ImportedPublication, nowMs: number): void {
    if (imported.codecs.length === 0) return
    const publication = new Publication({ ...imported, roomId, transportId: 0 })
    if (!this.#registry.addPublication(publication)) return
    this.#tuner.retuneRoom(roomId, nowMs)
  }

  #forget(publicationId: number, nowMs: number): void {
    const publication = this.#registry.publications.get(publicationId)
    if (publication?.isImported) this.#remove(publication, nowMs)
  }

  /**
   * @hot One decrypted RTP packet; `bytes` is the caller's, its header may be overwritten, and it
   * is not kept.
   */
  onRtp(
    transportIndex: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): void {
    this.#ingress.receive(this.#registry.transports[transportIndex], bytes, start, end, nowMs)
  }

  /** One decrypted RTCP compound. */
  onRtcp(
    transportIndex: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): void {
    this.#rtcp.receive(this.#registry.transports[transportIndex], bytes, start, end, nowMs)
  }

  /** Infinity while nobody is connected. */
  nextDeadlineMs(): number {
    return this.#deadlineMs
  }

  /** Does what is due; call it at or after the deadline. Late calls are not made up for. */
  onDeadline(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return
    this.#deadlineMs = nowMs + ENGINE_TICK_MS
    this.#tick += 1
    for (const transport of this.#registry.senders) this.#feedback.toPublisher(transport, nowMs)
    this.#probe(nowMs)
    const { transports } = this.#registry
    for (let i = this.#tick % WHEEL_TICKS; i < transports.length; i += WHEEL_TICKS) {
      const transport = transports[i]
      if (transport?.isConnected) this.#turn(transport, nowMs)
    }
    if (this.#tick % LEVELS_TICKS === 0) this.#reports.levels(nowMs)
    if (this.#tick % SILENCE_TICKS === 0) this.#reports.silences(nowMs)
    if (this.#tick % PUBLICATIONS_TICKS === 0) this.#updatePublications(nowMs)
  }

  /** One transport's turn, four times a second. */
  #turn(transport: Transport, nowMs: number): void {
    this.#tuner.review(transport, nowMs)
    this.#feedback.toReceiver(transport, nowMs)
    if (nowMs - transport.qualityMs >= QUALITY_MS) this.#reports.quality(transport, nowMs)
    if (!transport.isProbing && transport.allocations.length > 0) this.#probeOne(transport, nowMs)
  }

  /** Those that are being probed now, at every tick. */
  #probe(nowMs: number): void {
    for (let i = this.#probing.length - 1; i >= 0; i--) this.#probeOne(this.#probing[i]!, nowMs)
  }

  #probeOne(transport: Transport, nowMs: number): void {
    const { estimator } = transport
    const wantedBytes = estimator.probeBytes(nowMs)
    const isSent = wantedBytes === 0 || this.#retransmitter.probe(transport, wantedBytes, nowMs) > 0
    const isProbing = isSent && estimator.isProbing(nowMs)
    if (isProbing === transport.isProbing) return
    transport.isProbing = isProbing
    if (isProbing) this.#probing.push(transport)
    else remove(this.#probing, transport)
  }

  #updatePublications(nowMs: number): void {
    for (const publication of this.#registry.publications.values()) {
      const room = this.#registry.rooms.get(publication.roomId)
      if (publication.update(nowMs) && room !== undefined) room.flowRevision += 1
      this.#tuner.refreshWants(publication)
      const { outlet, publicationId, clockOffsetMs } = publication
      if (outlet === undefined) continue
      const levelDbov = publication.levelDbov(nowMs)
      for (const layer of publication.layers) {
        const facts = { publicationId, levelDbov, clockOffsetMs }
        outlet.handoff(this.#status, 0, writeHandoffStatus(this.#status, layer, facts))
      }
    }
  }

  /**
   * Sends a copy of what is wanted of a publication to another worker, or stops; false when it is
   * not ours.
   */
  exportPublication(publicationId: number, outlet: ExportOutlet | undefined): boolean {
    const publication = this.#registry.publications.get(publicationId)
    if (publication === undefined || publication.isImported) return false
    publication.outlet = outlet
    if (outlet === undefined) publication.exportMask = 0
    return true
  }

  /** The importing side waits for a keyframe. */
  onUpstreamKeyframe(publicationId: number, layer: number, nowMs: number): void {
    const publication = this.#registry.publications.get(publicationId)
    if (publication !== undefined) this.#tuner.requestKeyframe(publication, layer, nowMs)
  }

  /** The importing side wants these layers, bit by bit. */
  onUpstreamWant(publicationId: number, layerMask: number, nowMs: number): void {
    const publication = this.#registry.publications.get(publicationId)
    if (publication === undefined || publication.isImported) return
    const added = layerMask & ~publication.exportMask
    publication.exportMask = layerMask
    for (const { spatialLayer } of publication.layers) {
      if ((added & (1 << spatialLayer)) === 0) continue
      this.#tuner.requestKeyframe(publication, spatialLayer, nowMs)
    }
  }

  /** @hot One handoff frame of another worker's export; the bytes are not kept. */
  onImported(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    const frame = this.#frame
    const { counters } = this.#registry
    if (!frame.read(bytes, start, end)) {
      counters.drop(HANDOFF_MALFORMED)
      return
    }
    const publication = this.#registry.publications.get(frame.publicationId)
    const layer = publication?.layers[frame.spatialLayer]
    if (publication === undefined || layer === undefined || !publication.isImported) {
      counters.drop(HANDOFF_UNKNOWN)
      return
    }
    if (frame.kind !== HANDOFF_PACKET) {
      publication.importedLevelDbov = applyHandoffStatus(layer, bytes, start)
      return
    }
    if (publication.kind === 'video' && !publication.isMuted) {
      publication.cache ??= new HandoffCache(this.#allowance)
      publication.cache.onFrame(frame.spatialLayer, bytes, start, end, nowMs)
    }
    const packet = this.#packet
    readHandoffPacket(packet, bytes, start, end)
    packet.arrivalMs = nowMs
    if (frame.isPadding) this.#ingress.closePadding(publication, frame.spatialLayer, packet)
    else if (!publication.isMuted) this.#ingress.distribute(publication, frame.spatialLayer, packet)
  }
}

function remove<T>(list: T[], item: T): void {
  const place = list.indexOf(item)
  if (place >= 0) list.splice(place, 1)
}
