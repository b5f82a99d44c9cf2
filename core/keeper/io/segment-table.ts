/**
 * The index of the segments on disk: SQLite in WAL mode, one writer (the keeper thread), one reader (the main
 * thread). It says nothing that the files do not say: when it is lost or damaged it is made again from them, so its
 * commits do not wait for the disk.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  KEEPER_BLOCK_BYTES,
  SEGMENT_MS_MAX,
  SEGMENTS_PER_LIST_MAX,
} from '../../../config/limits.ts'
import type { SourceUse } from '../../media/control.ts'
import type {
  KeptTrack,
  SegmentEntry,
  SegmentHash,
  SegmentHead,
  SegmentQuery,
  TimeRange,
} from '../contract.ts'

const VERSION = 1
const BUSY_MS = 100

const SCHEMA = `
  CREATE TABLE track (
    id INTEGER PRIMARY KEY, room TEXT NOT NULL, participant TEXT NOT NULL, use TEXT NOT NULL, origin TEXT NOT NULL,
    UNIQUE (room, participant, use, origin)
  );
  CREATE TABLE segment (
    hash TEXT NOT NULL UNIQUE, track INTEGER NOT NULL, chain_ms INTEGER NOT NULL, sequence INTEGER NOT NULL,
    start_ms REAL NOT NULL, end_ms REAL NOT NULL, ages_ms REAL NOT NULL, charged INTEGER NOT NULL, facts TEXT NOT NULL,
    UNIQUE (track, chain_ms, sequence)
  );
  CREATE INDEX segment_time ON segment (track, start_ms);
  CREATE INDEX segment_age ON segment (ages_ms);
  PRAGMA user_version = ${VERSION};
`

const COLUMNS = `hash, room, participant, use, origin, chain_ms AS chainMs, sequence, start_ms AS startMs, facts`
const JOINED = `segment JOIN track ON track.id = segment.track`
const TRACK = `room = ? AND participant = ? AND use = ?`
const ORDER = `start_ms, participant, use, origin, chain_ms, sequence`

/** What an entry says beside its columns; kept as JSON, since nobody searches by it. */
type Facts = Omit<
  SegmentEntry,
  'hash' | 'room' | 'participant' | 'use' | 'origin' | 'chainMs' | 'sequence' | 'startMs'
>

type Row = Record<string, SQLInputValue>

/** Bytes that a file takes on the disk. */
export function chargeOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / KEEPER_BLOCK_BYTES) * KEEPER_BLOCK_BYTES
}

/** Opens or makes the index for writing; throws what SQLite throws, and when another version made it. */
export function openSegmentTable(path: string): SegmentTable {
  const database = new DatabaseSync(path, { timeout: BUSY_MS })
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = NORMAL')
    database.exec('PRAGMA journal_size_limit = 16777216')
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version === 0) database.exec(SCHEMA)
    else if (version !== VERSION) throw new Error(`index of version ${version}`)
    const check = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
    if (check !== 'ok') throw new Error('index is damaged')
    return new SegmentTable(database)
  } catch (error) {
    database.close()
    throw error
  }
}

/** For reading beside the writer. */
export function readSegmentTable(path: string): SegmentTable {
  return new SegmentTable(new DatabaseSync(path, { timeout: BUSY_MS, readOnly: true }))
}

