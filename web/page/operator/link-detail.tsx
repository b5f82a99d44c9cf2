/** One link in full: figures of both ways, what is left out and why, and its last ten minutes. */
import { useEffect, useRef } from 'preact/hooks'
import type {
  DirectionStatus,
  LinkHistory,
  LinkStatus,
  Mark,
  StreamStatus,
} from '../../../relay/status/trunk-status.ts'
import { Icon } from '../components/icons.tsx'
import { HistoryPlots } from './history-plots.tsx'
import { MarkSign } from './mark-sign.tsx'
import { useOperatorSpeech } from './speech.ts'
import { StreamTable } from './stream-table.tsx'
import { shedText, type Troubled, troubleText } from './trouble-text.ts'

/** What is shown: a relay below, or the link above. */
export type Shown = Troubled & {
  nodeId: string
  name: string
  version: string
  state: 'connected' | 'lost'
  mark: Mark
  link: LinkStatus
  path: readonly string[]
  sites?: number
  sitesBelow?: number
  streams?: StreamStatus[]
}

type DetailProps = {
  shown: Shown
  history: LinkHistory | undefined
  nowMs: number
  /** Whether a person has just asked for it, so that the focus goes there. */
  takesFocus: boolean
  onBack: () => void
}

export function LinkDetail({ shown, history, nowMs, takesFocus, onBack }: DetailProps) {
  const speech = useOperatorSpeech()
  const { t, span, count, ms } = speech
  const heading = useRef<HTMLHeadingElement>(null)
  const { nodeId, name, mark, state, sinceMs, version, path, link, troubles } = shown
  useEffect(() => {
    if (takesFocus) heading.current?.focus()
  }, [takesFocus, nodeId])
  const ago = span(nowMs - sinceMs)
  return (
    <section
      class="op-detail"
      data-testid="detail"
      data-node={nodeId}
      aria-label={t('detail.label', { name })}
    >
      <button type="button" class="button small op-back" data-testid="back" onClick={onBack}>
        {t('detail.back')}
      </button>
      <header class="op-detail-head">
        <p class="op-card-path">{path.join(' › ')}</p>
        <h2 ref={heading} tabIndex={-1}>
          <MarkSign mark={mark} />
          {name}
        </h2>
        <p class={`op-mark-words ${mark}`}>
          <strong>{t(`mark.${mark}`)}</strong>
          {' · '}
          {t(state === 'lost' ? 'detail.lost' : 'detail.connected', { ago })}
        </p>
        <ul class="op-troubles">
          {troubles.map((trouble) => (
            <li key={trouble}>{troubleText(shown, { trouble, nowMs }, speech)}</li>
          ))}
        </ul>
        <dl class="op-facts">
          <Fact name={t('detail.version')} value={version} />
          <Fact name={t('detail.rtt')} value={state === 'lost' ? '–' : ms(link.rttMs)} />
          {shown.sites === undefined ? null : (
            <Fact name={t('detail.sites')} value={count(shown.sites)} />
          )}
          {shown.sitesBelow === undefined ? null : (
            <Fact name={t('detail.sitesBelow')} value={count(shown.sitesBelow)} />
          )}
        </dl>
      </header>
      {state === 'lost' ? <p class="hint">{t('detail.old')}</p> : null}
      <div class="op-ways">
        <Way title={t('detail.down')} arrow="down" way={link.down} />
        <Way title={t('detail.up')} arrow="up" way={link.up} />
      </div>
      <HistoryPlots history={history} link={link} />
      {shown.streams === undefined || shown.streams.length === 0 ? null : (
        <StreamTable streams={shown.streams} />
      )}
    </section>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

type WayProps = { title: string; arrow: 'down' | 'up'; way: DirectionStatus }

function Way({ title, arrow, way }: WayProps) {
  const speech = useOperatorSpeech()
  const { t, rate, percent, ms } = speech
  return (
    <section class="op-way">
      <h3>
        <svg class="op-arrow" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
          <path d={arrow === 'down' ? 'M12 4v15M6 13l6 6 6-6' : 'M12 20V5M6 11l6-6 6 6'} />
        </svg>
        {title}
      </h3>
      <dl class="op-facts">
        <Fact name={t('detail.used')} value={rate(way.usedBps)} />
        <Fact
          name={t('detail.estimate')}
          value={way.estimateBps > 0 ? rate(way.estimateBps) : '–'}
        />
        <Fact name={t('detail.loss')} value={percent(way.lossRatio)} />
        <Fact name={t('detail.residual')} value={percent(way.residualRatio)} />
        <Fact name={t('detail.queue')} value={ms(way.queueDelayMs)} />
      </dl>
      <h4>{t('detail.shed')}</h4>
      {way.shed.length === 0 ? (
        <p class="op-shed-none">{t('detail.shedNone')}</p>
      ) : (
        <ul class="op-shed" data-testid="shed">
          {way.shed.map((entry) => {
            const { what, why } = shedText(entry, speech)
            const key = `${entry.class} ${entry.mode} ${entry.reason}`
            return (
              <li key={key} class={entry.reason}>
                <Icon name={entry.reason === 'pre-empted' ? 'emergency' : 'cut'} />
                <span>
                  {what}
                  <small>{why}</small>
                </span>
              </li>
            )
          })}
        </ul>
      )}
    </section>
  )
}
