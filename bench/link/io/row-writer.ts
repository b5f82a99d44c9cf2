/**
 * Rows as JSON lines to a file or to standard output, never more than a bounded number of bytes
 * behind.
 */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { EmulatorRow } from './emulator.ts'

const UNWRITTEN_BYTES_MAX = 4 * 1024 * 1024

/** `write` drops rows (counted) while the reader is too far behind, but never the summary. */
export type RowWriter = {
  write: (row: EmulatorRow) => void
  dropped: () => number
  close: () => Promise<void>
}

/** Rejects when the file cannot be written. */
export async function createRowWriter(file: string | undefined): Promise<RowWriter> {
  const stream = file === undefined ? process.stdout : createWriteStream(file)
  if (file !== undefined) await once(stream, 'open')
  let dropped = 0
  // A reader that went away (head, a killed test) must not take the line down.
  stream.on('error', () => {})
  return {
    write: (row) => {
      if (row.event === 'bucket' && stream.writableLength > UNWRITTEN_BYTES_MAX) dropped += 1
      else stream.write(`${JSON.stringify(row)}\n`)
    },
    dropped: () => dropped,
    close: () =>
      new Promise((done) => {
        if (file === undefined) stream.write('', () => done())
        else stream.end(() => done())
      }),
  }
}
