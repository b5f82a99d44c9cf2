/**
 * One direction of an impaired link, as a pure value under a given clock: a loss process, a bounded queue drained
 * at a rate, then delay with jitter. Not a socket (see io/) and not a protocol: it knows sizes and times only.
 *
 * Every offered packet draws the same number of random values whatever its fate, so the same seed gives the same
 * fate to the same sequence of packets, and changing the rate does not reshuffle the losses.
 */
import { createRandom, type Random } from './random.ts'

/** Gilbert-Elliott: two states with a loss each; probabilities per packet. */
export type BurstLoss = {
  goodToBad: number
  badToGood: number
  lossRatioGood: number
  lossRatioBad: number
}

/** What one direction does to packets. */
export type LinkSettings = {
  /** 0 = unlimited. Counts payload plus overheadBytes. */
  rateBps: number
  /** Tail-drop bound of the queue in front of the rate; 0 = unbounded is not allowed with a rate. */
  queueBytes: number
  /** Headers that each packet costs on the wire (IPv4 + UDP = 28). */
  overheadBytes: number
  delayMs: number
  /** Uniform 0..jitterMs added to the delay. */
  jitterMs: number
  /** True: jitter may deliver packets out of order; false: it only stretches gaps. */
  reorder: boolean
  /** Independent loss, 0..1. */
  lossRatio: number
  burstLoss?: BurstLoss | undefined
  duplicateRatio: number
  /** Larger payloads are dropped; 0 = no bound. */
  mtuBytes: number
  /** False: everything is dropped, what is on its way too. */
  up: boolean
}

/** A link that changes nothing. */
export const PERFECT: LinkSettings = {
  rateBps: 0,
  queueBytes: 0,
  overheadBytes: 28,
  delayMs: 0,
  jitterMs: 0,
  reorder: false,
  lossRatio: 0,
  duplicateRatio: 0,
  mtuBytes: 0,
  up: true,
}

/** Why a packet did not arrive. */
export type LinkDrop = 'lost' | 'queue-full' | 'too-large' | 'down'

/** Counted since creation. `queueMs` is the wait of the last packet that was accepted. */
export type LinkCounters = {
  packetsIn: number
  bytesIn: number
  packetsOut: number
  bytesOut: number
  duplicates: number
  reordered: number
  queueMs: number
  dropped: Record<LinkDrop, number>
}

type Flight<T> = { atMs: number; order: number; sizeBytes: number; item: T }

/** One direction; both directions of a connection are two of these. */
export class Link<T> {
  readonly counters: LinkCounters = {
    packetsIn: 0,
    bytesIn: 0,
    packetsOut: 0,
    bytesOut: 0,
    duplicates: 0,
    reordered: 0,
    queueMs: 0,
    dropped: { lost: 0, 'queue-full': 0, 'too-large': 0, down: 0 },
  }
  #settings: LinkSettings
  readonly #random: Random
  /** Binary heap by time, then by order of acceptance. */
  readonly #flights: Flight<T>[] = []
  /** When the last accepted byte will have left the queue. */
  #freeAtMs = Number.NEGATIVE_INFINITY
  #lastArrivalMs = Number.NEGATIVE_INFINITY
  #lastDelivered = -1
  #accepted = 0
  #bad = false

  constructor(settings: LinkSettings, seed: number) {
    this.#settings = checked(settings)
    this.#random = createRandom(seed)
  }

  get settings(): LinkSettings {
    return this.#settings
  }

