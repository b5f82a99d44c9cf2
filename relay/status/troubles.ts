/** What is wrong with a link, from its figures: codes for people, and a mark by the worst of them. */
import type { DirectionStatus, LinkStatus, Mark, ShedSummary, Trouble } from './trunk-status.ts'
import { TROUBLES } from './trunk-status.ts'

const LOSS_RATIO_HIGH = 0.05
/** After repair: a listener hears it. */
const RESIDUAL_RATIO_HIGH = 0.03
const QUEUE_MS_HIGH = 300
/** A satellite's 600 ms are a nuisance that its people know; more is a trouble. */
const RTT_MS_HIGH = 900
/** Codes up to and with this one make a link red. */
const RED_LAST: Trouble = 'picture-off'

/** Troubles of a connected link, worst first. */
export function troublesOf({ rttMs, down, up }: LinkStatus): Trouble[] {
  const found = new Set<Trouble>()
  for (const direction of [down, up]) {
    addFigures(found, direction)
    for (const entry of direction.shed) {
      found.add(entry.reason === 'pre-empted' ? 'pre-empted' : troubleOfShed(entry))
    }
  }
  if (rttMs > RTT_MS_HIGH) found.add('delay')
  return TROUBLES.filter((trouble) => found.has(trouble))
}

/** By the worst trouble. */
export function markOf(troubles: readonly Trouble[]): Mark {
  const [worst] = troubles
  if (worst === undefined) return 'green'
  return TROUBLES.indexOf(worst) <= TROUBLES.indexOf(RED_LAST) ? 'red' : 'amber'
}

function addFigures(found: Set<Trouble>, direction: DirectionStatus): void {
  if (direction.residualRatio > RESIDUAL_RATIO_HIGH) found.add('unrepaired')
  else if (direction.lossRatio > LOSS_RATIO_HIGH) found.add('loss')
  if (direction.queueDelayMs > QUEUE_MS_HIGH) found.add('queue')
}

function troubleOfShed({ class: name, mode }: ShedSummary): Trouble {
  if (name === 'emergency-audio' || name === 'stage-audio') return 'audio-shed'
  if (name !== 'slides' && name !== 'main-base') return 'tiles-shed'
  if (mode === 'off') return 'picture-off'
  return mode === 'keyframes' ? 'picture-stills' : 'picture-reduced'
}
