/**
 * The thread that appends to the log: one transaction per batch, in order, and what became of it
 * as the answer. An fsync takes a shared disk up to 50 ms; here it holds up nobody but those who
 * wait for it. Checkpoints of the WAL happen here, too. Entry of a worker thread; nothing to import.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { EVENT_PAYLOAD_BYTES_MAX } from '../../config/limits.ts'
import type { AppendResult, RoomCheckpoint, RoomEvent } from '../conference/index.ts'
import type { AppendSetup, ToAppendThread } from './appender.ts'
import { openDatabase } from './database.ts'
import { checksumOfCheckpoint, rowOfEvent } from './event-row.ts'
import { causeOfSqliteError, StoreError } from './store-error.ts'

class Log {
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #probe: StatementSync
  readonly #keep: StatementSync
  readonly #outdate: StatementSync

  constructor({ path, pageCountMax }: AppendSetup) {
    this.#database = openDatabase(path)
    this.#database.exec(`PRAGMA max_page_count = ${pageCountMax}`)
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
    this.#keep = this.#database.prepare(
      'INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#outdate = this.#database.prepare(
      'DELETE FROM checkpoint WHERE room = ? AND (time, origin, sequence) >= (?, ?, ?)',
    )
  }

  /** Throws what SQLite throws, and then nothing of the batch is kept. */
  append(events: readonly RoomEvent[]): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      if (events.length === 0) this.#probe.run()
      for (const event of events) this.#insertEvent(event)
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  /** Throws what SQLite throws. */
  keep(checkpoint: RoomCheckpoint): void {
    const { room, last, text } = checkpoint
    const checksum = checksumOfCheckpoint(checkpoint)
    this.#keep.run(room, last.time, last.origin, last.sequence, text, checksum)
  }

  close(): void {
    this.#database.close()
  }

  #insertEvent(event: RoomEvent): void {
    const row = rowOfEvent(event)
    if (Buffer.byteLength(row.payload) > EVENT_PAYLOAD_BYTES_MAX) {
      throw new StoreError('event-too-large', `an event of type ${event.type}`)
    }
    const { origin, sequence, time, room, type, payload, checksum } = row
    this.#insert.run(origin, sequence, time, room, type, payload, checksum)
    // A checkpoint after it was made without it.
    this.#outdate.run(room, time, origin, sequence)
  }

  #rollBack(): void {
    try {
      // SQLite has already rolled back after some errors.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    } catch {
      // The next BEGIN reports what is wrong.
    }
  }
}

const port = parentPort!
let log: Log | undefined

function append(events: readonly RoomEvent[]): AppendResult {
  try {
    log ??= new Log(workerData as AppendSetup)
    log.append(events)
    return { ok: true }
  } catch (error) {
    return { ok: false, cause: causeOfSqliteError(error) }
  }
}

function keep(checkpoint: RoomCheckpoint): void {
  try {
    log ??= new Log(workerData as AppendSetup)
    log.keep(checkpoint)
  } catch {
    // Without it the room is read from its beginning.
  }
}

port.on('message', (message: ToAppendThread) => {
  switch (message.type) {
    case 'append':
      port.postMessage(append(message.events))
      break
    case 'keep':
      keep(message.checkpoint)
      break
    case 'close':
      log?.close()
      port.close()
  }
})
