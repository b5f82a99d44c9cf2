/**
 * The load of `bench forward`, in a process (and on a core) of its own: one publisher and N watching sites. Told by
 * JSON lines on standard input, answers by JSON lines on standard output.
 */
import { setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import { issueToken, loadTokenKeys, type TokenKeys } from '../../signaling/index.ts'
import { JanusSite } from '../rival/index.ts'
import { createLoadContext, type LoadContext } from '../site/load-context.ts'
import type { SitePlan } from '../site/offer.ts'
import { PublisherSite } from '../site/publisher-site.ts'
import { ReceiverSite } from '../site/receiver-site.ts'
import { type JoinTimes, type MediaSite, Site } from '../site/site.ts'

/** First line: where the core is. */
export type LoadSetup = {
  doorUrl: string
  dataDir: string
  room: string
  videoBps: number
  framesPerSecond: number
  /** How far this process steps back behind others on its core, 0..19. */
  niceness: number
  /** The server is Janus, `doorUrl` its WebSocket; the room is its number. */
  isJanus?: boolean
}

/** Later lines, one at a time. */
export type LoadCommand =
  | { op: 'publish' }
  /** Joins so many more watching sites, `parallel` at a time. */
  | { op: 'join'; count: number; parallel: number }
  /** Watches for so long. */
  | { op: 'measure'; seconds: number }
  /** Watches from now until `seen`, which answers with the measure. */
  | { op: 'watch' }
  | { op: 'seen' }
  | { op: 'end' }

/** What `measure` and `seen` answer with. Latencies in ms, of sampled packets. */
export type LoadMeasure = {
  receivers: number
  /** Sent by the publisher meanwhile; each receiver should have got as many. */
  published: number
  packets: number
  expected: number
  lost: number
  samples: number
  latencyMs: { p50: number; p95: number; p99: number; max: number }
  /** The same whole, in microseconds: base64 of hdr-histogram-js' compressed encoding. */
  latencyEncoded: string
  seconds: number
}

export type JoinMeasure = {
  joined: number
  failed: number
  seconds: number
  /** Means of each step, ms. */
  steps: JoinTimes
  whyFailed: string[]
}

/** One packet in this many is opened and timed: a prime, so that audio and video take turns. */
const SAMPLE_EVERY = 61
const REPORT_SPREAD = 20
const TICK_MS = 50
const SPEAKER_PLANS: readonly SitePlan[] = [{ use: 'microphone' }, { use: 'camera' }]
const VIEWER_PLANS: readonly SitePlan[] = [{ use: 'audio' }, { use: 'main' }]

/** A site of either server. */
type JoinedSite = MediaSite & { readonly times: JoinTimes; drop(): void }

type Watcher = { site: JoinedSite; receiver: ReceiverSite }

class Load {
  readonly #setup: LoadSetup
  readonly #context: LoadContext
  readonly #keys: TokenKeys
  readonly #watchers: Watcher[] = []
  #histogram = newHistogram()
  #ticks = 0
  #publisher: PublisherSite | undefined

  constructor(setup: LoadSetup, context: LoadContext) {
    this.#setup = setup
    this.#context = context
    this.#keys = loadTokenKeys(setup.dataDir)
    setInterval(() => this.#tick(), TICK_MS)
  }

  async publish(): Promise<void> {
    const { videoBps, framesPerSecond } = this.#setup
    let publisher: PublisherSite | undefined
    const site = await this.#join('speaker', {
      onMedia: (from, datagram, isRtcp) => publisher?.onMedia(from, datagram, isRtcp),
    })
    const layer = { rid: '', bitrateBps: videoBps, width: 320, height: 180 }
    publisher = new PublisherSite(
      site,
      {
        number: 1,
        audio: { mid: '0', payloadBytes: 80 },
        video: { mid: '1', framesPerSecond, temporal: false, layers: [layer] },
      },
      performance.now(),
    )
    this.#publisher = publisher
    this.#pace(publisher)
    if (site instanceof Site) {
      await site.door.request({ type: 'publish', use: 'microphone', live: true })
      await site.door.request({ type: 'publish', use: 'camera', live: true })
    }
    this.#tickables.push(site)
  }

  async join(count: number, parallel: number): Promise<JoinMeasure> {
    const startMs = performance.now()
    const times: JoinTimes[] = []
    const whyFailed: string[] = []
    let next = 0
    const runner = async (): Promise<void> => {
      while (next < count) {
        next += 1
        try {
          times.push((await this.#watch()).site.times)
        } catch (error) {
          whyFailed.push((error as Error).message)
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(parallel, count) }, runner))
    return {
      joined: times.length,
      failed: whyFailed.length,
      seconds: (performance.now() - startMs) / 1000,
      steps: meanTimes(times),
      whyFailed: whyFailed.slice(0, 5),
    }
  }

  async measure(during: () => Promise<unknown>): Promise<LoadMeasure> {
    const watched = [...this.#watchers]
    const before = watched.map(({ receiver }) => totals(receiver))
    this.#histogram = newHistogram()
    const publishedBefore = this.#published()
    const startMs = performance.now()
    await during()
    const seconds = (performance.now() - startMs) / 1000
    const published = this.#published() - publishedBefore
    const after = watched.map(({ receiver }) => totals(receiver))
    const sum = (field: 'packets' | 'expected') =>
      after.reduce((total, now, index) => total + now[field] - (before[index]?.[field] ?? 0), 0)
    const packets = sum('packets')
    const expected = sum('expected')
    const percentile = (p: number) => this.#histogram.getValueAtPercentile(p) / 1000
    return {
      receivers: watched.length,
      published,
      packets,
      expected,
      lost: Math.max(0, expected - packets),
      samples: this.#histogram.totalCount,
      latencyMs: {
        p50: percentile(50),
        p95: percentile(95),
        p99: percentile(99),
        max: this.#histogram.maxValue / 1000,
      },
      latencyEncoded: encodeIntoCompressedBase64(this.#histogram),
      seconds,
    }
  }

  #published(): number {
    const { audio, video } = this.#publisher?.packetsSent ?? { audio: 0, video: 0 }
    return audio + video
  }

  end(): void {
    for (const { site } of this.#watchers) site.drop()
    process.exit(0)
  }

  readonly #tickables: JoinedSite[] = []

  async #watch(): Promise<Watcher> {
    // Only those that were in when a measurement began are timed: the newcomers' first packets are a join, not latency.
    const number = this.#watchers.length
    const receiver = new ReceiverSite({
      sampleEvery: SAMPLE_EVERY,
      phase: number,
      onLatency: (latencyMs) => {
        if (watcher.timed) this.#histogram.recordValue(Math.max(1, Math.round(latencyMs * 1000)))
      },
    })
    const watcher = { timed: false }
    const site = await this.#join('viewer', {
      onMedia: (from, datagram, isRtcp) => receiver.onMedia(from, datagram, isRtcp),
    })
    const slots = [{ mid: '1', widthPx: 320, heightPx: 180 }]
    if (site instanceof Site) await site.door.request({ type: 'view', slots })
    const entry = { site, receiver }
    this.#watchers.push(entry)
    this.#tickables.push(site)
    this.#newcomers.push(watcher)
    return entry
  }

  readonly #newcomers: { timed: boolean }[] = []

  /** Everyone who is in by now is timed from here on. */
  settle(): void {
    for (const newcomer of this.#newcomers) newcomer.timed = true
    this.#newcomers.length = 0
  }

  async #join(
    role: 'speaker' | 'viewer',
    { onMedia }: { onMedia: (from: MediaSite, datagram: Buffer, isRtcp: boolean) => void },
  ): Promise<JoinedSite> {
    const { doorUrl, room, isJanus = false } = this.#setup
    const plans = role === 'speaker' ? SPEAKER_PLANS : VIEWER_PLANS
    if (isJanus) {
      const publishes = role === 'speaker' ? { publishes: plans } : {}
      return await JanusSite.join(this.#context, {
        doorUrl,
        room: Number(room),
        ...publishes,
        onMedia,
      })
    }
    const request = { room, role, name: role, site: 'bench', ttlS: 3600, nowMs: Date.now() }
    const token = await issueToken(this.#keys, request)
    return await Site.join(this.#context, {
      doorUrl,
      token,
      plans,
      transportWide: false,
      onMedia,
    })
  }

  #pace(publisher: PublisherSite): void {
    const step = (): void => {
      publisher.tick(performance.now())
      const waitMs = publisher.nextDeadlineMs() - performance.now()
      setTimeout(step, Math.max(0, waitMs))
    }
    step()
  }

  /** Links' timers, and a twentieth of the receiver reports each time, so that they do not come as one burst. */
  #tick(): void {
    const nowMs = performance.now()
    this.#ticks += 1
    for (const site of this.#tickables) site.link.tick(nowMs)
    for (
      let index = this.#ticks % REPORT_SPREAD;
      index < this.#watchers.length;
      index += REPORT_SPREAD
    ) {
      const watcher = this.#watchers[index]
      watcher?.receiver.report(watcher.site)
    }
    this.#context.sender.flush()
  }
}

