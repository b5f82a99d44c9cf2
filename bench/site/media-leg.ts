/**
 * One negotiated transport of a participant: offer, answer, ICE, DTLS (docs/PROTOCOL.md §1.5). What
 * plays on it is not here.
 */
import { SITE_EARLY_DATAGRAMS_MAX } from '../../config/limits.ts'
import type { ReceivePlan, SendPlan } from './contract.ts'
import type { LoadContext } from './load-context.ts'
import {
  createIceCredentials,
  readAnswer,
  type SiteAnswer,
  type SitePlan,
  siteOffer,
} from './offer.ts'
import { type ConnectedMedia, connectMedia, type MediaSite } from './site.ts'
import type { Message } from './site-door.ts'
import type { SiteLink } from './site-link.ts'

/** Sections of the offer: what is sent first, then what is received, as the web SDK orders them. */
export function sectionPlans(send: SendPlan | undefined, receive: ReceivePlan): SitePlan[] {
  const plans: SitePlan[] = []
  if (send?.audio !== undefined) plans.push({ use: 'microphone' })
  if (send?.video !== undefined) {
    const rids = send.video.layers.map(({ rid }) => rid).filter((rid) => rid !== '')
    plans.push(rids.length > 0 ? { use: send.video.use, rids } : { use: send.video.use })
  }
  for (let slot = 0; slot < receive.audio; slot++) plans.push({ use: 'audio' })
  if (receive.main !== undefined) plans.push({ use: 'main' })
  for (let tile = 0; tile < receive.tiles.count; tile++) plans.push({ use: 'tile' })
  return plans
}

export type LegOptions = {
  plans: readonly SitePlan[]
  transportWide: boolean
  mediaVia?: { address: string; port: number }
  request: (message: Message) => Promise<Message>
  /** Protected; the buffer is reused after the call. */
  onMedia: (leg: MediaLeg, datagram: Buffer, isRtcp: boolean) => void
}

type Early = { datagram: Buffer; isRtcp: boolean }

/** Use `open`, then `begin`. */
export class MediaLeg implements MediaSite {
  readonly context: LoadContext
  readonly link: SiteLink
  readonly sealing: number
  readonly answer: SiteAnswer
  readonly times: { offerMs: number; iceMs: number; dtlsMs: number }
  isBegun = false
  readonly #token: number
  #replay: () => void = () => {}
  readonly #sections: readonly { mid: string; use: SitePlan['use'] }[]

  constructor(
    context: LoadContext,
    media: ConnectedMedia,
    told: {
      answer: SiteAnswer
      sections: MediaLeg['mids']
      times: MediaLeg['times']
    },
  ) {
    this.context = context
    this.link = media.link
    this.sealing = media.sealing
    this.#token = media.token
    this.answer = told.answer
    this.times = told.times
    this.#sections = told.sections
  }

  /**
   * Negotiates and connects; rejects with a DoorError (the offer), a MediaError, or what is wrong
   * with the answer.
   */
  static async open(context: LoadContext, options: LegOptions): Promise<MediaLeg> {
    const startMs = performance.now()
    const { plans, mediaVia, transportWide } = options
    const ice = createIceCredentials()
    const identity = { ice, fingerprint: context.dtlsIdentity.fingerprint }
    const offer = siteOffer(identity, plans, { transportWide })
    const answered = await options.request({ type: 'offer', ...offer })
    const answeredMs = performance.now()
    const told = readAnswer(String(answered.sdp))
    const answer = mediaVia === undefined ? told : { ...told, candidates: [mediaVia] }
    let leg: MediaLeg | undefined
    const early: Early[] = []
    const onMedia = (datagram: Buffer, isRtcp: boolean): void => {
      if (leg?.isBegun) options.onMedia(leg, datagram, isRtcp)
      // The server begins with a key frame at once: it may come before anybody could look.
      else if (early.length < SITE_EARLY_DATAGRAMS_MAX) {
        early.push({ datagram: Buffer.from(datagram), isRtcp })
      }
    }
    const media = await connectMedia(context, { identity, answer, onMedia })
    const { bindingMs, connectedMs } = media.link.times
    const times = {
      offerMs: answeredMs - startMs,
      iceMs: bindingMs - answeredMs,
      dtlsMs: connectedMs - bindingMs,
    }
    const opened = new MediaLeg(context, media, { answer, times, sections: offer.sections })
    opened.#replay = () => {
      for (const { datagram, isRtcp } of early) options.onMedia(opened, datagram, isRtcp)
      early.length = 0
    }
    leg = opened
    return opened
  }

  /** The owner is ready: what came meanwhile is handed on, then what comes. */
  begin(): void {
    this.isBegun = true
    this.#replay()
  }

  get mids(): readonly { mid: string; use: SitePlan['use'] }[] {
    return this.#sections
  }

  midOf(use: SitePlan['use']): string | undefined {
    return this.#sections.find((section) => section.use === use)?.mid
  }

  ssrcOf(mid: string): number | undefined {
    return this.answer.ssrcs.get(mid)
  }

  sendRtcp(bytes: Uint8Array, end: number): void {
    this.context.sender.sealRtcp(this.sealing, bytes, 0, end)
  }

  /** Negotiated extension id of a section; 0 when there is none. */
  extensionId(mid: string, uri: string): number {
    return this.answer.extensions.get(mid)?.get(uri) ?? 0
  }

  close(): void {
    this.context.sender.removeContext(this.sealing)
    this.context.links.delete(this.#token)
    this.link.close()
  }
}
