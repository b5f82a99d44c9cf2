/**
 * SSRC -> stream for one transport. An SSRC is bound because it was declared (a=ssrc), because its
 * first packets carry MID and RID or repaired-RID extensions (RFC 8843 §9.2, RFC 8852), or because
 * its payload type can only mean one section. What a peer can create here is bounded by what it
 * negotiated: a layer has one media and one RTX SSRC.
 */
import { SSRC_CHANGE_MS_MIN } from '../../../config/limits.ts'
import type { IncomingSection } from '../control.ts'
import { DROP_CODE, extensionEquals, hasExtension, type RtpPacket } from '../rtp/index.ts'
import { IncomingStream } from './incoming-stream.ts'
import { SectionCodecs } from './section-codecs.ts'

const MID_UNKNOWN = DROP_CODE['mid-unknown']
const PAYLOAD_TYPE_UNKNOWN = DROP_CODE['payload-type-unknown']
const RID_UNKNOWN = DROP_CODE['rid-unknown']
const SSRC_COLLISION = DROP_CODE['ssrc-collision']
const SSRC_LIMIT = DROP_CODE['ssrc-limit']
const SSRC_UNKNOWN = DROP_CODE['ssrc-unknown']

/** One layer that may come: its stream is made when its first SSRC is known. */
type Layer = {
  readonly codecs: SectionCodecs
  readonly spatialLayer: number
  stream: IncomingStream | undefined
  media: Role
  rtx: Role
}

/** Who has a layer's media or RTX role now. */
type Role = { ssrc: number; changedMs: number }

type Binding = { readonly layer: Layer; readonly stream: IncomingStream; readonly isRtx: boolean }

/** All that one transport may send to us, bounded by the sections that it negotiated. */
export class StreamTable {
  readonly #sections: readonly SectionCodecs[]
  readonly #layers: readonly Layer[]
  /** By SSRC as int32, which V8 keeps unboxed; never more than two per layer. */
  readonly #bindings = new Map<number, Binding>()

  /** Streams bound so far, at most one per layer. Read-only for others. */
  readonly streams: IncomingStream[] = []
  /** DropReason code of the last `resolve` that returned undefined. */
  dropCode = 0

  constructor(sections: readonly IncomingSection[]) {
    this.#sections = sections.map((section) => new SectionCodecs(section))
    this.#layers = this.#sections.flatMap((codecs) =>
      Array.from({ length: codecs.layerCount }, (_, spatialLayer) => ({
        codecs,
        spatialLayer,
        stream: undefined,
        media: { ssrc: -1, changedMs: Number.NEGATIVE_INFINITY },
        rtx: { ssrc: -1, changedMs: Number.NEGATIVE_INFINITY },
      })),
    )
    for (const layer of this.#layers) this.#declare(layer)
  }

  /** SSRCs bound now, RTX included. */
  get size(): number {
    return this.#bindings.size
  }

  /**
   * @hot The stream that a packet belongs to; undefined with `dropCode` set when nothing explains
   * it.
   */
  resolve(packet: RtpPacket, nowMs: number): IncomingStream | undefined {
    const binding = this.#bindings.get(packet.ssrc | 0)
    if (binding === undefined) return this.#learn(packet, nowMs)
    const codecs = binding.layer.codecs
    if (binding.isRtx !== codecs.primaryOf(packet.payloadType) >= 0) {
      return this.#drop(PAYLOAD_TYPE_UNKNOWN)
    }
    if (packet.extensionCount > 0 && this.#contradicts(packet, binding)) {
      return this.#drop(SSRC_COLLISION)
    }
    return binding.stream
  }

  /** The stream whose media or RTX SSRC this is, for RTCP. */
  ofSsrc(ssrc: number): IncomingStream | undefined {
    return this.#bindings.get(ssrc | 0)?.stream
  }

  /** BYE (RFC 3550 §6.6): the SSRC is free again; its stream stays for the next one. */
  forget(ssrc: number): void {
    const binding = this.#bindings.get(ssrc | 0)
    if (binding === undefined) return
    this.#bindings.delete(ssrc | 0)
    const role = binding.isRtx ? binding.layer.rtx : binding.layer.media
    role.ssrc = -1
  }

