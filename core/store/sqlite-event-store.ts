/**
 * The event log in SQLite, implementing the EventStore seam. WAL with synchronous=FULL: a commit
 * returns after fsync, so an acknowledged event survives kill -9 and loss of power alike (with
 * NORMAL the latest commits may vanish with the power). The price of an fsync is shared by all
 * events of a batch. The file is locked exclusively: one node, one folder.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import {
  EVENT_LOG_BYTES_MAX,
  EVENT_PAYLOAD_BYTES_MAX,
  EVENTS_PER_EXCHANGE_MAX,
} from '../../config/limits.ts'
import type {
  AppendResult,
  EventPosition,
  EventStore,
  RoomEvent,
  VersionVector,
} from '../conference/index.ts'
import { type EventRow, eventOfRow, rowOfEvent } from './event-row.ts'
import { inspect } from './inspect.ts'
import { isDatabaseDamaged, salvage } from './salvage.ts'
import { migrate } from './schema.ts'
import { causeOfSqliteError, StoreError } from './store-error.ts'

const FILE_NAME = 'events.sqlite'
const PAGE_ROWS = 500
const PAGE_BYTES = 4_096
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
  /** Idempotent; appends fail and reads are empty afterwards. */
  close(): void
}

/** Opens or makes the log in `folder`. Throws StoreError when it is locked, from a newer program, or cannot be written. */
export function openEventStore(options: EventStoreOptions): SqliteEventStore {
  try {
    return new NodeEventStore(options)
  } catch (error) {
    throw error instanceof StoreError ? error : StoreError.from(error, options.folder)
  }
}

class NodeEventStore implements SqliteEventStore {
  readonly nodeId: string
  readonly formerNodeIds: readonly string[]
  readonly timeLast: number
  readonly report: StoreReport
  readErrorCount = 0
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #probe: StatementSync
  readonly #vector: VersionVector
  readonly #lost: Map<string, { origin: string; sequence: number }>
  #isClosed = false

  constructor(options: EventStoreOptions) {
    const { folder, randomBytes, wallMs, sizeBytesMax = EVENT_LOG_BYTES_MAX } = options
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, FILE_NAME)
    const salvaged = isDatabaseDamaged(path) ? salvage(path, wallMs) : undefined
    this.#database = openDatabase(path)
    if (salvaged) salvaged.copyInto(this.#database)
    this.#database.exec(`PRAGMA max_page_count = ${Math.floor(sizeBytesMax / PAGE_BYTES)}`)
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
    this.#insert = this.#database.prepare(
      `INSERT INTO event (origin, sequence, time, room, type, payload, checksum)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (origin, sequence) DO UPDATE SET time = excluded.time, room = excluded.room,
         type = excluded.type, payload = excluded.payload, checksum = excluded.checksum
       WHERE event.type = 'lost' AND excluded.type <> 'lost'`,
    )
    this.#probe = this.#database.prepare(
      `INSERT INTO meta VALUES ('probe', '1')
       ON CONFLICT DO UPDATE SET value = (value + 1) % 1000`,
    )
  }

  append(events: readonly RoomEvent[]): AppendResult {
    if (this.#isClosed) return { ok: false, cause: 'failed' }
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      if (events.length === 0) this.#probe.run()
      for (const event of events) this.#insertEvent(event)
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#rollBack()
      return { ok: false, cause: causeOfSqliteError(error) }
    }
    for (const { origin, sequence, type } of events) {
      this.#vector[origin] = Math.max(this.#vector[origin] ?? 0, sequence)
      if (type !== 'lost') this.#lost.delete(keyOf({ origin, sequence }))
    }
    return { ok: true }
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

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#database.close()
  }

  /** No rows when the disk cannot be read: a room then misses its past, but the node goes on. */
  #read(sql: string, values: (string | number)[]): EventRow[] {
    if (this.#isClosed) return []
    try {
      return this.#database.prepare(sql).all(...values) as EventRow[]
    } catch {
      this.readErrorCount += 1
      return []
    }
  }

  #insertEvent(event: RoomEvent): void {
    const row = rowOfEvent(event)
    if (Buffer.byteLength(row.payload) > EVENT_PAYLOAD_BYTES_MAX) {
      throw new StoreError('event-too-large', `an event of type ${event.type}`)
    }
    const { origin, sequence, time, room, type, payload, checksum } = row
    this.#insert.run(origin, sequence, time, room, type, payload, checksum)
  }

  #rollBack(): void {
    try {
      // SQLite has already rolled back after some errors.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    } catch {
      // The next BEGIN reports what is wrong.
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

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 })
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('PRAGMA journal_size_limit = 16777216')
  if (!migrate(database)) {
    database.close()
    throw new StoreError('newer-version', path)
  }
  return database
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
