/**
 * One synthetic site: joins like a browser (token, WebSocket, offer, ICE, DTLS), then hands its
 * media to whoever plays it (receiver-site.ts, publisher-site.ts). Knows each step's time.
 */
import { sendMaster } from '../../core/io/srtp/index.ts'
import type { IceCredentials } from '../../core/media/control.ts'
import type { LoadContext } from './load-context.ts'
import {
  createIceCredentials,
  readAnswer,
  type SiteAnswer,
  type SiteIdentity,
  type SitePlan,
  siteOffer,
} from './offer.ts'
import { SiteDoor } from './site-door.ts'
import { SiteLink } from './site-link.ts'

/** Join time by step, ms each; what a person would wait for is the sum. */
export type JoinTimes = {
  doorMs: number
  joinMs: number
  offerMs: number
  iceMs: number
  dtlsMs: number
}

export type SiteOptions = {
  /** `ws://host:port/ws`. */
  doorUrl: string
  token: string
  plans: readonly SitePlan[]
  transportWide: boolean
  /** Where media goes instead of the answer's candidates: an emulated line in front of the core. */
  mediaVia?: { address: string; port: number }
  /** Plain datagram handler; the buffer is reused after the call. */
  onMedia: (site: Site, datagram: Buffer, isRtcp: boolean) => void
}

/**
 * What publishers and receivers need of a site, whichever server it joined (bench/rival has
 * others).
 */
export type MediaSite = Pick<Site, 'context' | 'link' | 'sealing' | 'sendRtcp' | 'extensionId'>

/** A joined site. */
export class Site {
  readonly context: LoadContext
  readonly door: SiteDoor
  readonly link: SiteLink
  readonly answer: SiteAnswer
  /** Our side's, with which whoever owns the site can speak STUN for it. */
  readonly ice: IceCredentials
  readonly times: JoinTimes
  /** Handle of `context.sender`. */
  readonly sealing: number
  readonly participant: string
  readonly #token: number

  /** Use `join`. */
  constructor(parts: {
    context: LoadContext
    door: SiteDoor
    link: SiteLink
    answer: SiteAnswer
    ice: IceCredentials
    times: JoinTimes
    sealing: number
    participant: string
    token: number
  }) {
    this.context = parts.context
    this.door = parts.door
    this.link = parts.link
    this.answer = parts.answer
    this.ice = parts.ice
    this.times = parts.times
    this.sealing = parts.sealing
    this.participant = parts.participant
    this.#token = parts.token
  }

  /**
   * Joins and resolves when media is connected; rejects with what went wrong, leaving nothing open.
   */
  static async join(context: LoadContext, options: SiteOptions): Promise<Site> {
    const startMs = performance.now()
    const door = await SiteDoor.open(options.doorUrl)
    const doorMs = performance.now()
    let media: ConnectedMedia | undefined
    try {
      const joined = await door.request({
        type: 'join',
        token: options.token,
        client: 'nhipcau bench',
      })
      const joinedMs = performance.now()
      const ice = createIceCredentials()
      const identity = { ice, fingerprint: context.dtlsIdentity.fingerprint }
      const offer = siteOffer(identity, options.plans, { transportWide: options.transportWide })
      const answered = await door.request({ type: 'offer', ...offer })
      const answeredMs = performance.now()
      const told = readAnswer(String(answered.sdp))
      const { mediaVia } = options
      const answer = mediaVia === undefined ? told : { ...told, candidates: [mediaVia] }
      let site: Site | undefined
      const onMedia = (datagram: Buffer, isRtcp: boolean): void => {
        if (site !== undefined) options.onMedia(site, datagram, isRtcp)
      }
      media = await connectMedia(context, { identity, answer, onMedia })
      const { link } = media
      const times = {
        doorMs: doorMs - startMs,
        joinMs: joinedMs - doorMs,
        offerMs: answeredMs - joinedMs,
        iceMs: link.times.bindingMs - answeredMs,
        dtlsMs: link.times.connectedMs - link.times.bindingMs,
      }
      const participant = String(joined.participant)
      site = new Site({ context, door, answer, ice, times, participant, ...media })
      return site
    } catch (error) {
      media?.link.close()
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
    return this.answer.extensions.get(mid)?.get(uri) ?? 0
  }

  async leave(): Promise<void> {
    await this.door.request({ type: 'leave' }).catch(() => undefined)
    this.drop()
  }

  /** Gone without a word, like a pulled plug. */
  drop(): void {
    this.context.sender.removeContext(this.sealing)
    this.context.links.delete(this.#token)
    this.link.close()
    this.door.terminate()
  }
}

/**
 * A link with keys: packets are sealed for it under `sealing`; `token` is its place in
 * `context.links`.
 */
export type ConnectedMedia = { link: SiteLink; sealing: number; token: number }

/** ICE or DTLS did not come to its end; `step` says which. */
export class MediaError extends Error {
  readonly step: 'ice' | 'dtls'
  constructor(step: 'ice' | 'dtls', why: string) {
    super(why)
    this.name = 'MediaError'
    this.step = step
  }
}

let tokens = 0

/** ICE and DTLS as `answer` says; rejects with a MediaError, leaving nothing open. */
export async function connectMedia(
  context: LoadContext,
  {
    identity,
    answer,
    onMedia,
  }: {
    identity: SiteIdentity
    answer: SiteAnswer
    onMedia: (datagram: Buffer, isRtcp: boolean) => void
  },
): Promise<ConnectedMedia> {
  tokens += 1
  const token = tokens
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const link = new SiteLink(answer, {
    identity,
    dtlsIdentity: context.dtlsIdentity,
    createDtls: context.createDtls,
    hmac: context.hmac,
    drops: context.drops,
    onConnected: (keys) => resolve(context.sender.addContext(sendMaster(keys), token)),
    onFailed: (why) => reject(new Error(why)),
    onMedia,
  })
  context.links.set(token, link)
  try {
    return { link, sealing: await connected(link, promise), token }
  } catch (error) {
    context.links.delete(token)
    link.close()
    throw new MediaError(link.times.bindingMs === 0 ? 'ice' : 'dtls', (error as Error).message)
  }
}

const CONNECT_MS_MAX = 30_000
const TICK_MS = 50

/** Drives the link's timers until it is connected; afterwards the owner ticks it. */
async function connected(link: SiteLink, keys: Promise<number>): Promise<number> {
  link.start(performance.now())
  const timer = setInterval(() => link.tick(performance.now()), TICK_MS)
  const { promise: late, reject } = Promise.withResolvers<never>()
  const end = setTimeout(() => reject(new Error('media did not connect')), CONNECT_MS_MAX)
  try {
    return await Promise.race([keys, late])
  } finally {
    clearInterval(timer)
    clearTimeout(end)
  }
}
