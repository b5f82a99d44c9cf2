/** The tree, one row for each relay. Arrow keys go from row to row; Enter opens the details. */
import type { DirectionStatus } from '../../../relay/status/trunk-status.ts'
import { MarkSign } from './mark-sign.tsx'
import { type Speech, useOperatorSpeech } from './speech.ts'
import type { RelayRow } from './tree.ts'
import { worstText } from './trouble-text.ts'
import { UsageBar } from './usage-bar.tsx'

type TableProps = {
  rows: readonly RelayRow[]
  nowMs: number
  selected: string | undefined
  onSelect: (nodeId: string) => void
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 }

function moveFocus(event: KeyboardEvent): void {
  const step = STEPS[event.key]
  const body = event.currentTarget as HTMLElement
  if (step === undefined) return
  const buttons = [...body.querySelectorAll<HTMLElement>('.op-name')]
  const next = buttons[buttons.indexOf(event.target as HTMLElement) + step]
  if (next === undefined) return
  event.preventDefault()
  next.focus()
}

export function RelayTable({ rows, nowMs, selected, onSelect }: TableProps) {
  const { t } = useOperatorSpeech()
  if (rows.length === 0) return <p class="op-empty">{t('tree.empty')}</p>
  return (
    <table class="op-table" data-testid="relays">
      <caption class="only-heard">{t('tree.caption')}</caption>
      <thead>
        <tr>
          <th scope="col" class="op-head">
            {t('tree.relay')}
          </th>
          <th scope="col" class="op-head">
            {t('tree.state')}
          </th>
          <th scope="col" class="op-head op-number">
            {t('tree.sites')}
          </th>
          <th scope="col" class="op-head">
            {t('tree.down')}
          </th>
          <th scope="col" class="op-head op-up">
            {t('tree.up')}
          </th>
          <th scope="col" class="op-head op-number">
            {t('tree.path')}
          </th>
        </tr>
      </thead>
      <tbody onKeyDown={moveFocus}>
        {rows.map((row) => (
          <RelayLine
            key={row.relay.nodeId}
            row={row}
            nowMs={nowMs}
            isSelected={row.relay.nodeId === selected}
            onSelect={onSelect}
          />
        ))}
      </tbody>
    </table>
  )
}

type LineProps = {
  row: RelayRow
  nowMs: number
  isSelected: boolean
  onSelect: (nodeId: string) => void
}

function RelayLine({ row: { relay, depth, path }, nowMs, isSelected, onSelect }: LineProps) {
  const speech = useOperatorSpeech()
  const { t, count } = speech
  const { nodeId, name, mark, state, version, sites, sitesBelow, link } = relay
  const isLost = state === 'lost'
  return (
    <tr
      class={`op-row ${mark} depth-${Math.min(depth, 4)}${isSelected ? ' selected' : ''}`}
      data-testid="relay"
      data-mark={mark}
      data-state={state}
      onClick={() => onSelect(nodeId)}
    >
      <th scope="row">
        <button
          type="button"
          class="op-name"
          aria-pressed={isSelected}
          onClick={(event) => {
            event.stopPropagation()
            onSelect(nodeId)
          }}
        >
          <MarkSign mark={mark} />
          <span>
            <span class="op-name-text">{name}</span>
            <span class="only-heard">, </span>
            <span class="op-version">{version}</span>
            <span class="only-heard">
              , {t('tree.below', { parent: path.at(-1) ?? '' })}, {t(`mark.${mark}`)}
            </span>
          </span>
        </button>
      </th>
      <td class="op-state">{worstText(relay, nowMs, speech)}</td>
      <td class="op-number op-sites" data-label={t('tree.sites')}>
        {sitesBelow === sites ? count(sites) : `${count(sites)} / ${count(sitesBelow)}`}
      </td>
      <td class="op-down" data-label={t('tree.down')}>
        {isLost ? <Nothing /> : <UsageBar way={link.down} />}
      </td>
      <td class="op-up" data-label={t('tree.up')}>
        {isLost ? <Nothing /> : <UsageBar way={link.up} />}
      </td>
      <td class="op-number" data-label={t('tree.path')}>
        {isLost ? <Nothing /> : pathText(link.down, link.up, { speech, rttMs: link.rttMs })}
      </td>
    </tr>
  )
}

function Nothing() {
  return <span class="op-nothing">–</span>
}

function pathText(
  down: DirectionStatus,
  up: DirectionStatus,
  { speech, rttMs }: { speech: Speech; rttMs: number },
): string {
  const lossRatio = Math.max(down.lossRatio, up.lossRatio)
  return `${speech.percent(lossRatio)} · ${speech.ms(rttMs)}`
}
