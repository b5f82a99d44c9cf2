/** The operator's page: the tree of relays live, the worst first. */
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { TrunkStatus } from '../../../relay/status/trunk-status.ts'
import { Icon } from '../components/icons.tsx'
import { Logo } from '../components/logo.tsx'
import { firstLanguage, keepLanguage } from '../first-language.ts'
import type { Language } from '../i18n/index.ts'
import { findToken } from '../token.ts'
import { type Feed, useFeed } from './feed.ts'
import { LinkDetail, type Shown } from './link-detail.tsx'
import { MarkSign } from './mark-sign.tsx'
import { OperatorGate } from './operator-gate.tsx'
import { RelayTable } from './relay-table.tsx'
import { createSpeech, OperatorSpeech, useOperatorSpeech } from './speech.ts'
import { countMarks, type RelayRow, rowsOf, troubledRows, worstRows } from './tree.ts'
import { WorstCards } from './worst-cards.tsx'

/** After so long without an answer the figures are called old. */
const STALE_MS = 6_000
/** The row of the relay whose details are shown. */
const SELECTED = '.op-name[aria-pressed="true"]'

const tokenInAddress = (): string | undefined => findToken(location.hash)

export function OperatorApp() {
  const [language, setLanguage] = useState<Language>(firstLanguage)
  const [token, setToken] = useState(tokenInAddress)
  const [isRefused, setRefused] = useState(false)
  const speech = useMemo(
    () => createSpeech(language, () => setLanguage((now) => (now === 'vi' ? 'en' : 'vi'))),
    [language],
  )
  useEffect(() => keepLanguage(language), [language])
  useEffect(() => {
    const onHash = (): void => setToken(tokenInAddress())
    addEventListener('hashchange', onHash)
    return () => removeEventListener('hashchange', onHash)
  }, [])
  const enter = (pasted: string): void => {
    setRefused(false)
    setToken(pasted)
    history.replaceState(null, '', `#token=${pasted}`)
  }
  return (
    <OperatorSpeech.Provider value={speech}>
      {token === undefined || isRefused ? (
        <Frame status={undefined} note={null}>
          <OperatorGate isRefused={isRefused} onToken={enter} />
        </Frame>
      ) : (
        <Overview token={token} onRefused={() => setRefused(true)} />
      )}
    </OperatorSpeech.Provider>
  )
}

/** What a person has chosen: nothing yet means the worst. */
type Choice = { nodeId: string | undefined; isOpen: boolean }

function Overview({ token, onRefused }: { token: string; onRefused: () => void }) {
  const { t } = useOperatorSpeech()
  const [choice, setChoice] = useState<Choice>({ nodeId: undefined, isOpen: false })
  const [shownId, setShownId] = useState<string | undefined>(undefined)
  const feed = useFeed(token, shownId)
  const { status, failure } = feed
  useEffect(() => {
    if (failure === 'refused') onRefused()
  }, [failure])
  const rows = useMemo(() => (status === undefined ? [] : rowsOf(status)), [status])
  const shown = status === undefined ? undefined : shownOf(status, rows, choice.nodeId)
  useEffect(() => setShownId(shown?.nodeId), [shown?.nodeId])
  useEffect(() => {
    if (status !== undefined) document.title = t('document', { node: status.node.name })
  }, [status?.node.name, t])
  const select = (nodeId: string): void => setChoice({ nodeId, isOpen: true })
  const close = (): void => {
    setChoice((before) => ({ ...before, isOpen: false }))
    // On a phone the list was hidden meanwhile.
    requestAnimationFrame(() => document.querySelector<HTMLElement>(SELECTED)?.focus())
  }
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && choice.isOpen) close()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [choice.isOpen])
  if (status === undefined) {
    return (
      <Frame status={undefined} note={null}>
        <p class="op-empty" role="status">
          {t(failure === 'none' ? 'noTrunk' : failure === undefined ? 'loading' : 'unreachable')}
        </p>
      </Frame>
    )
  }
  const known = status.history?.nodeId === shown?.nodeId ? status.history : null
  return (
    <Frame status={status} note={<FeedNote feed={feed} />}>
      <div class={`op-layout${choice.isOpen ? ' open' : ''}`}>
        <TreePanel status={status} rows={rows} selected={shown?.nodeId} onSelect={select} />
        {shown === undefined ? null : (
          <LinkDetail
            key={shown.nodeId}
            shown={shown}
            history={known ?? undefined}
            nowMs={status.nowMs}
            takesFocus={choice.isOpen}
            onBack={close}
          />
        )}
      </div>
    </Frame>
  )
}

