/**
 * What one participant has seen and done over all its transports: sums since it was made, where
 * they stood when the measured time began, extremes of that time, and the report made of them. It
 * watches nothing itself: who knows adds.
 */
import type { Histogram } from 'hdr-histogram-js'
import type { JoinOutcome, JoinSteps, PlayerReport, PlayerTotals, ReceivePlan } from './contract.ts'
import { type SiteExtremes, SiteSums, siteFigures, sumsSince, whyOf } from './figures.ts'
import { createLatencies, recordLatency } from './latencies.ts'
import type { MediaLeg } from './media-leg.ts'
import type { PublisherSite } from './publisher-site.ts'
import type { ReceivedVideo } from './received-stream.ts'
import type { ReceiverSite } from './receiver-site.ts'

type Failure = Omit<Extract<JoinOutcome, { joined: false }>, 'joined'>

/** What plays now; undefined while nothing does. */
export type Playing = {
  leg: MediaLeg | undefined
  publisher: PublisherSite | undefined
  main: ReceivedVideo | undefined
}

export class SiteLedger {
  /** Of former transports, and of the session. */
  readonly past = new SiteSums()
  failure: Failure | undefined
  /** When the first transport was connected; NaN before. */
  connectedMs = Number.NaN
  #steps: JoinSteps | undefined
  #joinMs = Number.NaN
  #reconnectMaxMs = 0
  #measuredFromMs = performance.now()
  #atRestart = new SiteSums()
  readonly #sums = new SiteSums()
  readonly #latencies = createLatencies(2)
  readonly #receiver: ReceiverSite
  readonly #receive: ReceivePlan
  readonly #sends: boolean

  constructor(receiver: ReceiverSite, receive: ReceivePlan, sends: boolean) {
    this.#receiver = receiver
    this.#receive = receive
    this.#sends = sends
  }

  /** Keeps the times of a join; returns them. */
  noteSteps(steps: JoinSteps): { joinMs: number; steps: JoinSteps } {
    this.#steps = steps
    this.#joinMs = Object.values(steps).reduce((sum, stepMs) => sum + stepMs, 0)
    return { joinMs: this.#joinMs, steps: { ...steps } }
  }

  /** A connection was lost and is back. */
  noteReconnect(tookMs: number): void {
    this.past.reconnects += 1
    this.#reconnectMaxMs = Math.max(this.#reconnectMaxMs, tookMs)
  }

  noteLatency(latencyMs: number, isAudio: boolean): void {
    const histogram: Histogram = isAudio ? this.#latencies.audio : this.#latencies.video
    recordLatency(histogram, latencyMs)
  }

  /** A transport ends: what it had carried is kept. */
  close(leg: MediaLeg, publisher: PublisherSite | undefined): void {
    addTransport(this.past, leg, publisher)
  }

  /** A measured time begins. */
  restart(nowMs: number, playing: Playing): void {
    this.#atRestart = sumsSince(new SiteSums(), this.#collect(nowMs, playing))
    this.#measuredFromMs = nowMs
    this.#latencies.audio.reset()
    this.#latencies.video.reset()
    this.#reconnectMaxMs = 0
    this.#receiver.restart(nowMs)
  }

  report(nowMs: number, playing: Playing): PlayerReport {
    const sums = sumsSince(this.#atRestart, this.#collect(nowMs, playing))
    const figures = siteFigures(sums, this.#extremes(nowMs, playing))
    const why = whyOf(figures)
    const { failure } = this
    if (failure !== undefined) {
      why.unshift(`could not join at ${failure.failedAt}: ${failure.whyFailed}`)
    }
    const steps = this.#steps
    return {
      joined: steps !== undefined && failure === undefined,
      ...(failure ?? {}),
      ...(steps === undefined ? {} : { joinMs: this.#joinMs, steps: { ...steps } }),
      figures,
      why,
    }
  }

  totals(into: PlayerTotals, nowMs: number, playing: Playing): PlayerTotals {
    const sums = this.#collect(nowMs, playing)
    into.audioPackets = sums.audioPackets
    into.audioLost = sums.audioLost
    into.audioExpected = sums.audioPackets + sums.audioLost
    into.videoPackets = sums.videoPackets
    into.videoLost = sums.videoLost
    into.videoExpected = sums.videoPackets + sums.videoLost
    into.receivedBytes = sums.receivedBytes
    into.sentBytes = sums.sentBytes
    into.sentPackets = sums.sentPackets
    into.audioFrames = sums.audioFrames
    into.audioConcealed = sums.audioConcealed
    into.framesComplete = sums.framesComplete
    into.framesLate = sums.framesLate
    into.freezes = sums.freezes
    into.frozenMs = sums.frozenMs
    into.watchedMs = sums.watchedMs
    into.checked = sums.checked
    into.checkFailed = sums.checkFailed
    return into
  }

  #collect(nowMs: number, { leg, publisher }: Playing): SiteSums {
    const sums = Object.assign(this.#sums, this.past)
    if (leg !== undefined) addTransport(sums, leg, publisher)
    this.#receiver.addTo(sums, nowMs)
    return sums
  }

  #extremes(nowMs: number, { publisher, main }: Playing): SiteExtremes {
    const { audio, video, resync, firstSoundMs, firstPictureMs } = this.#receiver
    const back = resync.read(nowMs)
    const { main: mainPlan, tiles, audio: audioSlots } = this.#receive
    return {
      measuredMs: Math.max(1, nowMs - this.#measuredFromMs),
      audioGapMaxMs: Math.max(...audio.map(({ gaps }) => gaps.read(nowMs).longestMs)),
      frozenMaxMs: Math.max(...video.map(({ freezes }) => freezes.read(nowMs).longestMs)),
      resyncAudioMs: back.audioMsMax,
      resyncVideoMs: back.videoMsMax,
      reconnectMaxMs: this.#reconnectMaxMs,
      layerMean: main?.layers.mean(nowMs) ?? Number.NaN,
      layerChanges: main?.layers.changes ?? Number.NaN,
      firstSoundMs: firstSoundMs - this.connectedMs,
      firstPictureMs: firstPictureMs - this.connectedMs,
      availableBps: publisher?.availableBps(nowMs) ?? Number.NaN,
      layersSending: publisher?.layersSending ?? Number.NaN,
      audioLatency: this.#latencies.audio,
      videoLatency: this.#latencies.video,
      hears: audioSlots > 0,
      sees: mainPlan !== undefined || tiles.count > 0,
      sends: this.#sends,
    }
  }
}

/** What ends with a transport. */
function addTransport(
  sums: SiteSums,
  { link }: MediaLeg,
  publisher: PublisherSite | undefined,
): void {
  sums.receivedBytes += link.receivedBytes
  sums.sentBytes += link.sentBytes
  sums.sentPackets += link.sentPackets
  if (publisher === undefined) return
  const { audio, video } = publisher.packetsSent
  sums.audioSent += audio
  sums.videoSent += video
  sums.keyframesSent += publisher.keyframesSent
  sums.resent += publisher.resent
}
