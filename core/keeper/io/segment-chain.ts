/**
 * Whether a segment that came from elsewhere fits into its chain: nobody else at its place, and its neighbours agree
 * about hashes.
 */
import type { SegmentHash, SegmentHead } from '../contract.ts'
import type { SegmentTable } from './segment-table.ts'

export type ChainPlace = { hash: SegmentHash; previous: SegmentHash | '' }

/** Names a place of a chain. */
export function chainPlaceOf(head: SegmentHead, sequence: number): string {
  const { origin, room, participant, use, chainMs } = head
  return [origin, room, participant, use, chainMs, sequence].join('\0')
}

/** `batch`: places taken by others that are written with it. */
export function chainConflict(
  table: SegmentTable,
  batch: ReadonlyMap<string, ChainPlace>,
  { head, hash }: { head: SegmentHead; hash: SegmentHash },
): boolean {
  const { sequence, previous } = head
  const at = (place: number): ChainPlace | undefined =>
    batch.get(chainPlaceOf(head, place)) ?? table.at(head, place)
  const same = at(sequence)
  if (same !== undefined && same.hash !== hash) return true
  const before = sequence > 0 ? at(sequence - 1) : undefined
  if (before !== undefined && before.hash !== previous) return true
  const after = at(sequence + 1)
  return after !== undefined && after.previous !== hash
}