  /** Takes effect for packets offered from now on; what is queued keeps its times, unless the link goes down. */
  change(settings: Partial<LinkSettings>): void {
    this.#settings = checked({ ...this.#settings, ...settings })
    if (this.#settings.up) return
    this.counters.dropped.down += this.#flights.length
    this.#flights.length = 0
    this.#freeAtMs = Number.NEGATIVE_INFINITY
  }

  /** Offers a packet. `sizeBytes` is its payload. Returns why it was dropped, or undefined when it is on its way. */
  send(item: T, sizeBytes: number, nowMs: number): LinkDrop | undefined {
    this.counters.packetsIn += 1
    this.counters.bytesIn += sizeBytes
    const lossDraw = this.#random.next()
    const stateDraw = this.#random.next()
    const jitterDraw = this.#random.next()
    const duplicateDraw = this.#random.next()
    const lost = lossDraw < this.#lossRatio(stateDraw)
    const drop = this.#obstacle(sizeBytes, lost, nowMs)
    if (drop !== undefined) {
      this.counters.dropped[drop] += 1
      return drop
    }
    const leftMs = this.#drainAt(sizeBytes, nowMs)
    this.#schedule(item, sizeBytes, leftMs + this.#delayMs(jitterDraw, leftMs))
    if (duplicateDraw < this.#settings.duplicateRatio) {
      this.counters.duplicates += 1
      this.#schedule(item, sizeBytes, leftMs + this.#delayMs(1 - jitterDraw, leftMs))
    }
    return undefined
  }

  /** When `poll` has something to deliver next; Infinity when nothing is on its way. */
  nextDeadlineMs(): number {
    return this.#flights[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  /** Delivers what has arrived by now, in order of arrival. */
  poll(nowMs: number, deliver: (item: T, atMs: number) => void): void {
    for (;;) {
      const first = this.#flights[0]
      if (first === undefined || first.atMs > nowMs) return
      popFirst(this.#flights)
      this.counters.packetsOut += 1
      this.counters.bytesOut += first.sizeBytes
      if (first.order < this.#lastDelivered) this.counters.reordered += 1
      this.#lastDelivered = Math.max(this.#lastDelivered, first.order)
      deliver(first.item, first.atMs)
    }
  }

  /** Bytes in the queue in front of the rate now. */
  queuedBytes(nowMs: number): number {
    const { rateBps } = this.#settings
    return rateBps === 0 ? 0 : (Math.max(0, this.#freeAtMs - nowMs) * rateBps) / 8000
  }

  #lossRatio(stateDraw: number): number {
    const { burstLoss, lossRatio } = this.#settings
    if (burstLoss === undefined) return lossRatio
    const flip = this.#bad ? burstLoss.badToGood : burstLoss.goodToBad
    if (stateDraw < flip) this.#bad = !this.#bad
    const burst = this.#bad ? burstLoss.lossRatioBad : burstLoss.lossRatioGood
    return lossRatio + burst - lossRatio * burst
  }

  #obstacle(sizeBytes: number, lost: boolean, nowMs: number): LinkDrop | undefined {
    const { up, mtuBytes, rateBps, queueBytes, overheadBytes } = this.#settings
    if (!up) return 'down'
    if (mtuBytes > 0 && sizeBytes > mtuBytes) return 'too-large'
    if (lost) return 'lost'
    if (rateBps === 0) return undefined
    // What is in transmission counts as queued: a queue smaller than one packet would never send.
    const queued = this.queuedBytes(nowMs)
    const full = queued > 0 && queued + sizeBytes + overheadBytes > queueBytes
    return full ? 'queue-full' : undefined
  }

  #drainAt(sizeBytes: number, nowMs: number): number {
    const { rateBps, overheadBytes } = this.#settings
    if (rateBps === 0) return nowMs
    const startMs = Math.max(nowMs, this.#freeAtMs)
    this.counters.queueMs = startMs - nowMs
    this.#freeAtMs = startMs + ((sizeBytes + overheadBytes) * 8000) / rateBps
    return this.#freeAtMs
  }

  #delayMs(draw: number, leftMs: number): number {
    const { delayMs, jitterMs, reorder } = this.#settings
    const delay = delayMs + draw * jitterMs
    if (reorder) return delay
    // In order: a packet never overtakes the one before it.
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, leftMs + delay)
    return this.#lastArrivalMs - leftMs
  }

  #schedule(item: T, sizeBytes: number, atMs: number): void {
    pushFlight(this.#flights, { atMs, order: this.#accepted, sizeBytes, item })
    this.#accepted += 1
  }
}

function checked(settings: LinkSettings): LinkSettings {
  const ratios = [
    settings.lossRatio,
    settings.duplicateRatio,
    ...Object.values(settings.burstLoss ?? {}),
  ]
  const sizes = [settings.rateBps, settings.queueBytes, settings.delayMs, settings.jitterMs]
  const sane =
    ratios.every((ratio) => ratio >= 0 && ratio <= 1) &&
    [...sizes, settings.overheadBytes, settings.mtuBytes].every((size) => size >= 0) &&
    (settings.rateBps === 0 || settings.queueBytes > 0)
  if (!sane)
    throw new RangeError('link settings: ratios are 0..1, sizes >= 0, a rate needs a queue')
  return settings
}

function before(a: Flight<unknown>, b: Flight<unknown>): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

function pushFlight<T>(heap: Flight<T>[], flight: Flight<T>): void {
  heap.push(flight)
  let child = heap.length - 1
  while (child > 0) {
    const parent = (child - 1) >> 1
    if (!before(flight, heap[parent] as Flight<T>)) break
    heap[child] = heap[parent] as Flight<T>
    child = parent
  }
  heap[child] = flight
}

function popFirst<T>(heap: Flight<T>[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let parent = 0
  for (;;) {
    let child = parent * 2 + 1
    if (child >= heap.length) break
    const right = heap[child + 1]
    if (right !== undefined && before(right, heap[child] as Flight<T>)) child += 1
    if (!before(heap[child] as Flight<T>, last)) break
    heap[parent] = heap[child] as Flight<T>
    parent = child
  }
  heap[parent] = last
}
