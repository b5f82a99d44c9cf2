/**
 * What one neighbour still lacks of our log, and how much of it is on its way. Sends the difference in
 * batches, never an event twice at once, never more than the neighbour and the line take. Pure: time comes
 * with each call.
 */
import {
  TRUNK_EVENTS_BATCH_BYTES_MAX,
  TRUNK_EVENTS_BATCH_BYTES_MIN,
  TRUNK_EVENTS_BATCH_MS,
  TRUNK_EVENTS_BATCHES_MAX,
  TRUNK_EVENTS_CREDIT_BYTES,
  TRUNK_EVENTS_RETRY_LATER_MS,
  TRUNK_EVENTS_RETRY_MS,
  TRUNK_ORIGINS_MAX,
  TRUNK_SYNC_LOST_MAX,
} from '../../config/limits.ts'
import type { EventReader, RoomEvent, VersionVector } from '../../core/conference/index.ts'
import { packPlain } from '../../core/msgpack/index.ts'
import type { LostPlace, SyncMessage } from '../control/index.ts'

/** Events of one origin before the next one has its turn: a long past does not hold up the others' present. */
const TURN_EVENTS = 32

type Taken = Extract<SyncMessage, { type: 'events-taken' }>

/** A batch that the neighbour has not answered yet. */
type Flight = { sizeBytes: number; sentMs: number; lastOf: Map<string, number> }

export type OutboxOptions = {
  log: Pick<EventReader, 'readOrigin'>
  send: (message: SyncMessage) => void
  /** Of the line, without what we put on it; 0 while unknown. */
  rttMs: () => number
}

export class Outbox {
  readonly #options: OutboxOptions
  /** What the neighbour has, will have, or has shown us. */
  readonly #theirs = new Map<string, number>()
  readonly #restsUntilMs = new Map<string, number>()
  readonly #flights = new Map<number, Flight>()
  #lost: LostPlace[] = []
  #isTold = false
  #batchLast = 0
  #batchBytes = 4 * TRUNK_EVENTS_BATCH_BYTES_MIN
  #creditBytes = TRUNK_EVENTS_CREDIT_BYTES
  #flightBytes = 0
  #turn = 0

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Bytes of events that were sent and not answered. */
  get flightBytes(): number {
    return this.#flightBytes
  }

