/**
 * When the file as such is damaged (a flipped bit in a page's structure, a torn header): it is put
 * aside, never deleted, and every sound row that can still be read goes into a new one.
 */
import { existsSync, renameSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type EventRow, isSound } from './event-row.ts'
import { primaryCodeOf } from './store-error.ts'

const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

export type Salvage = {
  /** Where the damaged file is now. */
  path: string
  /** Copies what can be read; never throws because of the damaged side. */
  copyInto: (target: DatabaseSync) => void
}

/** Whether SQLite finds fault with the file's structure; false when there is none. Throws when it cannot be opened. */
export function isDatabaseDamaged(path: string): boolean {
  if (!existsSync(path)) return false
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    return database.prepare('PRAGMA quick_check(1)').get()?.quick_check !== 'ok'
  } catch (error) {
    const code = primaryCodeOf(error)
    if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return true
    throw error
  } finally {
    database?.close()
  }
}

/** Puts the damaged file (with its write-ahead log) aside under a name with `wallMs`. */
export function salvage(path: string, wallMs: number): Salvage {
  const aside = `${path}.damaged-${wallMs}`
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  }
  return { path: aside, copyInto: (target) => copyReadable(aside, target) }
}

function copyReadable(path: string, target: DatabaseSync): void {
  const insertEvent = target.prepare('INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?)')
  const insertMeta = target.prepare('INSERT OR IGNORE INTO meta VALUES (?, ?)')
  target.exec('BEGIN')
  readWhatCan(path, 'SELECT key, value FROM meta', (row) => {
    insertMeta.run(String(row.key), String(row.value))
  })
  // From both ends, so that a damaged page in the middle costs only what stands on it.
  for (const direction of ['ASC', 'DESC']) {
    const sql = `SELECT * FROM event ORDER BY origin ${direction}, sequence ${direction}`
    readWhatCan(path, sql, (row) => {
      if (!isSound(row as EventRow)) return
      const { origin, sequence, time, room, type, payload, checksum } = row as Record<
        string,
        string
      >
      insertEvent.run(origin!, sequence!, time!, room!, type!, payload!, checksum!)
    })
  }
  target.exec('COMMIT')
}

function readWhatCan(
  path: string,
  sql: string,
  take: (row: Record<string, unknown>) => void,
): void {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    for (const row of database.prepare(sql).iterate()) take(row)
  } catch {
    // What lies behind the damage is read from the other end.
  } finally {
    database?.close()
  }
}
