/**
 * The event log in SQLite, implementing the EventStore seam. This thread opens, mends and reads;
 * a thread of its own appends (appender.ts), so that no fsync holds up a conference. The price of an
 * fsync is shared by all events of a batch.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { EVENT_LOG_BYTES_MAX, EVENTS_PER_EXCHANGE_MAX } from '../../config/limits.ts'
import type {
  AppendResult,
  EventPosition,
  EventStore,
  RoomCheckpoint,
  RoomEvent,
  VersionVector,
} from '../conference/index.ts'
import { Appender } from './appender.ts'
import { type FolderLock, lockFolder, openDatabase, PAGE_BYTES } from './database.ts'
import { checksumOfCheckpoint, type EventRow, eventOfRow } from './event-row.ts'
import { inspect } from './inspect.ts'
import { isDatabaseDamaged, salvage } from './salvage.ts'
import { StoreError } from './store-error.ts'

const FILE_NAME = 'events.sqlite'
const LOCK_NAME = 'events.lock'
const PAGE_ROWS = 500
const NODE_ID_BYTES = 10

/** What opening found and did; anything but zeros and null is for the operator's eyes. */
export type StoreReport = {
  eventCount: number
  /** Events quarantined or missing, waiting for another node's copy. */
  lostCount: number
  /** Where the damaged file was put aside, when the file as such was damaged. */
  salvagedFrom: string | null
}

export type EventStoreOptions = {
  /** Made when missing. */
  folder: string
  /** For the node id on first start. */
  randomBytes: (count: number) => Uint8Array
  /** Names the damaged file and dates the quarantine. */
  wallMs: number
  /** Beyond it appends are refused as `full`; default EVENT_LOG_BYTES_MAX. */
  sizeBytesMax?: number
}

export interface SqliteEventStore extends EventStore {
  readonly report: StoreReport
  /** Reads that the disk has refused since the start. */
  readonly readErrorCount: number
  /** Finishes what is on its way. Idempotent; appends fail and reads are empty afterwards. */
  close(): Promise<void>
}

/**
 * Opens or makes the log in `folder`. Throws StoreError when it is locked, from a newer program, or
 * cannot be written.
 */
export function openEventStore(options: EventStoreOptions): SqliteEventStore {
  let lock: FolderLock | undefined
  try {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    lock = lockFolder(join(options.folder, LOCK_NAME))
    return new NodeEventStore(options, lock)
  } catch (error) {
    lock?.release()
    throw error instanceof StoreError ? error : StoreError.from(error, options.folder)
  }
}

type Row = EventRow & Record<string, unknown>

class NodeEventStore implements SqliteEventStore {
  readonly nodeId: string
  readonly formerNodeIds: readonly string[]
  readonly timeLast: number
  readonly report: StoreReport
  readErrorCount = 0
  readonly #database: DatabaseSync
  readonly #appender: Appender
  readonly #lock: FolderLock
  readonly #vector: VersionVector
  readonly #lost: Map<string, { origin: string; sequence: number }>
  #isClosed = false

  constructor(options: EventStoreOptions, lock: FolderLock) {
    const { folder, randomBytes, wallMs, sizeBytesMax = EVENT_LOG_BYTES_MAX } = options
    const path = join(folder, FILE_NAME)
    this.#lock = lock
    const salvaged = isDatabaseDamaged(path) ? salvage(path, wallMs) : undefined
    this.#database = openDatabase(path)
    if (salvaged) salvaged.copyInto(this.#database)
    const pageCountMax = Math.floor(sizeBytesMax / PAGE_BYTES)
    this.#database.exec(`PRAGMA max_page_count = ${pageCountMax}`)
    const found = inspect(this.#database, wallMs)
    this.#vector = found.vector
    this.#lost = new Map(found.lost.map((place) => [keyOf(place), place]))
    this.timeLast = found.timeLast
    const ids = this.#identify(randomBytes, salvaged !== undefined || found.damagedCount > 0)
    this.nodeId = ids.nodeId
    this.formerNodeIds = ids.former
    this.report = {
      eventCount: found.eventCount,
      lostCount: found.lost.length,
      salvagedFrom: salvaged?.path ?? null,
    }
    this.#appender = new Appender({
      path,
      pageCountMax,
      onDurable: (batch) => this.#noteDurable(batch),
      isOnDisk: (event) => this.#isOnDisk(event),
    })
  }

  append(events: readonly RoomEvent[]): Promise<AppendResult> {
    return this.#appender.append(events)
  }

  keep(checkpoint: RoomCheckpoint): void {
    this.#appender.keep(checkpoint)
  }

