/**
 * One participant of a synthetic site: joins by step, sends, receives, behaves, comes back, and
 * says what it saw. The parts know how (site-session, media-leg, receiver-site, publisher-site);
 * here is only what belongs together when.
 */
import type {
  JoinOutcome,
  JoinStep,
  JoinSteps,
  LatencyHistograms,
  PlayerReport,
  PlayerState,
  PlayerTotals,
  SitePlayer,
  SitePlayerOptions,
} from './contract.ts'
import { recordLatency } from './latencies.ts'
import type { LoadContext } from './load-context.ts'
import { MediaLeg, sectionPlans } from './media-leg.ts'
import { TRANSPORT_WIDE_EXTENSION } from './offer.ts'
import { PublisherSite } from './publisher-site.ts'
import type { ReceivedVideo } from './received-stream.ts'
import { ReceiverSite } from './receiver-site.ts'
import { MediaError } from './site.ts'
import { type Message, pollIn } from './site-door.ts'
import { type Playing, SiteLedger } from './site-ledger.ts'
import { EnterError, type Entered, SiteSession } from './site-session.ts'
import { SlotBook } from './slot-book.ts'

const HOUSEKEEPING_MS = 100
const REPORT_MS = 1_000
/** Consent has expired at the server by then (RFC 7675: 30 s). */
const DEAF_MS = 35_000
const MEDIA_RETRY_MS = 2_000

/** Nothing happens before its `join`. */
export function createSitePlayer(context: LoadContext, options: SitePlayerOptions): SitePlayer {
  return new Player(context, options)
}

class Player implements SitePlayer {
  readonly id: string
  state: PlayerState = 'idle'
  readonly #context: LoadContext
  readonly #options: SitePlayerOptions
  readonly #session: SiteSession
  readonly #receiver: ReceiverSite
  readonly #slots = new SlotBook()
  readonly #latencies: LatencyHistograms
  readonly #ledger: SiteLedger
  #leg: MediaLeg | undefined
  #opening = false
  #publisher: PublisherSite | undefined
  poll: string | undefined
  #levelDbov = 127
  #muted = false
  #live = true
  #nextHousekeepingMs = Number.POSITIVE_INFINITY
  #nextReportMs = Number.POSITIVE_INFINITY
  #retryMediaMs = Number.POSITIVE_INFINITY