  /** How many events of `ours` the neighbour lacks, those on their way not counted. */
  lagOf(ours: VersionVector): number {
    if (!this.#isTold) return 0
    let lag = 0
    for (const [origin, last] of Object.entries(ours)) {
      lag += Math.max(0, last - (this.#theirs.get(origin) ?? 0))
    }
    return lag
  }

  /** What the neighbour says that it has. False when it names more origins than there may be. */
  onVector(vector: VersionVector, lost: readonly LostPlace[], isLast: boolean): boolean {
    for (const [origin, last] of Object.entries(vector)) this.#theirs.set(origin, last)
    this.#lost = [...this.#lost, ...lost].slice(0, TRUNK_SYNC_LOST_MAX)
    if (isLast) this.#isTold = true
    return this.#theirs.size <= TRUNK_ORIGINS_MAX
  }

  /** The neighbour has shown this event to us, so it needs nothing up to it. False: too many origins. */
  noteShown({ origin, sequence }: LostPlace): boolean {
    if (sequence > (this.#theirs.get(origin) ?? 0)) this.#theirs.set(origin, sequence)
    return this.#theirs.size <= TRUNK_ORIGINS_MAX
  }

  onWanted(creditBytes: number): void {
    this.#creditBytes = Math.min(creditBytes, 16 * TRUNK_EVENTS_CREDIT_BYTES)
  }

  /** False when that batch was never sent. */
  onTaken({ batch, vector, refused }: Taken, nowMs: number): boolean {
    const flight = this.#flights.get(batch)
    if (flight === undefined) return false
    this.#flights.delete(batch)
    this.#flightBytes -= flight.sizeBytes
    this.#adapt(nowMs - flight.sentMs)
    if (refused === null) return true
    const isLong = refused === 'unknown' || refused === 'clock-ahead'
    const restMs = isLong ? TRUNK_EVENTS_RETRY_LATER_MS : TRUNK_EVENTS_RETRY_MS
    for (const [origin, last] of flight.lastOf) {
      const has = vector[origin] ?? 0
      if (has >= last) continue
      this.#theirs.set(origin, has)
      this.#restsUntilMs.set(origin, nowMs + restMs)
    }
    return true
  }

  /** Sends what may be sent of what is missing. */
  pump(ours: VersionVector, nowMs: number): void {
    if (!this.#isTold) return
    while (this.#mayFly()) {
      const batch = this.#fill(ours, nowMs)
      if (batch.events.length === 0) return
      this.#batchLast += 1
      const { events, sizeBytes, lastOf } = batch
      this.#flights.set(this.#batchLast, { sizeBytes, sentMs: nowMs, lastOf })
      this.#flightBytes += sizeBytes
      this.#options.send({ type: 'events', batch: this.#batchLast, events })
    }
  }

  #mayFly(): boolean {
    const bytesMax = Math.min(this.#creditBytes, 2 * this.#batchBytes)
    return this.#flights.size < TRUNK_EVENTS_BATCHES_MAX && this.#flightBytes < bytesMax
  }

  #fill(ours: VersionVector, nowMs: number): Batch {
    const batch = new Batch(this.#batchBytes)
    this.#fillRepairs(batch)
    const origins = Object.keys(ours)
    const begin = this.#turn
    this.#turn += 1
    for (let before = -1; batch.events.length > before && !batch.isFull; ) {
      before = batch.events.length
      for (let step = 0; step < origins.length && !batch.isFull; step += 1) {
        const origin = origins[(begin + step) % origins.length] ?? ''
        if (!this.#isResting(origin, nowMs)) this.#fillFrom(batch, origin, ours[origin] ?? 0)
      }
    }
    return batch
  }

  #isResting(origin: string, nowMs: number): boolean {
    return (this.#restsUntilMs.get(origin) ?? 0) > nowMs
  }

  #fillFrom(batch: Batch, origin: string, last: number): void {
    const after = this.#theirs.get(origin) ?? 0
    if (last <= after) return
    for (const event of this.#options.log.readOrigin(origin, after, TURN_EVENTS)) {
      // What is on disk but not in the vector we were given waits for its turn.
      if (event.sequence > last || !batch.add(event)) return
      batch.lastOf.set(origin, event.sequence)
      this.#theirs.set(origin, event.sequence)
    }
  }

  /** Single events that the neighbour's disk has damaged. */
  #fillRepairs(batch: Batch): void {
    while (this.#lost.length > 0 && !batch.isFull) {
      const place = this.#lost.pop()
      if (place === undefined) return
      const [event] = this.#options.log.readOrigin(place.origin, place.sequence - 1, 1)
      const isIt = event?.sequence === place.sequence && event.type !== 'lost'
      if (isIt) batch.add(event)
    }
  }

  /** Batches that come back at once may be larger; those that stand in a queue make one of the line. */
  #adapt(elapsedMs: number): void {
    const queuedMs = elapsedMs - this.#options.rttMs()
    if (queuedMs < TRUNK_EVENTS_BATCH_MS / 2) this.#batchBytes *= 2
    else if (queuedMs > TRUNK_EVENTS_BATCH_MS) this.#batchBytes /= 2
    this.#batchBytes = Math.max(
      TRUNK_EVENTS_BATCH_BYTES_MIN,
      Math.min(TRUNK_EVENTS_BATCH_BYTES_MAX, this.#batchBytes),
    )
  }
}

/** Events for one message. The first one always fits. */
class Batch {
  readonly events: RoomEvent[] = []
  /** The last event of each origin that is in it to bring the neighbour further. */
  readonly lastOf = new Map<string, number>()
  sizeBytes = 0
  isFull = false
  readonly #bytesMax: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  add(event: RoomEvent): boolean {
    const { length } = packPlain(event)
    this.isFull = this.events.length > 0 && this.sizeBytes + length > this.#bytesMax
    if (this.isFull) return false
    this.events.push(event)
    this.sizeBytes += length
    return true
  }
}
