/**
 * The stage on disk as the keeper thread has it: files and their index, written in batches, held
 * within their bounds, checked when read. Nothing is in the index, told as stored, or answered as
 * put before it is fsynced. What the disk refuses is kept in memory up to a bound and tried again;
 * nobody who sends media waits for it.
 */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { KEEPER_FILES_AT_ONCE, KEEPER_RETRY_MS } from '../../../config/limits.ts'
import type {
  KeeperHealth,
  PutOutcome,
  ReadOutcome,
  SegmentEntry,
  SegmentHash,
  SegmentQuery,
  StorageFault,
} from '../contract.ts'
import { hashOf, readSegmentHead, writeSegment } from '../segment-format.ts'
import { type ChainPlace, chainConflict, chainPlaceOf } from './segment-chain.ts'
import { faultOf, SegmentFiles } from './segment-files.ts'
import { type QueuedDraft, SegmentQueue, trackKey } from './segment-queue.ts'
import { reconcile } from './segment-reconcile.ts'
import { type RingBounds, SegmentRing } from './segment-ring.ts'
import { chargeOf, entryFrom, openSegmentTable, type SegmentTable } from './segment-table.ts'

export type SegmentDiskOptions = {
  folder: string
  /** Id of this node. */
  origin: string
  bounds: RingBounds
  now: () => { nowMs: number; wallMs: number }
  onStored: (entries: SegmentEntry[]) => void
  onDropped: (entries: SegmentEntry[]) => void
  onDamaged: (entry: SegmentEntry) => void
  onHealth: (health: KeeperHealth) => void
  /** Something that the operator should read. */
  onNote: (level: 'info' | 'warn' | 'error', message: string, fields: object) => void
}

type Tail = { chainMs: number; sequence: number; hash: SegmentHash }
type Sealed = { entry: SegmentEntry; bytes: Uint8Array; from?: QueuedDraft; put?: Put }
type Put = { bytes: Uint8Array<ArrayBuffer>; hash?: SegmentHash; resolve: (o: PutOutcome) => void }

/** Segments of one batch: so many are sealed in memory at a time. */
const BATCH_COUNT_MAX = 256

export const INDEX_FILE = 'index.sqlite'

export class SegmentDisk {
  readonly queue = new SegmentQueue()
  readonly counters = { stored: 0, storedBytes: 0, put: 0, dropped: 0, damaged: 0, refusals: 0 }
  readonly #options: SegmentDiskOptions
  readonly #files: SegmentFiles
  readonly #table: SegmentTable
  readonly #ring: SegmentRing
  readonly #tails = new Map<string, Tail>()
  #puts: Put[] = []
  #state: KeeperHealth['state'] = 'storing'
  #sinceMs: number
  #retryMs = Number.NEGATIVE_INFINITY
  #batch: Promise<void> | undefined

  /** Opens folder and index and brings them together; rejects with what the system says. */
  static async open(options: SegmentDiskOptions): Promise<SegmentDisk> {
    const files = new SegmentFiles(options.folder)
    await files.clean()
    const table = openIndex(options)
    const found = await reconcile({ files, table, storedMs: options.now().wallMs })
    const isOdd = found.missing + found.damaged > 0
    options.onNote(isOdd ? 'warn' : 'info', 'segments on disk', found)
    return new SegmentDisk(options, files, table)
  }