  constructor(context: LoadContext, options: SitePlayerOptions) {
    this.id = options.id
    this.#context = context
    this.#options = options
    this.#latencies = options.latencies ?? context.latencies
    this.#receiver = new ReceiverSite({
      sampleEvery: options.sampleEvery,
      phase: options.number,
      depth: options.depth,
      nack: options.feedback.nack,
      pli: options.feedback.pli,
      onLatency: (latencyMs, isAudio) => this.#onLatency(latencyMs, isAudio),
    })
    this.#ledger = new SiteLedger(this.#receiver, options.receive, options.send !== undefined)
    this.#session = new SiteSession({
      doorUrl: options.doorUrl,
      token: options.token,
      random: options.random,
      reconnects: options.reconnects ?? true,
      onMessage: (message) => this.#onMessage(message),
      onLost: (why, isFinal) => this.#onLost(why, isFinal),
      onBack: (entered, lostMs) => void this.#onBack(entered, lostMs),
    })
  }

  get layerNow(): number {
    return this.#mainVideo()?.layers.now(performance.now()) ?? -1
  }

  async join(): Promise<JoinOutcome> {
    return await this.#enter(false)
  }

  speak(levelDbov: number): void {
    this.#levelDbov = levelDbov
    if (this.#publisher !== undefined) this.#publisher.levelDbov = levelDbov
  }

  async mute(muted: boolean): Promise<void> {
    this.#muted = muted
    if (this.#publisher !== undefined) this.#publisher.muted = muted
    await this.ask({ type: 'mute', use: 'microphone', muted })
  }

  async show(live: boolean): Promise<void> {
    this.#live = live
    const { video } = this.#options.send ?? {}
    if (video === undefined) return
    if (this.#publisher !== undefined) this.#publisher.live = live
    await this.ask({ type: 'publish', use: video.use, live })
  }

  async raiseHand(raised: boolean): Promise<void> {
    await this.ask({ type: 'hand', raised })
  }

  async chat(text: string): Promise<void> {
    await this.ask({ type: 'chat', text })
  }

  async leave(): Promise<void> {
    if (this.#session.isOpen) await this.#session.request({ type: 'leave' }).catch(() => undefined)
    this.drop()
  }

  async comeBack(how: 'resume' | 'fresh'): Promise<JoinOutcome> {
    this.#session.cut()
    if (how === 'fresh') this.#closeMedia()
    const lostMs = performance.now()
    const outcome = await this.#enter(how === 'resume')
    this.#ledger.noteReconnect(performance.now() - lostMs)
    return outcome
  }

  drop(): void {
    this.state = 'idle'
    this.#session.end()
    this.#closeMedia()
    this.#pauseAll()
    this.#nextHousekeepingMs = Number.POSITIVE_INFINITY
  }

  linkHealed(nowMs: number): void {
    this.#receiver.resync.healed(nowMs)
  }

  restartMeasure(nowMs: number): void {
    this.#ledger.restart(nowMs, this.#playing())
  }

  report(nowMs: number): PlayerReport {
    return this.#ledger.report(nowMs, this.#playing())
  }

  totals(into: PlayerTotals, nowMs: number): PlayerTotals {
    return this.#ledger.totals(into, nowMs, this.#playing())
  }

  nextDeadlineMs(): number {
    const publisherMs = this.#publisher?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY
    const feedbackMs =
      this.#leg === undefined ? Number.POSITIVE_INFINITY : this.#receiver.feedbackDeadlineMs
    return Math.min(publisherMs, feedbackMs, this.#nextReportMs, this.#nextHousekeepingMs)
  }

  tick(nowMs: number): void {
    const leg = this.#leg
    if (leg !== undefined) {
      if (this.#publisher !== undefined && nowMs >= this.#publisher.nextDeadlineMs()) {
        this.#publisher.tick(nowMs)
      }
      if (nowMs >= this.#receiver.feedbackDeadlineMs) this.#receiver.feedback(leg, nowMs)
      if (nowMs >= this.#nextReportMs) {
        this.#nextReportMs = nowMs + REPORT_MS
        this.#receiver.report(leg)
      }
    }
    if (nowMs >= this.#nextHousekeepingMs) this.#keepHouse(nowMs)
  }

  #keepHouse(nowMs: number): void {
    this.#nextHousekeepingMs = nowMs + HOUSEKEEPING_MS
    this.#session.tick(nowMs)
    const leg = this.#leg
    leg?.link.tick(nowMs)
    // Packets under way when the word came would have begun a pause that nobody ends.
    this.#pauseSilent(nowMs)
    const isDeaf = leg !== undefined && nowMs - leg.link.arrivedMs > DEAF_MS
    if (isDeaf || nowMs >= this.#retryMediaMs)
      void this.#reopenMedia(isDeaf ? 'nothing heard' : 'again')
  }

  async #enter(resume: boolean): Promise<JoinOutcome> {
    this.state = 'joining'
    this.#ledger.failure = undefined
    this.#nextHousekeepingMs = performance.now() + (this.#options.number % HOUSEKEEPING_MS)
    try {
      const entered = await this.#session.enter(resume)
      this.#noteJoined(entered.joined)
      if (!isMediaAlive(entered.joined)) this.#closeMedia()
      const isNew = this.#leg === undefined
      if (isNew) await this.#openMedia()
      this.state = 'joined'
      return { joined: true, ...this.#noteSteps(entered, isNew) }
    } catch (error) {
      this.#ledger.failure = { failedAt: stepOf(error), whyFailed: (error as Error).message }
      this.drop()
      this.state = 'failed'
      return { joined: false, ...this.#ledger.failure }
    }
  }

  /** Media that lived on took no time. */
  #noteSteps({ doorMs, joinMs }: Entered, isNew: boolean): { joinMs: number; steps: JoinSteps } {
    const times = isNew ? this.#leg!.times : { offerMs: 0, iceMs: 0, dtlsMs: 0 }
    const { offerMs, iceMs, dtlsMs } = times
    return this.#ledger.noteSteps({ doorMs, joinMs, offerMs, iceMs, dtlsMs })
  }

  #noteJoined(joined: Message): void {
    if (joined.resumed === true) this.#ledger.past.resumes += 1
    this.#slots.apply(joined)
  }

  /** A new transport with everything on it. Rejects with what went wrong. */
  async #openMedia(): Promise<void> {
    const { send, receive, feedback, mediaVia, number } = this.#options
    const { transportWide } = feedback
    this.#opening = true
    try {
      const leg = await MediaLeg.open(this.#context, {
        plans: sectionPlans(send, receive),
        transportWide,
        request: (message) => this.#session.request(message),
        onMedia: (on, datagram, isRtcp) => this.#onMedia(on, datagram, isRtcp),
        ...(mediaVia === undefined ? {} : { mediaVia }),
      })
      if (this.state === 'idle' || this.state === 'failed') {
        leg.close()
        throw new Error('dropped meanwhile')
      }
      this.#leg = leg
      const nowMs = performance.now()
      const received = leg.mids.find(
        ({ use }) => use === 'audio' || use === 'main' || use === 'tile',
      )
      const transportWideId = leg.extensionId(received?.mid ?? '', TRANSPORT_WIDE_EXTENSION)
      this.#receiver.connect({ transportWideId, repairs: leg.answer.repairs })
      this.#nextReportMs = nowMs + (number % REPORT_MS)
      if (Number.isNaN(this.#ledger.connectedMs))
        this.#ledger.connectedMs = leg.link.times.connectedMs
      this.#retryMediaMs = Number.POSITIVE_INFINITY
      this.#startPublisher(leg, nowMs)
      leg.begin()
      await this.#announce(leg)
    } finally {
      this.#opening = false
    }
  }

  #startPublisher(leg: MediaLeg, nowMs: number): void {
    const { send, number } = this.#options
    if (send === undefined) return
    const microphone = leg.midOf('microphone')
    const camera = leg.midOf('camera') ?? leg.midOf('screen')
    const { audio, video } = send
    const plan = {
      number,
      ...(audio === undefined || microphone === undefined
        ? {}
        : { audio: { mid: microphone, ...audio } }),
      ...(video === undefined || camera === undefined ? {} : { video: { mid: camera, ...video } }),
    }
    const publisher = new PublisherSite(leg, plan, nowMs)
    publisher.levelDbov = this.#levelDbov
    publisher.muted = this.#muted
    publisher.live = this.#live
    this.#publisher = publisher
  }

  /** What is live, and what is looked at. Refusals are told; the media stays. */
  async #announce(leg: MediaLeg): Promise<void> {
    const { send, receive } = this.#options
    const asks: Promise<void>[] = []
    if (send?.audio !== undefined)
      asks.push(this.ask({ type: 'publish', use: 'microphone', live: true }))
    if (send?.video !== undefined && this.#live) {
      asks.push(this.ask({ type: 'publish', use: send.video.use, live: true }))
    }
    if (this.#muted) asks.push(this.ask({ type: 'mute', use: 'microphone', muted: true }))
    const slots = leg.mids.flatMap(({ mid, use }) => {
      if (use === 'main' && receive.main !== undefined) return [{ mid, ...receive.main }]
      if (use !== 'tile') return []
      return [{ mid, widthPx: receive.tiles.widthPx, heightPx: receive.tiles.heightPx }]
    })
    if (slots.length > 0) asks.push(this.ask({ type: 'view', slots }))
    await Promise.all(asks)
  }

  async ask(message: Message): Promise<void> {
    try {
      await this.#session.request(message)
    } catch (error) {
      this.#tell(`${message.type} refused: ${(error as Error).message}`)
    }
  }

  async #reopenMedia(why: string): Promise<void> {
    if (this.#opening || !this.#session.isOpen) return
    this.#tell(`new media: ${why}`)
    this.#closeMedia()
    this.#retryMediaMs = Number.POSITIVE_INFINITY
    try {
      await this.#openMedia()
    } catch (error) {
      this.#ledger.past.mediaFailures += 1
      this.#retryMediaMs = performance.now() + MEDIA_RETRY_MS
      this.#tell(`no media: ${(error as Error).message}`)
    }
  }

  async #onBack(entered: Entered, lostMs: number): Promise<void> {
    this.state = 'joined'
    this.#ledger.noteReconnect(lostMs)
    this.#noteJoined(entered.joined)
    this.#tell(entered.joined.resumed === true ? 'resumed' : 'joined anew')
    if (!isMediaAlive(entered.joined)) await this.#reopenMedia('the former is gone')
  }

  #onLost(why: string, isFinal: boolean): void {
    this.#tell(`connection lost: ${why}`)
    this.state = isFinal ? 'failed' : 'away'
    if (!isFinal) return
    this.#ledger.failure = { failedAt: 'join', whyFailed: why }
    this.#closeMedia()
  }

  #onMessage(message: Message): void {
    this.poll = pollIn(message) ?? this.poll
    if (message.type === 'media' && message.state === 'disconnected' && this.#leg !== undefined) {
      void this.#reopenMedia(String(message.cause ?? 'disconnected'))
    }
    if (this.#slots.apply(message)) this.#pauseSilent(performance.now())
  }

  #onMedia(leg: MediaLeg, datagram: Buffer, isRtcp: boolean): void {
    const nowMs = leg.link.arrivedMs
    if (!isRtcp) {
      this.#receiver.onRtp(leg, datagram, nowMs)
      return
    }
    const end = leg.link.receiver?.openRtcp(datagram, 0, datagram.length) ?? -1
    if (end < 0) return
    this.#receiver.onRtcp(datagram, end, nowMs)
    this.#publisher?.onRtcp(datagram, end, nowMs)
  }

  #onLatency(latencyMs: number, isAudio: boolean): void {
    recordLatency(isAudio ? this.#latencies.audio : this.#latencies.video, latencyMs)
    this.#ledger.noteLatency(latencyMs, isAudio)
  }

  #pauseSilent(nowMs: number): void {
    const leg = this.#leg
    if (leg === undefined) return
    for (const mid of this.#slots.silentMids) {
      const ssrc = leg.ssrcOf(mid)
      if (ssrc !== undefined) this.#receiver.pause(ssrc, nowMs)
    }
  }

  #pauseAll(): void {
    for (const { ssrc } of [...this.#receiver.audio, ...this.#receiver.video]) {
      this.#receiver.pause(ssrc, performance.now())
    }
  }

  #closeMedia(): void {
    const leg = this.#leg
    if (leg === undefined) return
    this.#ledger.close(leg, this.#publisher)
    this.#leg = undefined
    this.#publisher = undefined
    leg.close()
  }

  #mainVideo(): ReceivedVideo | undefined {
    const { video } = this.#receiver
    const mid = this.#leg?.midOf('main') ?? this.#leg?.midOf('tile')
    const ssrc = mid === undefined ? undefined : this.#leg?.ssrcOf(mid)
    return video.find((stream) => stream.ssrc === ssrc) ?? video[0]
  }

  #playing(): Playing {
    return { leg: this.#leg, publisher: this.#publisher, main: this.#mainVideo() }
  }

  #tell(what: string): void {
    this.#options.onEvent?.(what, performance.now())
  }
}

/** A resumed session says what is in its slots while its transport lives. */
function isMediaAlive(joined: Message): boolean {
  return joined.resumed === true && joined.slots !== undefined
}

function stepOf(error: unknown): JoinStep {
  if (error instanceof EnterError || error instanceof MediaError) return error.step
  return 'offer'
}