  versionVector(): VersionVector {
    return { ...this.#vector }
  }

  *readRoom(room: string, after?: EventPosition): Iterable<RoomEvent> {
    let place = after ?? { time: -1, origin: '', sequence: 0 }
    for (;;) {
      const rows = this.#read(
        `SELECT * FROM event WHERE room = ? AND (time, origin, sequence) > (?, ?, ?)
         ORDER BY time, origin, sequence LIMIT ${PAGE_ROWS}`,
        [room, place.time, place.origin, place.sequence],
      )
      for (const row of rows) {
        const event = eventOfRow(row)
        if (event !== undefined) yield event
      }
      if (rows.length < PAGE_ROWS) return
      const { time, origin, sequence } = rows.at(-1) as EventPosition & EventRow
      place = { time, origin, sequence }
    }
  }

  readCheckpoint(room: string): RoomCheckpoint | undefined {
    const [row] = this.#read('SELECT * FROM checkpoint WHERE room = ?', [room])
    if (row === undefined) return undefined
    const { time, origin, sequence } = row as unknown as EventPosition
    const checkpoint = { room, last: { time, origin, sequence }, text: String(row.text) }
    return checksumOfCheckpoint(checkpoint) === row.checksum ? checkpoint : undefined
  }

  readOrigin(origin: string, after: number, limit: number): RoomEvent[] {
    const rows = this.#read(
      'SELECT * FROM event WHERE origin = ? AND sequence > ? ORDER BY sequence LIMIT ?',
      [origin, after, Math.min(limit, EVENTS_PER_EXCHANGE_MAX)],
    )
    const events: RoomEvent[] = []
    for (const row of rows) {
      const event = eventOfRow(row)
      // Damage since the start: what follows would come as a gap.
      if (event === undefined) break
      events.push(event)
    }
    return events
  }

  openRooms(limit: number): string[] {
    // Hops from room to room over the index instead of reading the whole log.
    const rows = this.#read(
      `WITH RECURSIVE named (room) AS (
           SELECT min(room) FROM event WHERE room > ''
           UNION ALL
           SELECT (SELECT min(room) FROM event WHERE room > named.room) FROM named
           WHERE named.room IS NOT NULL
         )
         SELECT room FROM named WHERE room IS NOT NULL AND (
           SELECT type FROM event WHERE event.room = named.room
           ORDER BY time DESC, origin DESC, sequence DESC LIMIT 1
         ) <> 'room-closed' LIMIT ?`,
      [limit],
    )
    return rows.map((row) => String(row.room))
  }

  lostEvents(): { origin: string; sequence: number }[] {
    return [...this.#lost.values()]
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#appender.close()
    this.#database.close()
    this.#lock.release()
  }

  #isOnDisk({ origin, sequence, time }: RoomEvent): boolean {
    const sql = 'SELECT * FROM event WHERE origin = ? AND sequence = ? AND time = ?'
    return this.#read(sql, [origin, sequence, time]).length > 0
  }

  #noteDurable(events: readonly RoomEvent[]): void {
    for (const { origin, sequence, type } of events) {
      this.#vector[origin] = Math.max(this.#vector[origin] ?? 0, sequence)
      if (type !== 'lost') this.#lost.delete(keyOf({ origin, sequence }))
    }
  }

  /** No rows when the disk cannot be read: a room then misses its past, but the node goes on. */
  #read(sql: string, values: (string | number)[]): Row[] {
    if (this.#isClosed) return []
    try {
      return this.#database.prepare(sql).all(...values) as Row[]
    } catch {
      this.readErrorCount += 1
      return []
    }
  }

  /** A damaged log may lack the end of our own events, so their numbers may not be used again. */
  #identify(randomBytes: (count: number) => Uint8Array, isDamaged: boolean) {
    const read = this.#database.prepare('SELECT value FROM meta WHERE key = ?')
    const known = read.get('node_id')?.value as string | undefined
    const former = JSON.parse(String(read.get('former_node_ids')?.value ?? '[]')) as string[]
    if (known !== undefined && !isDamaged) return { nodeId: known, former }
    if (known !== undefined) former.push(known)
    const nodeId = `n${base32Of(randomBytes(NODE_ID_BYTES))}`
    const write = this.#database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)')
    write.run('node_id', nodeId)
    write.run('former_node_ids', JSON.stringify(former))
    return { nodeId, former }
  }
}

function keyOf({ origin, sequence }: { origin: string; sequence: number }): string {
  return `${sequence} ${origin}`
}

/** Five bits a character, enough for an id: 16 characters of 80 bits. */
function base32Of(bytes: Uint8Array): string {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  const digits = value.toString(32).padStart(Math.ceil((bytes.length * 8) / 5), '0')
  return [...digits]
    .map((digit) => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(digit, 32)])
    .join('')
}
