/**
 * A synthetic site at Janus: the same media, ICE, DTLS and SRTP as a site of ours (bench/site), joined by Janus' own
 * signalling. Not a client for anything but the measurement.
 */
import type { LoadContext } from '../site/load-context.ts'
import {
  createIceCredentials,
  readAnswer,
  type SiteAnswer,
  type SiteIdentity,
  type SitePlan,
  siteOffer,
} from '../site/offer.ts'
import { type ConnectedMedia, connectMedia, type JoinTimes, type MediaSite } from '../site/site.ts'
import { answerWatching } from './janus-answer.ts'
import { JanusDoor } from './janus-door.ts'

export type JanusSiteOptions = {
  /** `ws://host:port/`. */
  doorUrl: string
  room: number
  /** Publishes these, or watches all that the publisher sends. */
  publishes?: readonly SitePlan[]
  /** Plain datagram handler; the buffer is reused after the call. */
  onMedia: (site: MediaSite, datagram: Buffer, isRtcp: boolean) => void
}

/** The one publisher of the room, known to watchers beforehand. */
const PUBLISHER = 7

/** A site at Janus whose media is connected. */
export class JanusSite {
  readonly context: LoadContext
  readonly link: ConnectedMedia['link']
  /** Handle of `context.sender`. */
  readonly sealing: number
  readonly times: JoinTimes
  readonly #door: JanusDoor
  readonly #answer: SiteAnswer
  readonly #token: number

  /** Use `join`. */
  constructor(parts: {
    context: LoadContext
    media: ConnectedMedia
    times: JoinTimes
    door: JanusDoor
    answer: SiteAnswer
  }) {
    this.context = parts.context
    this.link = parts.media.link
    this.sealing = parts.media.sealing
    this.times = parts.times
    this.#door = parts.door
    this.#answer = parts.answer
    this.#token = parts.media.token
  }

  /** Joins and resolves when media is connected; rejects with what went wrong, leaving nothing open. */
  static async join(context: LoadContext, options: JanusSiteOptions): Promise<JanusSite> {
    const startMs = performance.now()
    const door = await JanusDoor.open(options.doorUrl)
    const doorMs = performance.now()
    try {
      await door.attach()
      const joinedMs = performance.now()
      const ice = createIceCredentials()
      const identity = { ice, fingerprint: context.dtlsIdentity.fingerprint }
      const sdp = await negotiate(door, identity, options)
      const offeredMs = performance.now()
      const answer = readAnswer(sdp)
      let site: JanusSite | undefined
      const onMedia = (datagram: Buffer, isRtcp: boolean): void => {
        if (site !== undefined) options.onMedia(site, datagram, isRtcp)
      }
      const media = await connectMedia(context, { identity, answer, onMedia })
      const { bindingMs, connectedMs } = media.link.times
      const times = {
        doorMs: doorMs - startMs,
        joinMs: joinedMs - doorMs,
        offerMs: offeredMs - joinedMs,
        iceMs: bindingMs - offeredMs,
        dtlsMs: connectedMs - bindingMs,
      }
      site = new JanusSite({ context, media, times, door, answer })
      return site
    } catch (error) {
      door.terminate()
      throw error
    }
  }

  /** Seals and sends one compound. */
  sendRtcp(bytes: Uint8Array, end: number): void {
    this.context.sender.sealRtcp(this.sealing, bytes, 0, end)
  }

  /** Negotiated extension id of a section; 0 when there is none. */
  extensionId(mid: string, uri: string): number {
    return this.#answer.extensions.get(mid)?.get(uri) ?? 0
  }

  /** Gone without a word, like a pulled plug. */
  drop(): void {
    this.context.sender.removeContext(this.sealing)
    this.context.links.delete(this.#token)
    this.link.close()
    this.#door.terminate()
  }
}

/** Joins the room as publisher or watcher; resolves with Janus' SDP. */
async function negotiate(
  door: JanusDoor,
  identity: SiteIdentity,
  { room, publishes }: JanusSiteOptions,
): Promise<string> {
  if (publishes !== undefined) {
    await door.message({ request: 'join', ptype: 'publisher', room, id: PUBLISHER })
    const { sdp } = siteOffer(identity, publishes, { transportWide: false })
    const { jsep } = await door.message({ request: 'publish' }, { type: 'offer', sdp })
    return described(jsep?.sdp)
  }
  const streams = [{ feed: PUBLISHER }]
  const { jsep } = await door.message({ request: 'join', ptype: 'subscriber', room, streams })
  const offer = described(jsep?.sdp)
  const answer = { type: 'answer' as const, sdp: answerWatching(identity, offer) }
  await door.message({ request: 'start' }, answer)
  return offer
}

function described(sdp: string | undefined): string {
  if (sdp === undefined) throw new Error('Janus answered without SDP')
  return sdp
}
