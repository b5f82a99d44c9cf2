/**
 * Connections to the log's file: one thread appends (append-thread.ts), the main thread reads beside it,
 * which WAL lets them do without waiting for each other. `synchronous=FULL`: a commit returns after
 * fsync, so an acknowledged event survives kill -9 and loss of power alike (with NORMAL the latest
 * commits may vanish with the power).
 */
import { DatabaseSync } from 'node:sqlite'
import { migrate } from './schema.ts'
import { StoreError } from './store-error.ts'

export const PAGE_BYTES = 4_096

/** Readers and the one writer never wait in WAL; only who opens the file may have to. */
const BUSY_MS = 100

/** Opens or makes the log. Throws StoreError when a newer program wrote it, else what SQLite throws. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_MS })
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('PRAGMA journal_size_limit = 16777216')
  if (!migrate(database)) {
    database.close()
    throw new StoreError('newer-version', path)
  }
  return database
}

export type FolderLock = { release: () => void }

/**
 * One node, one folder: holds a lock, which the kernel lets go when the process ends in whatever way.
 * Throws what SQLite throws, BUSY when another node has it.
 */
export function lockFolder(path: string): FolderLock {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    // Nothing is ever written, so nothing needs a journal on a disk that may be full.
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw error
  }
  return { release: () => database.close() }
}
