/**
 * One fixed outgoing stream to one participant: what it shall show, its forwarder and its two
 * SSRCs. Which layer it gets is the allocator's matter; which publication, the room's.
 */
import { CACHE_PACKETS } from '../../../config/limits.ts'
import type { AllocationSlot } from '../bandwidth/index.ts'
import type { OutgoingSection } from '../control.ts'
import {
  Forwarder,
  type OutgoingLink,
  OutgoingStream,
  payloadTypeFor,
  planExtension,
} from '../forward/index.ts'
import type { Publication } from './publication.ts'
import type { ResentLog } from './resent-log.ts'

/** A main picture whose size nobody told (WHEP): whole screens are served well. */
const MAIN_HEIGHT_PX = 1_080

export type SlotOptions = {
  section: OutgoingSection
  link: OutgoingLink
  randomUint32: () => number
}

/** Lives as long as its transport; bound to one SSRC for life. */
export class Slot {
  readonly section: OutgoingSection
  readonly stream: OutgoingStream
  /** Undefined when RTX was not negotiated. */
  readonly rtx: OutgoingStream | undefined
  readonly forwarder: Forwarder
  /** What it shall show now; the forwarder may still hold something older. */
  publication: Publication | undefined
  /** Video only. */
  readonly allocation: AllocationSlot | undefined
  /** What the participant itself asked for: 0 = follow the room. */
  viewPublicationId = 0
  resent: ResentLog | undefined

  // From the receiver's reports.
  lossRatio = 0
  jitterTicks = 0
  reportedMs = Number.NEGATIVE_INFINITY
  /** At the last sender report: packets sent, and publication shown. */
  reportedPacketCount = 0
  reportedLayer = 0
  lastSenderReportMs = Number.NEGATIVE_INFINITY

  constructor({ section, link, randomUint32 }: SlotOptions) {
    this.section = section
    const plan = planExtension(section)
    this.stream = new OutgoingStream(section.ssrc, link, plan)
    this.stream.redPayloadType = payloadTypeFor(section, 'red', undefined)
    if (section.rtxSsrc !== 0) {
      this.rtx = new OutgoingStream(section.rtxSsrc, link, plan)
      this.rtx.nextIndex = randomUint32() & 0x7fff
    }
    const repeats = section.feedback.nack && section.rtxSsrc === 0
    if (repeats && this.stream.transportSequenceAt > 0) {
      this.stream.sentTransportSequences = new Uint16Array(CACHE_PACKETS)
    }
    this.forwarder = new Forwarder({
      kind: section.kind,
      clockRate: section.codecs[0]!.clockRate,
      firstIndex: randomUint32() & 0x7fff,
      firstTimestamp: randomUint32(),
      stream: this.stream,
    })
    this.allocation = section.kind === 'video' ? createAllocation(section) : undefined
  }

  /** Sets what shall be shown. Returns false when nothing changed. */
  show(publication: Publication | undefined): boolean {
    if (publication === this.publication) return false
    if (this.publication !== undefined) this.publication.shownCount -= 1
    if (publication !== undefined) publication.shownCount += 1
    this.publication = publication
    const { allocation } = this
    if (allocation === undefined) return true
    // The other picture's layers have nothing to do with the last one's: begin as if paused.
    allocation.layers = publication?.offers ?? []
    allocation.screen = publication?.use === 'screen'
    allocation.spatial = -1
    allocation.temporal = 3
    allocation.spatialWanted = -1
    allocation.lastChangeMs = 0
    allocation.fitsSinceMs = 0
    return true
  }

  /** Finds the payload type for what shall be shown; false when the receiver has none. */
  prepare(): boolean {
    const { publication } = this
    if (publication === undefined) return false
    const { codec, fmtp } = publication
    const payloadType = payloadTypeFor(this.section, codec, fmtp)
    if (payloadType < 0) return false
    this.stream.nextPayloadType = payloadType
    if (this.forwarder.current?.publicationId === publication.publicationId) {
      this.stream.payloadType = payloadType
    }
    return true
  }
}

function createAllocation(section: OutgoingSection): AllocationSlot {
  const isMain = section.use === 'main'
  return {
    use: isMain ? 'main' : 'tile',
    index: section.index,
    heightPx: isMain ? MAIN_HEIGHT_PX : 0,
    screen: false,
    layers: [],
    spatial: -1,
    temporal: 3,
    spatialWanted: -1,
    lastChangeMs: 0,
    fitsSinceMs: 0,
  }
}
