/**
 * The call beside an attack: one site speaks and shows itself, another watches; every packet is
 * counted at both ends, so that a single one that an attack costs is seen.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadContext } from '../../../bench/site/load-context.ts'
import { OPUS_PAYLOAD_TYPE } from '../../../bench/site/offer.ts'
import { PublisherSite } from '../../../bench/site/publisher-site.ts'
import { ReceiverSite } from '../../../bench/site/receiver-site.ts'
import { Site, type SiteOptions } from '../../../bench/site/site.ts'

const TICK_MS = 5
const LINK_MS = 100
const REPORT_MS = 1_000
const SETTLE_MS = 15_000
const POLL_MS = 20

/** Numbers of one received stream; knows each that is missing, and each that came twice. */
class Continuity {
  received = 0
  repeated = 0
  #first = -1
  #highest = -1
  readonly #seen = new Set<number>()

  add(sequenceNumber: number): void {
    if (this.#first < 0) {
      this.#first = sequenceNumber
      this.#highest = sequenceNumber
    }
    const step = (((sequenceNumber - this.#highest) & 0xffff) << 16) >> 16
    const extended = this.#highest + step
    if (this.#seen.has(extended)) {
      this.repeated += 1
      return
    }
    this.#seen.add(extended)
    this.received += 1
    if (step > 0) this.#highest = extended
  }

  get missing(): number {
    return this.#first < 0 ? 0 : this.#highest - this.#first + 1 - this.received
  }
}

/** What a call was at one moment. */
export type CallMark = { audioSent: number; videoSent: number; audio: number; video: number }

/** What became of it since a mark: packets sent, arrived, missing in between, and latency. */
export type CallVerdict = { audioSent: number; videoSent: number; missing: number; late: number }

export type CallTokens = { speaker: string; viewer: string }

export class SteadyCall {
  readonly speaker: Site
  readonly viewer: Site
  readonly #publisher: PublisherSite
  readonly #receiver: ReceiverSite
  readonly #audio = new Continuity()
  readonly #video = new Continuity()
  readonly #timers: NodeJS.Timeout[] = []
  /** Opened with the viewer's key and stamped by the speaker: proof of more than numbers. */
  authenticPackets = 0

  private constructor(sites: { speaker: Site; viewer: Site }, publisher: PublisherSite) {
    this.speaker = sites.speaker
    this.viewer = sites.viewer
    this.#publisher = publisher
    this.#receiver = new ReceiverSite({
      sampleEvery: 5,
      phase: 1,
      onLatency: () => {
        this.authenticPackets += 1
      },
    })
  }

  /** Resolves when media flows end to end. */
  static async start(
    context: LoadContext,
    doorUrl: string,
    tokens: CallTokens,
  ): Promise<SteadyCall> {
    let publisher: PublisherSite | undefined
    let call: SteadyCall | undefined
    const common = { doorUrl, transportWide: false }
    const speaker = await Site.join(context, {
      ...common,
      token: tokens.speaker,
      plans: [{ use: 'microphone' }, { use: 'camera' }],
      onMedia: (site, datagram, isRtcp) => publisher?.onMedia(site, datagram, isRtcp),
    })
    const viewer = await Site.join(context, {
      ...common,
      token: tokens.viewer,
      plans: [{ use: 'audio' }, { use: 'main' }],
      onMedia: (site, datagram, isRtcp) => call?.onMedia(site, datagram, isRtcp),
    })
    publisher = new PublisherSite(
      speaker,
      {
        number: 1,
        audio: { mid: '0', payloadBytes: 80 },
        video: {
          mid: '1',
          framesPerSecond: 25,
          temporal: false,
          layers: [{ rid: '', bitrateBps: 150_000, width: 320, height: 180 }],
        },
      },
      performance.now(),
    )
    call = new SteadyCall({ speaker, viewer }, publisher)
    await viewer.door.request({
      type: 'view',
      slots: [{ mid: '1', widthPx: 320, heightPx: 180 }],
    })
    call.#run()
    await speaker.door.request({ type: 'publish', use: 'microphone', live: true })
    await speaker.door.request({ type: 'publish', use: 'camera', live: true })
    await call.#until(() => call.#audio.received > 25 && call.#video.received > 25, 30_000)
    return call
  }

  /** Where the call stands now. */
  mark(): CallMark {
    const { audio, video } = this.#publisher.packetsSent
    return {
      audioSent: audio,
      videoSent: video,
      audio: this.#audio.received,
      video: this.#video.received,
    }
  }

  /**
   * Waits until all that was sent since `mark` has arrived (15 s at most), then tells what has not. `late` counts
   * packets sent of which nothing arrived at all, gap or not.
   */
  async verdict(mark: CallMark): Promise<CallVerdict> {
    // A quarter of a second more, however slow this machine: the call must go on behind the attack, too.
    const isLongEnough = (): boolean => this.#publisher.packetsSent.audio - mark.audioSent >= 12
    await sleep(250)
    await this.#until(isLongEnough, SETTLE_MS).catch(() => undefined)
    const sent = this.#publisher.packetsSent
    const audioSent = sent.audio - mark.audioSent
    const videoSent = sent.video - mark.videoSent
    const late = (): number =>
      Math.max(0, audioSent - (this.#audio.received - mark.audio)) +
      Math.max(0, videoSent - (this.#video.received - mark.video))
    await this.#until(() => late() === 0 && this.missing === 0, SETTLE_MS).catch(() => undefined)
    return { audioSent, videoSent, missing: this.missing, late: late() }
  }

  /** Numbers skipped in both streams since the call began. */
  get missing(): number {
    return this.#audio.missing + this.#video.missing
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.speaker.drop()
    this.viewer.drop()
  }

  onMedia(site: Site, datagram: Buffer, isRtcp: boolean): void {
    if (isRtcp || datagram.length < 22) return
    const isAudio = (datagram[1]! & 0x7f) === OPUS_PAYLOAD_TYPE
    const stream = isAudio ? this.#audio : this.#video
    stream.add(datagram.readUInt16BE(2))
    this.#receiver.onMedia(site, datagram, isRtcp)
  }

  #run(): void {
    const links = [this.speaker.link, this.viewer.link]
    this.#timers.push(
      setInterval(() => {
        const nowMs = performance.now()
        for (let turn = 0; turn < 4 && this.#publisher.nextDeadlineMs() <= nowMs; turn++) {
          this.#publisher.tick(nowMs)
        }
      }, TICK_MS),
      setInterval(() => {
        for (const link of links) link.tick(performance.now())
      }, LINK_MS),
      setInterval(() => this.#receiver.report(this.viewer), REPORT_MS),
    )
  }

  async #until(isSo: () => boolean, timeoutMs: number): Promise<void> {
    const endMs = performance.now() + timeoutMs
    while (!isSo()) {
      if (performance.now() > endMs) throw new Error('the call beside does not flow')
      await sleep(POLL_MS)
    }
  }
}

/** A joined site whose timers run until it leaves. */
export type TickingSite = { site: Site; leave: () => Promise<void> }

export async function joinTicking(
  context: LoadContext,
  options: SiteOptions,
): Promise<TickingSite> {
  const site = await Site.join(context, options)
  const timer = setInterval(() => site.link.tick(performance.now()), LINK_MS)
  return {
    site,
    leave: async () => {
      clearInterval(timer)
      await site.leave()
    },
  }
}
