/**
 * The look over the whole log at start: every row's checksum, every origin's numbers. A damaged row
 * goes to quarantine and a `lost` event takes its place; so does a number that is missing. Either
 * is repaired when another node sends its copy.
 */
import type { DatabaseSync } from 'node:sqlite'
import { parseEvent, type VersionVector } from '../conference/index.ts'
import { type EventRow, isSound, lostEventAt, rowOfEvent } from './event-row.ts'

/** How far behind the last sound event of an origin a damaged row is believed where it says it stands. */
const TAIL_EVENTS_MAX = 1_000

export type Inspection = {
  eventCount: number
  vector: VersionVector
  timeLast: number
  lost: { origin: string; sequence: number }[]
  /** Rows put into quarantine by this look. */
  damagedCount: number
}

type Place = { origin: string; sequence: number; time: number }

/** Reads and mends the log; throws what SQLite throws. */
export function inspect(database: DatabaseSync, wallMs: number): Inspection {
  const found: Inspection = { eventCount: 0, vector: {}, timeLast: 0, lost: [], damagedCount: 0 }
  const damaged: EventRow[] = []
  const missing: Place[] = []
  // As text, since a damaged integer may be too large to be read as a number.
  const rows = database.prepare(
    `SELECT origin, CAST(sequence AS TEXT) AS sequence, CAST(time AS TEXT) AS time, room, type,
       payload, CAST(checksum AS TEXT) AS checksum FROM event ORDER BY event.origin, event.sequence`,
  )
  for (const row of rows.iterate() as Iterable<EventRow>) {
    if (isSound(row)) noteSound(row, found, missing)
    else damaged.push(row)
  }
  for (const row of damaged) noteDamagedTail(row, found, missing)
  found.damagedCount = damaged.length
  database.exec('BEGIN IMMEDIATE')
  quarantine(database, damaged, wallMs)
  mend(database, missing)
  // Checkpoints may hold what is lost now: the state of a room is that of the events it has.
  if (damaged.length + missing.length > 0) database.exec('DELETE FROM checkpoint')
  database.exec('COMMIT')
  for (const { origin, sequence } of missing) found.lost.push({ origin, sequence })
  return found
}

function noteSound(row: EventRow, found: Inspection, missing: Place[]): void {
  const origin = String(row.origin)
  const sequence = Number(row.sequence)
  const time = Number(row.time)
  for (let gap = (found.vector[origin] ?? 0) + 1; gap < sequence; gap += 1) {
    missing.push({ origin, sequence: gap, time })
  }
  found.eventCount += 1
  found.vector[origin] = sequence
  found.timeLast = Math.max(found.timeLast, time)
  if (row.type === 'lost') found.lost.push({ origin, sequence })
}

/** Damage in the middle shows as a gap; at the end only the damaged row itself tells that there was more. */
function noteDamagedTail(row: EventRow, found: Inspection, missing: Place[]): void {
  const origin = String(row.origin)
  const sequence = Number(row.sequence)
  const last = found.vector[origin]
  if (last === undefined || !(sequence > last && sequence <= last + TAIL_EVENTS_MAX)) return
  for (let gap = last + 1; gap <= sequence; gap += 1)
    missing.push({ origin, sequence: gap, time: 0 })
  found.vector[origin] = sequence
}

function quarantine(database: DatabaseSync, rows: readonly EventRow[], wallMs: number): void {
  const insert = database.prepare('INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const remove = database.prepare(
    'DELETE FROM event WHERE origin = ? AND sequence = CAST(? AS INTEGER)',
  )
  for (const row of rows) {
    const { origin, sequence, time, room, type, payload, checksum } = row as Record<string, string>
    // By the same text that was read, so that any value finds its row.
    insert.run(origin!, sequence!, time!, room!, type!, payload!, checksum!, wallMs)
    remove.run(origin!, sequence!)
  }
}

function mend(database: DatabaseSync, places: readonly Place[]): void {
  const insert = database.prepare('INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)')
  for (const place of places) {
    const lost = lostEventAt(place)
    if (parseEvent(lost) === undefined) continue
    const { origin, sequence, time, room, type, payload, checksum } = rowOfEvent(lost)
    insert.run(origin, sequence, time, room, type, payload, checksum)
  }
}