type TreeProps = {
  status: TrunkStatus
  rows: readonly RelayRow[]
  selected: string | undefined
  onSelect: (nodeId: string) => void
}

function TreePanel({ status, rows, selected, onSelect }: TreeProps) {
  const { t, count } = useOperatorSpeech()
  const [isTroubleOnly, setTroubleOnly] = useState(false)
  const worst = worstRows(rows)
  const { nowMs, relaysOmitted, upstream } = status
  return (
    <div class="op-tree">
      {upstream === null ? null : (
        <button
          type="button"
          class={`op-upstream ${upstream.mark}`}
          data-testid="upstream"
          onClick={() => onSelect(upstream.nodeId)}
        >
          <MarkSign mark={upstream.mark} />
          {t('tree.above')}: <strong>{upstream.name}</strong>
        </button>
      )}
      {rows.length === 0 ? (
        <p class="op-empty">{t('noRelays')}</p>
      ) : (
        <>
          <WorstCards worst={worst} relayCount={rows.length} nowMs={nowMs} onSelect={onSelect} />
          <div class="op-bar-row">
            <Counts rows={rows} />
            <fieldset class="op-filter">
              <legend class="only-heard">{t('filter.label')}</legend>
              {[false, true].map((only) => (
                <button
                  key={String(only)}
                  type="button"
                  class="button small"
                  aria-pressed={isTroubleOnly === only}
                  data-testid={only ? 'filter-trouble' : 'filter-all'}
                  onClick={() => setTroubleOnly(only)}
                >
                  {t(only ? 'filter.trouble' : 'filter.all')}
                </button>
              ))}
            </fieldset>
          </div>
          <RelayTable
            rows={isTroubleOnly ? troubledRows(rows) : rows}
            nowMs={nowMs}
            selected={selected}
            onSelect={onSelect}
          />
        </>
      )}
      {relaysOmitted > 0 ? (
        <p class="hint">{t('omitted', { count: count(relaysOmitted) })}</p>
      ) : null}
    </div>
  )
}

function Counts({ rows }: { rows: readonly RelayRow[] }) {
  const { t, count } = useOperatorSpeech()
  const counts = countMarks(rows)
  return (
    <div role="status">
      <ul class="op-counts" data-testid="counts">
        {(['red', 'amber', 'green'] as const).map((mark) => (
          <li key={mark} class={counts[mark] === 0 ? 'none' : mark}>
            <MarkSign mark={mark} />
            {t(`count.${mark}`, { count: count(counts[mark]) })}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Whether the figures are of now. */
function FeedNote({ feed: { failure, atMs } }: { feed: Feed }) {
  const { t, span } = useOperatorSpeech()
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  const isStale = failure !== undefined && nowMs - atMs > STALE_MS
  return (
    <p class={isStale ? 'op-note stale' : 'op-note'} role={isStale ? 'alert' : undefined}>
      <span class="op-pulse" aria-hidden="true" />
      {isStale ? t('stale', { ago: span(nowMs - atMs) }) : t('now')}
    </p>
  )
}

type FrameProps = {
  status: TrunkStatus | undefined
  note: ComponentChildren
  children: ComponentChildren
}

function Frame({ status, note, children }: FrameProps) {
  const { t, count, switchLanguage } = useOperatorSpeech()
  return (
    <div class="op">
      <a class="skip" href="#content">
        {t('skip')}
      </a>
      <header class="op-header">
        <Logo />
        <div class="op-title">
          <h1>{t('title')}</h1>
          {status === undefined ? null : (
            <p>
              {t('here', { node: status.node.name, version: status.node.version })}
              {' · '}
              {t('sitesHere', { count: count(status.node.sitesBelow) })}
            </p>
          )}
        </div>
        {note}
        <button
          type="button"
          class="button quiet language"
          data-testid="language"
          aria-label={`${t('switch')}: ${t('switchLabel')}`}
          onClick={switchLanguage}
        >
          <Icon name="globe" />
          <span>{t('switch')}</span>
        </button>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </div>
  )
}

/** The link that the details are about: the chosen one, else the worst, else the first, else the one above. */
function shownOf(
  status: TrunkStatus,
  rows: readonly RelayRow[],
  chosen: string | undefined,
): Shown | undefined {
  const { upstream, node } = status
  const isAbove = upstream !== null && (chosen === upstream.nodeId || rows.length === 0)
  if (isAbove) return { ...upstream, path: [node.name] }
  const row = rows.find(({ relay }) => relay.nodeId === chosen) ?? worstRows(rows)[0] ?? rows[0]
  return row === undefined ? undefined : { ...row.relay, path: row.path }
}
