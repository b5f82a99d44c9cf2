/**
 * The tables of the event log and the steps that lead to them. A step is never altered once it has
 * left the house; a new form is a new step. `PRAGMA user_version` counts the steps taken.
 *
 * event       one row per event; `checksum` is the CRC-32 of all other columns (checksum.ts)
 * quarantine  rows whose checksum did not fit, as they were found
 * checkpoint  at most one row per room: its state after the event at (time, origin, sequence)
 * meta        node_id, former_node_ids (JSON), probe
 */
import type { DatabaseSync } from 'node:sqlite'

const STEPS: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE event (
     origin TEXT NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL, room TEXT NOT NULL,
     type TEXT NOT NULL, payload TEXT NOT NULL, checksum INTEGER NOT NULL,
     PRIMARY KEY (origin, sequence)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX event_by_room ON event (room, time, origin, sequence);
   CREATE TABLE quarantine (
     origin, sequence, time, room, type, payload, checksum, found_unix_ms INTEGER NOT NULL
   );`,
  `CREATE TABLE checkpoint (
     room TEXT PRIMARY KEY, time INTEGER NOT NULL, origin TEXT NOT NULL, sequence INTEGER NOT NULL,
     text TEXT NOT NULL, checksum INTEGER NOT NULL
   ) STRICT;`,
]

/** Brings a database of any earlier version to this one; false when it comes from a newer program. */
export function migrate(database: DatabaseSync): boolean {
  const version = Number(database.prepare('PRAGMA user_version').get()!.user_version)
  if (version > STEPS.length) return false
  for (let step = version; step < STEPS.length; step += 1) {
    database.exec(`BEGIN IMMEDIATE; ${STEPS[step]}; PRAGMA user_version = ${step + 1}; COMMIT`)
  }
  return true
}
