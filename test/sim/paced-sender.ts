/**
 * A sender that obeys an estimator, a link, and a receiver that reports arrivals: one flow under a virtual clock.
 * Real feedback bytes travel back over the link's other direction.
 */
import { createRandom, Link, type LinkSettings, PERFECT } from '../../bench/link/index.ts'
import { createEstimator, type Estimator } from '../../core/media/bandwidth/index.ts'
import { TransportFeedbackGenerator } from '../../core/media/receive/index.ts'
import { RtcpWriter, TransportFeedback } from '../../core/media/rtcp/index.ts'

export type Sample = {
  atMs: number
  estimateBps: number
  sentBps: number
  arrivedBps: number
  queueMs: number
}

export type FlowOptions = {
  down: Partial<LinkSettings>
  up?: Partial<LinkSettings>
  seed: number
  durationMs: number
  /** What the sender would send if it could, bit/s; 0 = as much as the estimate allows. */
  appBps?: number
  /** True: the sender has layers and cannot fill the estimate, it sends the highest step that fits. */
  stepsBps?: number[]
  changes?: { atMs: number; down: Partial<LinkSettings> }[]
}

const TICK_MS = 5
const PACKET_BYTES = 1000
const SAMPLE_MS = 200

type Packet = { sequence: number; sizeBytes: number }

export function simulateFlow(options: FlowOptions): Sample[] {
  const down = new Link<Packet>({ ...PERFECT, overheadBytes: 38, ...options.down }, options.seed)
  const up = new Link<Uint8Array>({ ...PERFECT, ...options.up }, options.seed + 1)
  const chance = createRandom(options.seed + 2)
  const estimator = createEstimator(0)
  const receiver = new FeedbackReceiver()
  const changes = [...(options.changes ?? [])]
  const samples: Sample[] = []
  let sequence = 0
  let debtBytes = 0
  let sentBytes = 0
  let arrivedBytes = 0
  const send = (sizeBytes: number, nowMs: number): void => {
    estimator.onPacketSent(sequence, sizeBytes, nowMs)
    down.send({ sequence, sizeBytes }, sizeBytes, nowMs)
    sequence = (sequence + 1) & 0xffff
    sentBytes += sizeBytes
  }
  for (let nowMs = 0; nowMs < options.durationMs; nowMs += TICK_MS) {
    if (changes[0] !== undefined && nowMs >= changes[0].atMs)
      down.change(changes.shift()?.down ?? {}, nowMs)
    const rateBps = targetBps(options, estimator.availableBps(nowMs))
    debtBytes += (rateBps * TICK_MS) / 8000
    while (debtBytes > 0) {
      const sizeBytes = Math.round(PACKET_BYTES * (0.6 + 0.8 * chance.next()))
      send(sizeBytes, nowMs)
      debtBytes -= sizeBytes
    }
    if (nowMs % 10 === 0)
      pad(estimator, { send, nowMs, wantedBps: wantedBps(options), sentBps: rateBps })
    down.poll(nowMs, (packet, atMs) => {
      arrivedBytes += packet.sizeBytes
      receiver.onPacket(packet.sequence, atMs)
    })
    receiver.report(nowMs, (bytes) => up.send(bytes, bytes.length, nowMs))
    up.poll(nowMs, (bytes) => giveFeedback(estimator, bytes, nowMs))
    if (nowMs % SAMPLE_MS === 0) {
      const perSecond = 8000 / SAMPLE_MS
      samples.push({
        atMs: nowMs,
        estimateBps: estimator.availableBps(nowMs),
        sentBps: sentBytes * perSecond,
        arrivedBps: arrivedBytes * perSecond,
        queueMs: down.counters.queueMs,
      })
      sentBytes = 0
      arrivedBytes = 0
    }
  }
  return samples
}

/** Mean of a field over [fromMs, toMs). */
export function mean(
  samples: Sample[],
  field: keyof Sample,
  [fromMs, toMs]: [number, number],
): number {
  const some = samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
  return some.reduce((sum, sample) => sum + sample[field], 0) / some.length
}

function wantedBps({ appBps = 0, stepsBps }: FlowOptions): number {
  return stepsBps?.at(-1) ?? (appBps === 0 ? 10e6 : appBps)
}

function targetBps(options: FlowOptions, estimateBps: number): number {
  if (options.stepsBps !== undefined) {
    return options.stepsBps.filter((step) => step <= estimateBps).at(-1) ?? 20_000
  }
  return Math.min(estimateBps, wantedBps(options))
}

function pad(
  estimator: Estimator,
  {
    send,
    nowMs,
    wantedBps,
    sentBps,
  }: {
    send: (sizeBytes: number, nowMs: number) => void
    nowMs: number
    wantedBps: number
    sentBps: number
  },
): void {
  estimator.onDemand(sentBps, wantedBps, nowMs)
  let bytes = estimator.probeBytes(nowMs)
  while (bytes > 0) {
    const sizeBytes = Math.min(267, Math.max(60, bytes))
    send(sizeBytes, nowMs)
    bytes -= sizeBytes
  }
}

const parsed = new TransportFeedback()

function giveFeedback(estimator: Estimator, bytes: Uint8Array, nowMs: number): void {
  if (parsed.read(bytes, 12, bytes.length)) estimator.onFeedback(parsed, nowMs)
}

class FeedbackReceiver {
  readonly #generator = new TransportFeedbackGenerator(1, 2)
  readonly #writer = new RtcpWriter()
  readonly #scratch = new Uint8Array(1500)

  onPacket(sequence: number, atMs: number): void {
    this.#generator.onPacket(sequence, atMs)
  }

  report(nowMs: number, send: (bytes: Uint8Array) => void): void {
    if (nowMs < this.#generator.nextDeadlineMs()) return
    this.#writer.reset(this.#scratch, 0, this.#scratch.length)
    if (this.#generator.collect(nowMs, this.#writer)) send(this.#scratch.slice(0, this.#writer.end))
  }
}
