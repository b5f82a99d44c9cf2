/** How much of what a link can take is in use, one way. The words say it; the bar is for the eye. */
import type { DirectionStatus } from '../../../relay/status/trunk-status.ts'
import { useOperatorSpeech } from './speech.ts'

export function UsageBar({ way }: { way: DirectionStatus }) {
  const { rate, usage } = useOperatorSpeech()
  const { usedBps, estimateBps } = way
  const share = estimateBps > 0 ? Math.min(1, usedBps / estimateBps) : 0
  return (
    <span class="op-usage">
      <span class="op-usage-words">
        {estimateBps > 0 ? usage(usedBps, estimateBps) : rate(usedBps)}
      </span>
      <svg class="op-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="op-bar-all" width="100" height="6" rx="3" />
        <rect class="op-bar-used" width={Math.round(share * 100)} height="6" rx="3" />
      </svg>
    </span>
  )
}
