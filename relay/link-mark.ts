/** What people are told of a link in one word, by the end that sends over it: only that end knows what it leaves out. Pure. */
import type { TrunkReport } from './trunk/contract.ts'

/** green: all that is wanted crosses; amber: something is left out or smaller; red: no picture, or audio suffers. */
export type LinkMark = 'green' | 'amber' | 'red'

/** Beyond this share of lost media after repair people hear it. */
const RESIDUAL_LOSS_RED = 0.05

export function markFromReport({ streams, lossResidualRatio }: TrunkReport): LinkMark {
  let mark: LinkMark = 'green'
  if (lossResidualRatio > RESIDUAL_LOSS_RED) return 'red'
  for (const { reason, layerWanted, mode } of streams) {
    const isShed = layerWanted >= 0 && (reason === 'bandwidth' || reason === 'pre-empted')
    if (!isShed) continue
    if (mode === 'off') return 'red'
    mark = 'amber'
  }
  return mark
}
