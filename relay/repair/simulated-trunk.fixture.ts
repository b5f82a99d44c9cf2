/**
 * One direction of a trunk with all of its repair under a virtual clock: an audio stream of 20 ms packets and a base
 * layer of 25 datagrams a second cross a link that loses datagrams in bursts; answers come back over a link that
 * loses as much. What the wire looks like and how a link queues is not here.
 */
import { createRandom } from '../../bench/link/index.ts'
import {
  AudioCopies,
  DuplicateFilter,
  LossMeter,
  NackTimer,
  ParityDecoder,
  ParityEncoder,
  ReleaseBuffer,
  type RepairPlan,
  RepairPlanner,
  SentFrames,
} from './index.ts'

export type Loss = { ratio: number; kind: 'gilbert' | 'one-to-four' }

/** Next datagram lost? Gilbert: geometric runs of 2.5 on average; one-to-four: runs of 1..4, all as likely. */
export function createLoss({ ratio, kind }: Loss, next: () => number): () => boolean {
  const mean = 2.5
  const startRatio = ratio / (1 - ratio) / mean
  let left = 0
  return () => {
    if (kind === 'gilbert') {
      left = left > 0 ? (next() < 1 / mean ? 0 : 1) : next() < startRatio ? 1 : 0
      return left > 0
    }
    if (left > 0) left -= 1
    else if (next() < startRatio) left = 1 + Math.floor(next() * 4)
    return left > 0
  }
}

export type Simulation = {
  loss: Loss
  rttMs: number
  seconds: number
  seed: number
  rateBps: number
  /** Fixed; else planned each second from what is measured. */
  plan?: RepairPlan
}

export type Outcome = {
  lossRatio: number
  lossBurst: number
  /** Audio frames that did not go out in time. */
  audioLossRatio: number
  /** Video datagrams that did not go out in order. */
  videoLossRatio: number
  /** Share of time in intervals between pictures that WebRTC's statistics call a freeze. */
  freezeRatio: number
  /** Longest extra delay of audio against the shortest transit. */
  audioDelayMs: number
  /** Redundant bytes to plain ones. */
  overheadRatio: number
  plan: RepairPlan
}

const AUDIO = 1
const VIDEO = 2
const FRAME_BYTES = 11
const TICK_MS = 5
const AUDIO_BYTES = 60
const VIDEO_BYTES = 700
const AUDIO_MS = 20
const VIDEO_MS = 40
const JITTER_MS = 40
const WARM_UP_MS = 10_000

export function simulateTrunk(options: Simulation): Outcome {
  return new SimulatedTrunk(options).run()
}

class SimulatedTrunk {
  readonly #options: Simulation
  readonly #isLost: () => boolean
  readonly #isAnswerLost: () => boolean
  readonly #copies = new AudioCopies()
  readonly #encoder = new ParityEncoder()
  readonly #sent = new SentFrames()
  readonly #meter = new LossMeter()
  readonly #nack = new NackTimer()
  readonly #decoder: ParityDecoder
  readonly #seen = { [AUDIO]: new DuplicateFilter(), [VIDEO]: new DuplicateFilter() }
  readonly #release: Record<number, ReleaseBuffer>
  readonly #videoAtMs = new Map<number, number>()
  readonly #onTheWay: { atMs: number; arrive: () => void }[] = []
  readonly #planner = new RepairPlanner()
  #plan = this.#planner.plan
  #nowMs = 0
  #index = 0
  #audioSequence = 0
  #videoSequence = 0
  #plainBytes = 0
  #redundantBytes = 0
  readonly #audioInTime = new Set<number>()
  readonly #videoInOrder = new Set<number>()
  #audioDelayMs = 0
  #isMeasuring = false
  #audioMeasured = 0
  #videoMeasured = 0

