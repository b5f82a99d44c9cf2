/**
 * One direction of an impaired link, as a pure value under a given clock: a loss process, a bounded
 * queue drained at a rate, then delay with jitter. Not a socket (see io/) and not a protocol: it
 * knows sizes and times only.
 *
 * Every offered packet draws the same number of random values whatever its fate, so the same seed
 * gives the same fate to the same sequence of packets, and changing the rate does not reshuffle the
 * losses.
 */
import { LINE_FLIGHT_BYTES_MAX, LINE_FLIGHTS_MAX } from '../../config/limits.ts'
import { createRandom, type Random } from './random.ts'
import { type LinkSettings, mergeSettings } from './settings.ts'

/** Why a packet did not arrive. */
export type LinkDrop = 'lost' | 'queue-full' | 'too-large' | 'down' | 'emulator-full'

/** Counted since creation. `queueMs` is the wait of the last packet that was accepted. */
export type LinkCounters = {
  packetsIn: number
  bytesIn: number
  packetsOut: number
  bytesOut: number
  duplicates: number
  reordered: number
  queueMs: number
  /** Longest wait since the last `takeQueuePeakMs`. */
  queuePeakMs: number
  dropped: Record<LinkDrop, number>
}

/** `leftMs` is when its last bit leaves the queue; from then on it only travels. */
type Flight<T> = { atMs: number; leftMs: number; order: number; sizeBytes: number; item: T }

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
    queuePeakMs: 0,
    dropped: { lost: 0, 'queue-full': 0, 'too-large': 0, down: 0, 'emulator-full': 0 },
  }
  #settings: LinkSettings
  readonly #random: Random
  /** Binary heap by time, then by order of acceptance. */
  readonly #flights: Flight<T>[] = []
  /** When the last accepted byte will have left the queue. */
  #freeAtMs = Number.NEGATIVE_INFINITY
  #lastArrivalMs = Number.NEGATIVE_INFINITY
  #lastDelivered = -1
  #flightBytes = 0
  #accepted = 0
  #bad = false

  constructor(settings: LinkSettings, seed: number) {
    this.#settings = mergeSettings(settings, {})
    this.#random = createRandom(seed)
  }

  get settings(): LinkSettings {
    return this.#settings
  }

  /**
   * Applies to packets offered from now on; a new rate also to what waits in the queue. What
   * travels keeps its times, unless the link goes down: then everything is lost. Throws a
   * RangeError and changes nothing when out of range.
   */
  change(settings: Partial<LinkSettings>, nowMs: number): void {
    const before = this.#settings
    this.#settings = mergeSettings(before, settings)
    if (!this.#settings.up) this.#loseAll()
    else if (before.rateBps !== this.#settings.rateBps && before.rateBps > 0)
      this.#redrain(before.rateBps / this.#settings.rateBps, nowMs)
  }

  /**
   * Offers a packet. `sizeBytes` is its payload. Returns why it was dropped, or undefined when it
   * is on its way.
   */
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
    this.#schedule(item, { sizeBytes, leftMs, jitterDraw })
    if (duplicateDraw < this.#settings.duplicateRatio) {
      this.counters.duplicates += 1
      this.#schedule(item, { sizeBytes, leftMs, jitterDraw: 1 - jitterDraw })
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
      this.#flightBytes -= first.sizeBytes
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

  /** Longest wait in the queue, ms, of packets accepted since this was last asked. */
  takeQueuePeakMs(): number {
    const { queuePeakMs } = this.counters
    this.counters.queuePeakMs = 0
    return queuePeakMs
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
    const { up, mtuBytes, rateBps } = this.#settings
    if (!up) return 'down'
    if (mtuBytes > 0 && sizeBytes > mtuBytes) return 'too-large'
    if (lost) return 'lost'
    if (rateBps > 0 && this.#queueIsFull(sizeBytes, nowMs)) return 'queue-full'
    // Bounds of this program, not of a line: an unlimited rate over a long delay would grow without end.
    const isFull =
      this.#flights.length >= LINE_FLIGHTS_MAX ||
      this.#flightBytes + sizeBytes > LINE_FLIGHT_BYTES_MAX
    return isFull ? 'emulator-full' : undefined
  }

  #queueIsFull(sizeBytes: number, nowMs: number): boolean {
    const { queueBytes, queueMs, overheadBytes } = this.#settings
    // What is in transmission counts as queued, but an empty queue takes one packet of any size.
    const queued = this.queuedBytes(nowMs)
    if (queued === 0) return false
    const isLong = queueMs > 0 && this.#freeAtMs - nowMs > queueMs
    return isLong || (queueBytes > 0 && queued + sizeBytes + overheadBytes > queueBytes)
  }

  #drainAt(sizeBytes: number, nowMs: number): number {
    const { rateBps, overheadBytes } = this.#settings
    if (rateBps === 0) return nowMs
    const startMs = Math.max(nowMs, this.#freeAtMs)
    this.counters.queueMs = startMs - nowMs
    this.counters.queuePeakMs = Math.max(this.counters.queuePeakMs, startMs - nowMs)
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

  #schedule(
    item: T,
    { sizeBytes, leftMs, jitterDraw }: { sizeBytes: number; leftMs: number; jitterDraw: number },
  ): void {
    const atMs = leftMs + this.#delayMs(jitterDraw, leftMs)
    pushFlight(this.#flights, { atMs, leftMs, order: this.#accepted, sizeBytes, item })
    this.#accepted += 1
    this.#flightBytes += sizeBytes
  }

  #loseAll(): void {
    this.counters.dropped.down += this.#flights.length
    this.#flights.length = 0
    this.#flightBytes = 0
    this.#freeAtMs = Number.NEGATIVE_INFINITY
    this.#lastArrivalMs = Number.NEGATIVE_INFINITY
  }

  /** The queue is never idle while it holds something, so a new rate stretches its times evenly. */
  #redrain(stretch: number, nowMs: number): void {
    if (this.#freeAtMs <= nowMs) return
    // Unlimited from now on: what waits leaves at once.
    const factor = Number.isFinite(stretch) ? stretch : 0
    const flights = this.#flights.splice(0).sort((a, b) => a.order - b.order)
    this.#freeAtMs = nowMs + (this.#freeAtMs - nowMs) * factor
    let lastArrivalMs = Number.NEGATIVE_INFINITY
    for (const flight of flights) {
      if (flight.leftMs > nowMs) {
        const leftMs = nowMs + (flight.leftMs - nowMs) * factor
        flight.atMs += leftMs - flight.leftMs
        flight.leftMs = leftMs
        if (!this.#settings.reorder) flight.atMs = Math.max(flight.atMs, lastArrivalMs)
      }
      lastArrivalMs = Math.max(lastArrivalMs, flight.atMs)
      pushFlight(this.#flights, flight)
    }
    this.#lastArrivalMs = lastArrivalMs
  }
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