  #drop(code: number): undefined {
    this.dropCode = code
    return undefined
  }

  /** @hot An SSRC that names another section or layer than the one it was bound to. */
  #contradicts(packet: RtpPacket, binding: Binding): boolean {
    const { codecs, spatialLayer } = binding.layer
    const { mid = 0, rid = 0, repairedRid = 0 } = codecs.section.extensions
    if (hasExtension(packet, mid) && !extensionEquals(packet, mid, codecs.mid)) return true
    const ridId = binding.isRtx ? repairedRid : rid
    const expected = codecs.rids[spatialLayer]
    if (expected === undefined || !hasExtension(packet, ridId)) return false
    return !extensionEquals(packet, ridId, expected)
  }

  /** Binds what the description declared. An SSRC declared twice stays with the first. */
  #declare(layer: Layer): void {
    if (layer.codecs.rids.length > 0) return
    const declared = layer.codecs.section.ssrcs[layer.spatialLayer]
    if (declared === undefined) return
    if (!this.#bindings.has(declared.ssrc | 0)) this.#bind(layer, declared.ssrc, false)
    const rtxSsrc = declared.rtxSsrc
    if (rtxSsrc === undefined || this.#bindings.has(rtxSsrc | 0)) return
    this.#bind(layer, rtxSsrc, true)
  }

  /**
   * The slow path: an SSRC seen for the first time, or again and again until something explains it.
   */
  #learn(packet: RtpPacket, nowMs: number): IncomingStream | undefined {
    const named = this.#sectionByMid(packet)
    if (named === undefined && this.#hasAnyMid(packet)) return this.#drop(MID_UNKNOWN)
    const codecs = named ?? this.#sectionByPayloadType(packet.payloadType)
    if (codecs === undefined) return this.#drop(SSRC_UNKNOWN)
    if (!codecs.knows(packet.payloadType)) return this.#drop(PAYLOAD_TYPE_UNKNOWN)
    const isRtx = codecs.primaryOf(packet.payloadType) >= 0
    const spatialLayer = layerByRid(packet, codecs, isRtx)
    const layer = this.#layers.find(
      (candidate) => candidate.codecs === codecs && candidate.spatialLayer === spatialLayer,
    )
    if (layer === undefined) return this.#drop(RID_UNKNOWN)
    return this.#rebind(layer, packet, { isRtx, nowMs, isSignalled: named !== undefined })
  }

  /** A layer whose SSRC changes lets the old one go (RFC 3550 §8.2), but not often. */
  #rebind(
    layer: Layer,
    packet: RtpPacket,
    how: { isRtx: boolean; nowMs: number; isSignalled: boolean },
  ): IncomingStream | undefined {
    const role = how.isRtx ? layer.rtx : layer.media
    if (role.ssrc >= 0) {
      // A name may take a layer at once, a mere payload type only one that has fallen silent.
      const heardMs = how.isSignalled ? Number.NEGATIVE_INFINITY : (layer.stream?.arrivalMs ?? 0)
      const sinceMs = Math.max(role.changedMs, heardMs)
      if (how.nowMs - sinceMs < SSRC_CHANGE_MS_MIN) return this.#drop(SSRC_LIMIT)
      this.#bindings.delete(role.ssrc | 0)
    }
    role.changedMs = how.nowMs
    return this.#bind(layer, packet.ssrc, how.isRtx, !how.isSignalled)
  }

  #bind(layer: Layer, ssrc: number, isRtx: boolean, probation = false): IncomingStream {
    let stream = layer.stream
    if (stream === undefined) {
      stream = new IncomingStream(layer.codecs, layer.spatialLayer)
      layer.stream = stream
      this.streams.push(stream)
    }
    if (isRtx) {
      layer.rtx.ssrc = ssrc
      stream.bindRtx(ssrc)
    } else {
      layer.media.ssrc = ssrc
      stream.bind(ssrc, probation)
    }
    this.#bindings.set(ssrc | 0, { layer, stream, isRtx })
    return stream
  }

  /** Extension ids may differ by section, so each section reads the packet with its own. */
  #sectionByMid(packet: RtpPacket): SectionCodecs | undefined {
    return this.#sections.find((codecs) =>
      extensionEquals(packet, codecs.section.extensions.mid ?? 0, codecs.mid),
    )
  }

  #hasAnyMid(packet: RtpPacket): boolean {
    return this.#sections.some((codecs) => hasExtension(packet, codecs.section.extensions.mid ?? 0))
  }

  /**
   * The only section that negotiated this payload type; undefined when there are none or several.
   */
  #sectionByPayloadType(payloadType: number): SectionCodecs | undefined {
    let found: SectionCodecs | undefined
    for (const codecs of this.#sections) {
      if (!codecs.knows(payloadType)) continue
      if (found !== undefined) return undefined
      found = codecs
    }
    return found
  }
}

/**
 * Index of the layer that RID or repaired-RID names; 0 without simulcast; -1 when it names none.
 */
function layerByRid(packet: RtpPacket, codecs: SectionCodecs, isRtx: boolean): number {
  if (codecs.rids.length === 0) return 0
  const { rid = 0, repairedRid = 0 } = codecs.section.extensions
  if (isRtx && hasExtension(packet, repairedRid)) {
    return codecs.rids.findIndex((name) => extensionEquals(packet, repairedRid, name))
  }
  return codecs.rids.findIndex((name) => extensionEquals(packet, rid, name))
}
