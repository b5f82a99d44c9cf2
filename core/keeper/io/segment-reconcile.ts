/**
 * Brings files and index together at start, after whatever ended the node before: files that the index does not know
 * are read, checked and taken in (or set aside), entries without a file go. Reads nothing of what both know.
 */
import type { SegmentEntry, SegmentHash } from '../contract.ts'
import { hashOf, readSegmentHead } from '../segment-format.ts'
import { SegmentFiles } from './segment-files.ts'
import { entryFrom, type SegmentTable } from './segment-table.ts'

export type Reconciled = { known: number; found: number; missing: number; damaged: number }

export async function reconcile({
  files,
  table,
  storedMs,
}: {
  files: SegmentFiles
  table: SegmentTable
  /** Unix ms; of those that are taken in. */
  storedMs: number
}): Promise<Reconciled> {
  const result = { known: 0, found: 0, missing: 0, damaged: 0 }
  for (const prefix of SegmentFiles.prefixes()) {
    const indexed = table.hashesFrom(prefix)
    const found: SegmentEntry[] = []
    for (const hash of await files.list(prefix)) {
      if (indexed.delete(hash)) {
        result.known += 1
        continue
      }
      const entry = await entryOf(files, hash, storedMs)
      if (entry !== undefined) found.push(entry)
      else {
        await files.setAside(hash)
        result.damaged += 1
      }
    }
    if (found.length > 0) table.insert(found)
    if (indexed.size > 0) table.delete([...indexed])
    result.found += found.length
    result.missing += indexed.size
  }
  table.prune()
  return result
}

async function entryOf(
  files: SegmentFiles,
  hash: SegmentHash,
  storedMs: number,
): Promise<SegmentEntry | undefined> {
  const bytes = await files.read(hash)
  const head = hashOf(bytes) === hash ? readSegmentHead(bytes) : undefined
  return head === undefined
    ? undefined
    : entryFrom(head, { hash, sizeBytes: bytes.length, storedMs })
}