  private constructor(options: SegmentDiskOptions, files: SegmentFiles, table: SegmentTable) {
    this.#options = options
    this.#files = files
    this.#table = table
    this.#ring = new SegmentRing({
      files,
      table,
      bounds: options.bounds,
      onDropped: (entries) => {
        this.counters.dropped += entries.length
        options.onDropped(entries)
      },
    })
    this.#sinceMs = options.now().wallMs
  }

  get health(): KeeperHealth {
    const { segmentCount, sizeBytes, oldestMs } = this.#ring
    return { state: this.#state, sinceMs: this.#sinceMs, segmentCount, sizeBytes, oldestMs }
  }

  list(query: SegmentQuery): SegmentEntry[] {
    return this.#table.list(query)
  }

  /** Waits in memory for the next batch. */
  record(one: QueuedDraft): void {
    this.queue.push(one)
  }

  put(bytes: Uint8Array<ArrayBuffer>, hash?: SegmentHash): Promise<PutOutcome> {
    const { promise, resolve } = Promise.withResolvers<PutOutcome>()
    this.#puts.push({ bytes, resolve, ...(hash === undefined ? {} : { hash }) })
    void this.flush()
    return promise
  }

  async read(hash: SegmentHash): Promise<ReadOutcome> {
    const entry = this.#table.get(hash)
    if (entry === undefined) return { ok: false, reason: 'unknown' }
    try {
      const bytes = await this.#files.read(hash)
      if (hashOf(bytes) === hash) return { ok: true, bytes }
    } catch (error) {
      const { code } = error as { code?: unknown }
      // What is gone, or cannot be read from the medium, is as good as altered.
      if (code !== 'ENOENT' && code !== 'EIO') return { ok: false, reason: 'failed' }
    }
    await this.#setAside(entry)
    return { ok: false, reason: 'damaged' }
  }

  /** Writes what waits, unless a batch is on its way or the disk has just refused. Never rejects. */
  flush({ isLast = false } = {}): Promise<void> {
    if (this.#batch !== undefined) return this.#batch
    const isEarly = this.#options.now().nowMs < this.#retryMs && this.#puts.length === 0
    if (isEarly && !isLast) return Promise.resolve()
    this.#batch = this.#writeBatch()
      .catch((error: unknown) => this.#refused(error))
      .finally(() => {
        this.#batch = undefined
        // Who puts waits for the disk, not for a timer.
        if (this.#puts.length > 0) void this.flush()
      })
    return this.#batch
  }

  /** Writes all that waits, as far as the disk takes it. */
  async close(): Promise<void> {
    await this.#batch
    let before = Number.POSITIVE_INFINITY
    while (
      this.queue.count + this.#puts.length > 0 &&
      this.queue.count + this.#puts.length < before
    ) {
      before = this.queue.count + this.#puts.length
      await this.flush({ isLast: true })
    }
    this.#table.close()
  }

  // ---- a batch ----

  async #writeBatch(): Promise<void> {
    const puts = this.#puts
    this.#puts = []
    const drafts = this.queue.peek(BATCH_COUNT_MAX)
    const sealed = [...this.#seal(drafts), ...this.#check(puts)]
    const wantedBytes = sealed.reduce((sum, { bytes }) => sum + chargeOf(bytes.length), 0)
    try {
      await this.#ring.makeRoom(wantedBytes, this.#options.now().wallMs)
      if (sealed.length > 0) await this.#write(sealed)
      // An empty batch has proved nothing about the disk.
      if (sealed.length > 0 || this.#state === 'storing') this.#become('storing')
    } catch (error) {
      for (const { put } of sealed) put?.resolve({ ok: false, reason: faultOf(error) })
      throw error
    }
  }

  /** Gives drafts their places in their chains, one after the other. */
  #seal(drafts: readonly QueuedDraft[]): Sealed[] {
    const tails = new Map<string, Tail | undefined>()
    const { wallMs } = this.#options.now()
    const sealed: Sealed[] = []
    for (const one of drafts) {
      const { track, draft } = one
      const key = trackKey(track)
      const isFirst = !tails.has(key)
      const tail = isFirst ? this.#tailOf(one) : tails.get(key)
      const { origin } = this.#options
      const startMs = Math.max(0, draft.startMs)
      const place =
        tail === undefined
          ? { chainMs: Math.floor(startMs), sequence: 0, previous: '' }
          : { chainMs: tail.chainMs, sequence: tail.sequence + 1, previous: tail.hash }
      const isBroken = isFirst && this.queue.isBroken(track)
      const gapBefore = draft.gapBefore || isBroken
      const bytes = sealedBytes({ ...draft, ...track, ...place, origin, startMs, gapBefore })
      const head = bytes === undefined ? undefined : readSegmentHead(bytes)
      if (bytes === undefined || head === undefined) {
        // A bound does not hold: names of this room or frames of this size cannot be kept.
        this.queue.done([one])
        this.queue.lose(one)
        continue
      }
      const hash = hashOf(bytes)
      tails.set(key, { chainMs: place.chainMs, sequence: place.sequence, hash })
      const entry = entryFrom(head, { hash, sizeBytes: bytes.length, storedMs: wallMs })
      sealed.push({ entry, bytes, from: one })
    }
    return sealed
  }

  #tailOf({ track }: QueuedDraft): Tail | undefined {
    const key = trackKey(track)
    const known = this.#tails.get(key)
    if (known !== undefined) return known
    const { room, participant, use } = track
    return this.#table.tail({ room, participant, use, origin: this.#options.origin })
  }

  /** Answers those that cannot be taken; the others go with the batch. */
  #check(puts: readonly Put[]): Sealed[] {
    const { wallMs } = this.#options.now()
    const batch = new Map<string, ChainPlace>()
    const sealed: Sealed[] = []
    for (const put of puts) {
      const { bytes } = put
      const hash = hashOf(bytes)
      const head = readSegmentHead(bytes)
      const refuse = (
        reason: StorageFault | 'malformed' | 'wrong-hash' | 'wrong-chain' | 'too-old',
      ) => put.resolve({ ok: false, reason })
      const known = this.#table.get(hash)
      if (put.hash !== undefined && put.hash !== hash) refuse('wrong-hash')
      else if (head === undefined) refuse('malformed')
      else if (known !== undefined) put.resolve({ ok: true, state: 'known', entry: known })
      else if (this.#ring.isTooOld(head.startMs, wallMs)) refuse('too-old')
      else if (chainConflict(this.#table, batch, { head, hash })) refuse('wrong-chain')
      else {
        batch.set(chainPlaceOf(head, head.sequence), { hash, previous: head.previous })
        const entry = entryFrom(head, { hash, sizeBytes: bytes.length, storedMs: wallMs })
        sealed.push({ entry, bytes, put })
      }
    }
    return sealed
  }

  /** All or nothing, as far as anybody is told. */
  async #write(sealed: readonly Sealed[]): Promise<void> {
    const files = this.#files
    const byHash = new Map(sealed.map((one) => [one.entry.hash, one]))
    try {
      // Those of a track one after the other: a crash leaves a beginning of the chain, not pieces of it.
      const tracks = Map.groupBy(byHash.values(), ({ entry }) => trackKey(entry))
      await eachOf([...tracks.values()], async (those) => {
        for (const { entry, bytes } of those) await files.write(entry.hash, bytes)
      })
      await files.syncNames([...byHash.keys()].map((hash) => SegmentFiles.prefixOf(hash)))
      this.#table.insert([...byHash.values()].map(({ entry }) => entry))
    } catch (error) {
      await eachOf([...byHash.keys()], (hash) => files.remove(hash).catch(() => undefined))
      throw error
    }
    const entries = [...byHash.values()].map(({ entry }) => entry)
    this.#ring.added(entries)
    this.#noteWritten(sealed)
    this.#options.onStored(entries)
    for (const { put, entry } of sealed) put?.resolve({ ok: true, state: 'stored', entry })
  }

  #noteWritten(sealed: readonly Sealed[]): void {
    const written: QueuedDraft[] = []
    for (const { entry, from } of sealed) {
      const { chainMs, sequence, hash, sizeBytes } = entry
      if (from === undefined) {
        this.counters.put += 1
        continue
      }
      written.push(from)
      this.#tails.set(trackKey(entry), { chainMs, sequence, hash })
      this.queue.mended(entry)
      this.counters.stored += 1
      this.counters.storedBytes += sizeBytes
    }
    this.queue.done(written)
  }

  // ---- what goes wrong ----

  async #setAside(entry: SegmentEntry): Promise<void> {
    this.counters.damaged += 1
    try {
      await this.#files.setAside(entry.hash)
    } catch {
      // It is gone already, or the disk takes nothing: out of the index it goes all the same.
    }
    try {
      this.#table.delete([entry.hash])
      this.#ring.removed([entry])
    } catch (error) {
      this.#refused(error)
    }
    const { hash, room, participant, use, origin } = entry
    this.#options.onNote('error', 'a segment was damaged on disk: set aside', {
      ...{ hash, room, participant, use, origin },
    })
    this.#options.onDamaged(entry)
  }

  #refused(error: unknown): void {
    this.counters.refusals += 1
    this.#retryMs = this.#options.now().nowMs + KEEPER_RETRY_MS
    const fault = faultOf(error)
    if (this.#state !== fault) {
      const why = error instanceof Error ? error.message : String(error)
      this.#options.onNote('error', 'the stage is not stored', { fault, why })
    }
    this.#become(fault)
  }

  #become(state: KeeperHealth['state']): void {
    if (this.#state === state) return
    if (state === 'storing') {
      const { lost } = this.queue
      this.#options.onNote('info', 'the stage is stored again', { lostSegments: lost })
    }
    this.#state = state
    this.#sinceMs = this.#options.now().wallMs
    this.#options.onHealth(this.health)
  }
}

/** An index that cannot be used is made again from the files. */
function openIndex({ folder, onNote }: SegmentDiskOptions): SegmentTable {
  const path = join(folder, INDEX_FILE)
  try {
    return openSegmentTable(path)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    onNote('warn', 'the index of the segments is made again', { why })
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    return openSegmentTable(path)
  }
}

function sealedBytes(
  contents: Parameters<typeof writeSegment>[0],
): Uint8Array<ArrayBuffer> | undefined {
  try {
    return writeSegment(contents)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Runs so many at a time as may be open at once; waits for all of them, then rejects with the first error. */
async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const errors: unknown[] = []
  const lane = async (): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      const item = items[next++]!
      await act(item).catch((error: unknown) => errors.push(error))
    }
  }
  await Promise.all(Array.from({ length: KEEPER_FILES_AT_ONCE }, lane))
  if (errors.length > 0) throw errors[0]
}