/** Every method may throw what SQLite throws. */
export class SegmentTable {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  /** All or none. Those that are there already stay as they are. */
  insert(entries: readonly SegmentEntry[]): void {
    this.#transact(() => {
      for (const entry of entries) this.#insert(entry)
    })
  }

  delete(hashes: readonly SegmentHash[]): void {
    this.#transact(() => {
      for (const hash of hashes) this.#run('DELETE FROM segment WHERE hash = ?', hash)
    })
  }

  /** Tracks without a segment. */
  prune(): void {
    this.#run('DELETE FROM track WHERE id NOT IN (SELECT DISTINCT track FROM segment)')
  }

  totals(): { segmentCount: number; chargedBytes: number; oldestMs: number } {
    const row = this.#get(
      'SELECT count(*) AS count, coalesce(sum(charged), 0) AS bytes, coalesce(min(ages_ms), 0) AS oldest FROM segment',
    )
    const { count, bytes, oldest } = row!
    return { segmentCount: Number(count), chargedBytes: Number(bytes), oldestMs: Number(oldest) }
  }

  /** Those that leave first. */
  oldest(limit: number): SegmentEntry[] {
    return this.#all(`SELECT ${COLUMNS} FROM ${JOINED} ORDER BY ages_ms LIMIT ?`, limit)
  }

  oldestMs(): number {
    return Number(
      this.#get('SELECT coalesce(min(ages_ms), 0) AS oldest FROM segment')?.['oldest'] ?? 0,
    )
  }

  hashesFrom(prefix: string): Set<SegmentHash> {
    const rows = this.#prepare('SELECT hash FROM segment WHERE hash >= ? AND hash < ?').all(
      prefix,
      `${prefix}g`,
    )
    return new Set(rows.map((row) => String(row['hash'])))
  }

  get(hash: SegmentHash): SegmentEntry | undefined {
    return this.#all(`SELECT ${COLUMNS} FROM ${JOINED} WHERE hash = ?`, hash)[0]
  }

  /** At a place of a chain. */
  at(chain: KeptTrack & { origin: string; chainMs: number }, sequence: number) {
    const { room, participant, use, origin, chainMs } = chain
    return this.#all(
      `SELECT ${COLUMNS} FROM ${JOINED} WHERE ${TRACK} AND origin = ? AND chain_ms = ? AND sequence = ?`,
      ...[room, participant, use, origin, chainMs, sequence],
    )[0]
  }

  /** The newest of a chain, or of the newest chain of a track and node. */
  tail(chain: KeptTrack & { origin: string; chainMs?: number }): SegmentEntry | undefined {
    const { room, participant, use, origin, chainMs } = chain
    const isOfChain = chainMs === undefined ? '' : 'AND chain_ms = ?'
    return this.#all(
      `SELECT ${COLUMNS} FROM ${JOINED} WHERE ${TRACK} AND origin = ? ${isOfChain} ORDER BY chain_ms DESC, sequence DESC LIMIT 1`,
      ...[room, participant, use, origin],
      ...(chainMs === undefined ? [] : [chainMs]),
    )[0]
  }

  list(query: SegmentQuery): SegmentEntry[] {
    const { fromMs, toMs, limit = SEGMENTS_PER_LIST_MAX } = query
    const names = (['room', 'participant', 'use', 'origin'] as const).filter(
      (name) => query[name] !== undefined,
    )
    const which = names.map((name) => `${name} = ?`).join(' AND ')
    return this.#all(
      `SELECT ${COLUMNS} FROM ${JOINED} WHERE ${which} AND start_ms >= ? AND start_ms < ? AND end_ms > ?
       ORDER BY ${ORDER} LIMIT ?`,
      ...names.map((name) => query[name]!),
      ...[fromMs - SEGMENT_MS_MAX, toMs, fromMs, Math.min(limit, SEGMENTS_PER_LIST_MAX)],
    )
  }

  /** Of each node that recorded the track, the last one before the range and the first one after it. */
  around({ room, participant, use, fromMs, toMs }: KeptTrack & TimeRange): SegmentEntry[] {
    const ids = this.#prepare(`SELECT id FROM track WHERE ${TRACK}`).all(room, participant, use)
    return ids.flatMap(({ id }) => [
      ...this.#all(
        `SELECT ${COLUMNS} FROM ${JOINED} WHERE track = ? AND start_ms < ? ORDER BY start_ms DESC LIMIT 1`,
        ...[id as number, fromMs],
      ),
      ...this.#all(
        `SELECT ${COLUMNS} FROM ${JOINED} WHERE track = ? AND start_ms >= ? ORDER BY start_ms LIMIT 1`,
        ...[id as number, toMs],
      ),
    ])
  }

  tracks({ room, fromMs, toMs }: TimeRange & { room: string }): KeptTrack[] {
    const rows = this.#prepare(
      `SELECT DISTINCT participant, use FROM track WHERE room = ? AND EXISTS (SELECT 1 FROM segment
       WHERE track = track.id AND start_ms >= ? AND start_ms < ? AND end_ms > ?) ORDER BY participant, use`,
    ).all(room, fromMs - SEGMENT_MS_MAX, toMs, fromMs)
    return rows.map((row) => ({
      room,
      participant: String(row['participant']),
      use: row['use'] as SourceUse,
    }))
  }

  rooms(): (TimeRange & { room: string })[] {
    const rows = this.#prepare(
      `SELECT room, min(start_ms) AS fromMs, max(end_ms) AS toMs FROM ${JOINED} GROUP BY room ORDER BY room`,
    ).all()
    return rows.map((row) => ({
      room: String(row['room']),
      fromMs: Number(row['fromMs']),
      toMs: Number(row['toMs']),
    }))
  }

  #insert(entry: SegmentEntry): void {
    const { hash, room, participant, use, origin, chainMs, sequence, startMs, ...facts } = entry
    const names = [room, participant, use, origin]
    this.#run(
      'INSERT INTO track (room, participant, use, origin) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ...names,
    )
    this.#run(
      `INSERT INTO segment SELECT ?, id, ?, ?, ?, ?, ?, ?, ? FROM track WHERE ${TRACK} AND origin = ?
       ON CONFLICT DO NOTHING`,
      ...[hash, chainMs, sequence, startMs, startMs + facts.durationMs],
      ...[Math.min(startMs, facts.storedMs), chargeOf(facts.sizeBytes), JSON.stringify(facts)],
      ...names,
    )
  }

  #transact(act: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      act()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#prepare(sql).run(...values)
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined
  }

  #all(sql: string, ...values: SQLInputValue[]): SegmentEntry[] {
    return this.#prepare(sql)
      .all(...values)
      .map((row) => entryOf(row as Row))
  }
}

function entryOf({ facts, ...columns }: Row): SegmentEntry {
  return {
    ...(columns as Omit<SegmentEntry, keyof Facts>),
    ...(JSON.parse(String(facts)) as Facts),
  }
}

/** The entry of a segment that came onto the disk at Unix `storedMs`. */
export function entryFrom(
  head: SegmentHead,
  file: { hash: SegmentHash; sizeBytes: number; storedMs: number },
): SegmentEntry {
  return { ...head, ...file }
}
