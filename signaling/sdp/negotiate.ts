/**
 * Which offered sections become publications and slots. Pure: ids come from the caller, nothing is
 * opened here. What a role may never do is rejected in the answer; what it may do later (a viewer
 * brought on stage) is accepted and policed by `permit`.
 */

import { AUDIO_SLOTS_MAX, TILES_MAX } from '../../config/index.ts'
import type {
  IncomingSection,
  MediaKind,
  OutgoingSection,
  Section,
  SlotUse,
  SourceUse,
} from '../../core/media/control.ts'
import { type SelectedCodec, selectCodecs, selectFeedback } from './codecs.ts'
import { selectExtensions } from './extensions.ts'
import type { Offer, OfferedSection } from './offer.ts'
import { orderRids } from './simulcast.ts'
import { slotSsrcs } from './slot-ssrcs.ts'

export type SectionUse = { mid: string; use: SourceUse | SlotUse }

export type NegotiateOptions = {
  offer: Offer
  uses: readonly SectionUse[]
  /** False for roles that can never be on stage. */
  maySend: boolean
  /** Called once per accepted incoming section. */
  newPublicationId: () => number
}

/** What stands in the answer for one offered section; `section` undefined = rejected. */
export type NegotiatedSection = {
  offered: OfferedSection
  section: Section | undefined
  codecs: SelectedCodec[]
}

export type Negotiation =
  | { ok: true; sections: NegotiatedSection[] }
  | { ok: false; code: 'bad-sdp' | 'unsupported-media'; message: string }

const KIND_OF: Readonly<Record<SourceUse | SlotUse, MediaKind>> = {
  microphone: 'audio',
  camera: 'video',
  screen: 'video',
  audio: 'audio',
  main: 'video',
  tile: 'video',
}

const SLOT_COUNT_MAX: Readonly<Record<SourceUse | SlotUse, number>> = {
  microphone: 1,
  camera: 1,
  screen: 1,
  audio: AUDIO_SLOTS_MAX,
  main: 1,
  tile: TILES_MAX,
}

function isSource(use: SourceUse | SlotUse): use is SourceUse {
  return use === 'microphone' || use === 'camera' || use === 'screen'
}

function directionFits(section: OfferedSection, use: SourceUse | SlotUse): boolean {
  if (section.direction === 'sendrecv') return true
  return section.direction === (isSource(use) ? 'sendonly' : 'recvonly')
}

/** Decides every section. `bad-sdp` when `uses` and the offer contradict each other. */
export function negotiate(options: NegotiateOptions): Negotiation {
  const { offer, uses } = options
  const wanted = new Map(uses.map(({ mid, use }) => [mid, use]))
  if (wanted.size !== uses.length) {
    return { ok: false, code: 'bad-sdp', message: 'a mid stands twice in sections' }
  }
  const known = new Set(offer.sections.map((section) => section.mid))
  for (const [mid, use] of wanted) {
    const section = offer.sections.find((candidate) => candidate.mid === mid)
    if (!known.has(mid) || section === undefined) {
      return { ok: false, code: 'bad-sdp', message: 'sections name a mid that is not offered' }
    }
    if (section.media !== KIND_OF[use]) {
      return { ok: false, code: 'bad-sdp', message: 'a section is not of the kind of its use' }
    }
  }
  const counts = new Map<SourceUse | SlotUse, number>()
  const sections = offer.sections.map((offered): NegotiatedSection => {
    const use = wanted.get(offered.mid)
    const index = use === undefined ? 0 : (counts.get(use) ?? 0)
    const fits = use !== undefined && index < SLOT_COUNT_MAX[use] && directionFits(offered, use)
    if (!fits || !offered.usable || (isSource(use) && !options.maySend)) {
      return { offered, section: undefined, codecs: [] }
    }
    const codecs = selectCodecs(offered, isSource(use) ? 'in' : 'out')
    if (codecs.length === 0) return { offered, section: undefined, codecs: [] }
    counts.set(use, index + 1)
    const section = isSource(use)
      ? incoming(offered, use, { codecs, publicationId: options.newPublicationId() })
      : outgoing(offered, use, { codecs, index })
    return { offered, section, codecs }
  })
  if (sections.every(({ section }) => section === undefined)) {
    return { ok: false, code: 'unsupported-media', message: 'no section has a codec that we take' }
  }
  return { ok: true, sections }
}

function incoming(
  offered: OfferedSection,
  use: SourceUse,
  made: { codecs: SelectedCodec[]; publicationId: number },
): IncomingSection {
  const codec = made.codecs[0]?.spec.codec
  // VP9 and AV1 are forwarded as single streams.
  const simulcast = codec === 'vp8' || codec === 'h264'
  return {
    direction: 'in',
    mid: offered.mid,
    kind: KIND_OF[use],
    use,
    publicationId: made.publicationId,
    rids: simulcast ? orderRids(offered.sendRids) : [],
    ssrcs: offered.ssrcs,
    codecs: made.codecs.map(({ spec }) => spec),
    extensions: selectExtensions(offered, 'in'),
    feedback: selectFeedback(made.codecs),
  }
}

function outgoing(
  offered: OfferedSection,
  use: SlotUse,
  made: { codecs: SelectedCodec[]; index: number },
): OutgoingSection {
  const withRtx = made.codecs.some(({ spec }) => spec.rtxPayloadType !== undefined)
  const { ssrc, rtxSsrc } = slotSsrcs(use, made.index)
  return {
    direction: 'out',
    mid: offered.mid,
    kind: KIND_OF[use],
    use,
    index: made.index,
    ssrc,
    rtxSsrc: withRtx ? rtxSsrc : 0,
    codecs: made.codecs.map(({ spec }) => spec),
    extensions: selectExtensions(offered, 'out'),
    feedback: selectFeedback(made.codecs),
  }
}
