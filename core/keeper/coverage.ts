/** Which parts of a time range the segments of one track cover. Pure. */
import type { SegmentEntry, TimeRange } from './contract.ts'

/** Shorter holes are differences of clocks, not missing media. */
const HOLE_MS_MIN = 100

type Piece = Pick<
  SegmentEntry,
  'origin' | 'chainMs' | 'sequence' | 'startMs' | 'durationMs' | 'gapBefore' | 'incomplete'
>

/** What is not covered, in order. `pieces` are of one track, in any order, those around the range included. */
export function missingIn(
  range: TimeRange,
  pieces: readonly Piece[],
  { allowIncomplete = false } = {},
): TimeRange[] {
  const holes: TimeRange[] = []
  let atMs = range.fromMs
  for (const { fromMs, toMs } of coveredBy(pieces, allowIncomplete)) {
    if (fromMs >= range.toMs) break
    if (fromMs - atMs >= HOLE_MS_MIN) holes.push({ fromMs: atMs, toMs: fromMs })
    atMs = Math.max(atMs, toMs)
  }
  // A range that is itself shorter is missing when nothing of it is there.
  const restMsMin = Math.min(HOLE_MS_MIN, range.toMs - range.fromMs)
  if (restMsMin > 0 && range.toMs - atMs >= restMsMin) {
    holes.push({ fromMs: atMs, toMs: range.toMs })
  }
  return holes
}

/** By their beginnings; they may overlap. */
function coveredBy(pieces: readonly Piece[], allowIncomplete: boolean): TimeRange[] {
  const ordered = [...pieces].sort(
    (one, other) =>
      compareText(one.origin, other.origin) ||
      one.chainMs - other.chainMs ||
      one.sequence - other.sequence,
  )
  const ranges: TimeRange[] = []
  for (const [index, piece] of ordered.entries()) {
    const before = ordered[index - 1]
    const { startMs, durationMs } = piece
    // Nothing was sent between two that follow each other without a gap: silence is kept, too.
    if (before !== undefined && follows(before, piece)) {
      ranges.push({ fromMs: before.startMs + before.durationMs, toMs: startMs })
    }
    if (allowIncomplete || !piece.incomplete) {
      ranges.push({ fromMs: startMs, toMs: startMs + durationMs })
    }
  }
  return ranges.sort((one, other) => one.fromMs - other.fromMs)
}

function follows(before: Piece, piece: Piece): boolean {
  const isNext = before.chainMs === piece.chainMs && before.sequence + 1 === piece.sequence
  return isNext && before.origin === piece.origin && !piece.gapBefore
}

function compareText(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
