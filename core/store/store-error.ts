/** What can be wrong with the log as such, and how SQLite's errors map to the causes of the EventStore seam. */

export type StoreErrorCode =
  | 'locked'
  | 'newer-version'
  | 'event-too-large'
  | 'full'
  | 'read-only'
  | 'failed'

/** Thrown when the log cannot be opened; `code` is stable. */
export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, detail: string) {
    super(`event store: ${code}: ${detail}`)
    this.name = 'StoreError'
    this.code = code
  }

  static from(error: unknown, folder: string): StoreError {
    const detail = `${folder}: ${error instanceof Error ? error.message : String(error)}`
    if (primaryCodeOf(error) === SQLITE_BUSY) return new StoreError('locked', detail)
    return new StoreError(causeOfSqliteError(error), detail)
  }
}

const SQLITE_BUSY = 5
const SQLITE_READONLY = 8
const SQLITE_FULL = 13

/** `full` and `read-only` by SQLite's result code or the system's; everything else is `failed`. */
export function causeOfSqliteError(error: unknown): 'full' | 'read-only' | 'failed' {
  const code = primaryCodeOf(error)
  const systemCode = (error as { code?: unknown } | null)?.code
  if (code === SQLITE_FULL || systemCode === 'ENOSPC') return 'full'
  if (code === SQLITE_READONLY || systemCode === 'EROFS') return 'read-only'
  return 'failed'
}

/** SQLite's result code without its extension, or -1. */
export function primaryCodeOf(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code & 0xff : -1
}