  constructor(options: Simulation) {
    this.#options = options
    const random = createRandom(options.seed)
    this.#isLost = createLoss(options.loss, random.next)
    this.#isAnswerLost = createLoss(options.loss, createRandom(options.seed + 1).next)
    this.#decoder = new ParityDecoder({
      recovered: (index, bytes, start, end) => this.#onPayload(index, bytes, start, end),
    })
    const released =
      (kind: number) => (bytes: Uint8Array, start: number, _: number, isLate: boolean) =>
        this.#onReleased(kind, read32(bytes, start + 1), isLate)
    this.#release = {
      [AUDIO]: new ReleaseBuffer({
        outlet: { released: released(AUDIO) },
        kind: 'audio',
        clockRate: 48_000,
      }),
      [VIDEO]: new ReleaseBuffer({
        outlet: { released: released(VIDEO) },
        kind: 'video',
        clockRate: 90_000,
      }),
    }
  }

  run(): Outcome {
    const endMs = WARM_UP_MS + this.#options.seconds * 1_000
    for (; this.#nowMs < endMs; this.#nowMs += TICK_MS) {
      if (this.#nowMs % 1_000 === 0) this.#replan()
      // The smooth move to the new delays is over by then.
      if (this.#nowMs === WARM_UP_MS + 10_000) {
        this.#isMeasuring = true
        this.#audioMeasured = this.#audioSequence
        this.#videoMeasured = this.#videoSequence
      }
      this.#send()
      this.#deliver()
      this.#receive()
    }
    return this.#outcome(endMs)
  }

  #replan(): void {
    const { lossRatio, lossBurst } = this.#meter
    const { rttMs, rateBps, plan } = this.#options
    const facts = { lossRatio, lossBurst, rttMs, rateBps, audioBps: 24_000, datagramsPerS: 75 }
    this.#plan = plan ?? { ...this.#planner.update(facts, this.#nowMs), audioMerge: 1 }
    this.#configure()
  }

  #configure(): void {
    const { audioDistances, parityEvery, parityWindow, audioHoldMs, videoHoldMs } = this.#plan
    this.#copies.configure(audioDistances)
    this.#encoder.configure(parityEvery, parityWindow)
    this.#release[AUDIO]!.configure(audioHoldMs, true)
    this.#release[VIDEO]!.configure(videoHoldMs, this.#plan.isVideoPaced)
    this.#nack.configure({
      rttMs: this.#options.rttMs,
      holdMs: Math.max(videoHoldMs, 1_000),
      isAsking: true,
    })
  }

  #send(): void {
    const nowMs = this.#nowMs
    if (nowMs % AUDIO_MS === 0) {
      const frame = frameOf(AUDIO, this.#audioSequence++, this.#index)
      const frames = [frame]
      this.#plainBytes += AUDIO_BYTES
      this.#copies.store(1, frame, 0, FRAME_BYTES, AUDIO_MS, nowMs)
      while (this.#copies.take(nowMs)) {
        frames.push(this.#copies.bytes.slice(this.#copies.start, this.#copies.end))
        this.#redundantBytes += AUDIO_BYTES
      }
      this.#datagram(frames, this.#plan.isParityForAudio)
    }
    if (nowMs % VIDEO_MS === 10) {
      this.#plainBytes += VIDEO_BYTES
      this.#datagram([frameOf(VIDEO, this.#videoSequence++, this.#index)], true)
    }
    if (!this.#encoder.isDue(nowMs)) return
    const body = new Uint8Array(200)
    const end = this.#encoder.write(body, 0)
    const carrier = this.#index++
    this.#redundantBytes += VIDEO_BYTES
    this.#travel(() => {
      this.#nack.onDatagram(carrier, this.#nowMs)
      this.#decoder.onParity(carrier, body, 0, end)
    })
  }

  #datagram(frames: Uint8Array[], isProtected: boolean, isFirst = true): void {
    const index = this.#index++
    const payload = new Uint8Array(Buffer.concat(frames))
    if (isFirst) this.#sent.begin(index, this.#nowMs)
    for (const frame of isFirst ? frames : []) {
      if (this.#plan.nack === 'all' || frame[0] === VIDEO) this.#sent.add(0, frame, 0, FRAME_BYTES)
    }
    if (isProtected) this.#encoder.protect(index, payload, 0, payload.length, this.#nowMs)
    this.#travel(() => {
      this.#decoder.onDatagram(index, payload, 0, payload.length)
      this.#onPayload(index, payload, 0, payload.length)
    })
  }

  #travel(arrive: () => void): void {
    const isLost = this.#isLost()
    this.#meter.onDatagram(isLost)
    if (!isLost) this.#onTheWay.push({ atMs: this.#nowMs + this.#options.rttMs / 2, arrive })
  }

  #deliver(): void {
    this.#onTheWay.sort((a, b) => a.atMs - b.atMs)
    while (this.#onTheWay.length > 0 && this.#onTheWay[0]!.atMs <= this.#nowMs) {
      this.#onTheWay.shift()!.arrive()
    }
  }

  #onPayload(index: number, bytes: Uint8Array, start: number, end: number): void {
    this.#nack.onDatagram(index, this.#nowMs)
    for (let at = start; at + FRAME_BYTES <= end; at += FRAME_BYTES) {
      const kind = bytes[at]!
      const sequence = read32(bytes, at + 1)
      const origin = read32(bytes, at + 5)
      if (kind === VIDEO) this.#nack.onDatagram(origin, this.#nowMs)
      if (!this.#seen[kind as 1 | 2].accept(sequence)) continue
      const tsTicks = kind === AUDIO ? sequence * 960 : sequence * 3_600
      const frame = { sequence, tsTicks, index: origin }
      this.#release[kind]!.push(frame, bytes, at, at + FRAME_BYTES, this.#nowMs)
    }
  }

  #receive(): void {
    const ranges = { first: new Float64Array(16), last: new Float64Array(16) }
    const count = this.#nack.collect(this.#nowMs, ranges)
    const asked: number[] = []
    for (let i = 0; i < count; i++) {
      for (let index = ranges.first[i]!; index <= ranges.last[i]!; index++) asked.push(index)
    }
    if (asked.length > 0 && !this.#isAnswerLost()) {
      this.#onTheWay.push({
        atMs: this.#nowMs + this.#options.rttMs / 2,
        arrive: () => this.#answer(asked),
      })
    }
    for (const buffer of Object.values(this.#release))
      buffer.release(this.#nowMs, this.#nack.settledIndex)
  }

  #answer(asked: number[]): void {
    for (const index of asked) {
      const count = this.#sent.find(index, this.#nowMs, this.#options.rttMs)
      const frames: Uint8Array[] = []
      for (let place = 0; place < count; place++) {
        this.#sent.frame(place)
        frames.push(this.#sent.bytes.slice(this.#sent.start, this.#sent.end))
        this.#redundantBytes += frames.at(-1)![0] === VIDEO ? VIDEO_BYTES : AUDIO_BYTES
      }
      // Not remembered under the new index: what is lost again is asked for by its first.
      if (frames.length > 0) this.#datagram(frames, true, false)
    }
  }

  #onReleased(kind: number, sequence: number, isLate: boolean): void {
    if (kind === VIDEO) this.#videoAtMs.set(sequence, this.#nowMs)
    if (!this.#isMeasuring) return
    if (kind === VIDEO && !isLate) this.#videoInOrder.add(sequence)
    if (kind === AUDIO && !isLate && sequence >= this.#audioMeasured) {
      const transitMs = this.#nowMs - sequence * AUDIO_MS - this.#options.rttMs / 2
      this.#audioDelayMs = Math.max(this.#audioDelayMs, transitMs)
      // What comes later is concealed by most jitter buffers.
      if (transitMs <= this.#plan.audioHoldMs + JITTER_MS) this.#audioInTime.add(sequence)
    }
  }

  #outcome(endMs: number): Outcome {
    // The last ones are still held.
    const tail = 3_000
    const audioSent = this.#audioSequence - this.#audioMeasured - tail / AUDIO_MS
    const videoSent = this.#videoSequence - this.#videoMeasured - tail / VIDEO_MS
    return {
      lossRatio: this.#meter.lossRatio,
      lossBurst: this.#meter.lossBurst,
      audioLossRatio: missingRatio(this.#audioInTime, this.#audioMeasured, audioSent),
      videoLossRatio: missingRatio(this.#videoInOrder, this.#videoMeasured, videoSent),
      freezeRatio: this.#freezeRatio(endMs, videoSent),
      audioDelayMs: this.#audioDelayMs,
      overheadRatio: this.#redundantBytes / this.#plainBytes,
      plan: this.#plan,
    }
  }

  /** A picture shows when it and all before it are there; what never comes costs a keyframe's way. */
  #freezeRatio(endMs: number, count: number): number {
    let shownMs = Number.NaN
    let frozenMs = 0
    for (let sequence = this.#videoMeasured; sequence < this.#videoMeasured + count; sequence++) {
      const keyframeMs = sequence * VIDEO_MS + 2 * this.#options.rttMs + 500
      const atMs = Math.max(
        this.#videoAtMs.get(sequence) ?? keyframeMs,
        Number.isNaN(shownMs) ? 0 : shownMs,
      )
      // webrtc-stats §freezeCount: longer than three times the mean, and 150 ms more than it.
      if (atMs - shownMs >= VIDEO_MS + 150) frozenMs += atMs - shownMs
      shownMs = atMs
    }
    return frozenMs / (endMs - WARM_UP_MS - 13_000)
  }
}

function missingRatio(there: Set<number>, first: number, count: number): number {
  let missing = 0
  for (let sequence = first; sequence < first + count; sequence++)
    if (!there.has(sequence)) missing += 1
  return missing / count
}

function frameOf(kind: number, sequence: number, index: number): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES)
  frame[0] = kind
  new DataView(frame.buffer).setUint32(1, sequence)
  new DataView(frame.buffer).setUint32(5, index)
  return frame
}

function read32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0)
}
