/**
 * What one incoming section negotiated, as tables by payload type and as bytes to compare names
 * with. Names from outside are never keys of anything.
 */
import { LAYERS_PER_PUBLICATION_MAX } from '../../../config/limits.ts'
import type { CodecSpec, IncomingSection } from '../control.ts'

const PAYLOAD_TYPES = 128

/** Read-only tables of one section, made when the transport opens. */
export class SectionCodecs {
  readonly section: IncomingSection
  readonly mid: Uint8Array
  /** Lowest picture first; empty without simulcast. */
  readonly rids: readonly Uint8Array[]
  /** Layers that this section can have: one per RID or declared SSRC, at least one. */
  readonly layerCount: number
  readonly #codecs: (CodecSpec | undefined)[] = new Array(PAYLOAD_TYPES).fill(undefined)
  readonly #primaryOfRtx = new Int16Array(PAYLOAD_TYPES).fill(-1)

  constructor(section: IncomingSection) {
    const encoder = new TextEncoder()
    this.section = section
    this.mid = encoder.encode(section.mid)
    this.rids = section.rids.slice(0, LAYERS_PER_PUBLICATION_MAX).map((rid) => encoder.encode(rid))
    const declared = this.rids.length > 0 ? this.rids.length : section.ssrcs.length
    this.layerCount = Math.min(LAYERS_PER_PUBLICATION_MAX, Math.max(1, declared))
    for (const codec of section.codecs) this.#add(codec)
  }

  /** @hot The codec of a payload type 0..127; undefined when it is RTX or not negotiated. */
  codecOf(payloadType: number): CodecSpec | undefined {
    return this.#codecs[payloadType]
  }

  /** @hot The payload type that an RTX payload type repeats (apt), -1 when it is not RTX. */
  primaryOf(payloadType: number): number {
    return this.#primaryOfRtx[payloadType]!
  }

  /** True for a payload type of this section, RTX included. */
  knows(payloadType: number): boolean {
    return this.codecOf(payloadType) !== undefined || this.primaryOf(payloadType) >= 0
  }

  #add(codec: CodecSpec): void {
    this.#codecs[codec.payloadType & 0x7f] = codec
    if (codec.rtxPayloadType === undefined) return
    this.#primaryOfRtx[codec.rtxPayloadType & 0x7f] = codec.payloadType
  }
}
