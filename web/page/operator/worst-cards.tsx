/** Where to look first: the worst relays by name, place and trouble. */
import { MarkSign } from './mark-sign.tsx'
import { useOperatorSpeech } from './speech.ts'
import type { RelayRow } from './tree.ts'
import { troubleText, worstText } from './trouble-text.ts'

const CARDS_MAX = 3

type WorstProps = {
  worst: readonly RelayRow[]
  relayCount: number
  nowMs: number
  onSelect: (nodeId: string) => void
}

export function WorstCards({ worst, relayCount, nowMs, onSelect }: WorstProps) {
  const { t, count } = useOperatorSpeech()
  if (worst.length === 0) {
    return (
      <p class="op-well" data-testid="all-well">
        <MarkSign mark="green" />
        {t('worst.none', { count: count(relayCount) })}
      </p>
    )
  }
  const rest = worst.length - CARDS_MAX
  return (
    <section class="op-worst" aria-labelledby="op-worst-title">
      <h2 id="op-worst-title">
        {t('worst.title')}
        {rest > 0 ? (
          <small class="op-worst-more">{t('worst.more', { count: count(rest) })}</small>
        ) : null}
      </h2>
      <ol>
        {worst.slice(0, CARDS_MAX).map((row) => (
          <WorstCard key={row.relay.nodeId} row={row} nowMs={nowMs} onSelect={onSelect} />
        ))}
      </ol>
    </section>
  )
}

function WorstCard({
  row: { relay, path },
  nowMs,
  onSelect,
}: {
  row: RelayRow
  nowMs: number
  onSelect: (nodeId: string) => void
}) {
  const speech = useOperatorSpeech()
  const { nodeId, name, mark, troubles } = relay
  const [, next] = troubles
  return (
    <li>
      <button
        type="button"
        class={`op-card ${mark}`}
        data-testid="worst"
        onClick={() => onSelect(nodeId)}
      >
        <MarkSign mark={mark} />
        <span class="op-card-words">
          <span class="op-card-path">{path.join(' › ')}</span>
          <strong>{name}</strong>
          <span class="only-heard">{speech.t(`mark.${mark}`)}: </span>
          <span class="op-card-trouble">{worstText(relay, nowMs, speech)}</span>
          {next === undefined ? null : (
            <span class="op-card-next">{troubleText(relay, { trouble: next, nowMs }, speech)}</span>
          )}
        </span>
      </button>
    </li>
  )
}