function totals(receiver: ReceiverSite): { packets: number; expected: number } {
  let packets = 0
  let expected = 0
  for (const tally of receiver.tallies.values()) {
    packets += tally.packets
    expected += tally.expected
  }
  return { packets, expected }
}

function newHistogram() {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  })
}

function meanTimes(times: JoinTimes[]): JoinTimes {
  const mean = (field: keyof JoinTimes) =>
    times.reduce((sum, one) => sum + one[field], 0) / Math.max(1, times.length)
  return {
    doorMs: mean('doorMs'),
    joinMs: mean('joinMs'),
    offerMs: mean('offerMs'),
    iceMs: mean('iceMs'),
    dtlsMs: mean('dtlsMs'),
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function obey(load: Load, command: LoadCommand): Promise<unknown> {
  switch (command.op) {
    case 'publish':
      await load.publish()
      return {}
    case 'join':
      return await load.join(command.count, command.parallel)
    case 'measure':
      load.settle()
      return await load.measure(() => sleep(command.seconds * 1000))
    case 'watch': {
      load.settle()
      const { promise, resolve } = Promise.withResolvers<void>()
      watching = { measure: load.measure(() => promise), finish: resolve }
      return {}
    }
    case 'seen':
      watching?.finish()
      return (await watching?.measure) ?? {}
    case 'end':
      load.end()
      return {}
  }
}

let watching: { measure: Promise<LoadMeasure>; finish: () => void } | undefined
let load: Load | undefined
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line)
  if (load === undefined) {
    setPriority((message as LoadSetup).niceness)
    load = new Load(message as LoadSetup, await createLoadContext())
    console.log('{}')
    continue
  }
  try {
    console.log(JSON.stringify(await obey(load, message as LoadCommand)))
  } catch (error) {
    console.log(JSON.stringify({ error: (error as Error).message }))
  }
}
