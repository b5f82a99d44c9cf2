/**
 * Which relay one is on, and how its link to the server above fares: a sign with words, and the truth when it is cut.
 */
import { moderates, type UpstreamLink } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { duration } from '../i18n/index.ts'
import { useNowMs, useStore } from '../store.ts'
import { linkFigures, linkText, moderatorText, nodeName, upstreamName } from '../upstream-text.ts'
import { Icon } from './icons.tsx'
import { MarkSign } from './quality-mark.tsx'

const useLink = (model: CallModel): UpstreamLink | undefined =>
  useStore(model.store, (state) => state.conference.upstream)

/** In the head of the call; nothing on a core. */
export function RelaySign({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const link = useLink(model)
  if (link === undefined) return null
  const words = `${t('relay.on', { node: nodeName(link, t) })}. ${linkText(link, t)}`
  return (
    <button
      type="button"
      class="overall relay"
      data-testid="relay"
      data-state={link.state}
      data-mark={link.mark}
      aria-label={words}
      title={words}
      onClick={() => model.togglePanel('statistics')}
    >
      <Icon name={link.state === 'island' ? 'cut' : 'relay'} />
      <span class="overall-word relay-name">{nodeName(link, t)}</span>
      <MarkSign mark={link.mark} />
    </button>
  )
}

/** In the panel of the link: a sentence and figures. */
export function LinkAbove({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const link = useLink(model)
  if (link === undefined) return null
  return (
    <section class="link-above" data-testid="link-above">
      <h3>{t('relay.on', { node: nodeName(link, t) })}</h3>
      <p class="quality-line">
        <MarkSign mark={link.mark} />
        <span>
          {linkText(link, t)} <Age link={link} />
        </span>
      </p>
      {link.state === 'connected' ? <p class="hint">{linkFigures(link, t)}</p> : null}
    </section>
  )
}

function Age({ link }: { link: UpstreamLink }) {
  const nowMs = useNowMs(true)
  if (link.state === 'connected') return null
  return <span>({duration(nowMs - link.sinceMs)})</span>
}

/** While the relay decides for itself. */
export function IslandBanner({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const link = useLink(model)
  const chair = useStore(model.store, (state) => moderates(state.conference))
  const moderator = useStore(model.store, (state) => moderatorText(state.conference, t))
  const nowMs = useNowMs(link?.state === 'island')
  if (link?.state !== 'island') return null
  const upstream = upstreamName(link, t)
  return (
    <section class="banner island" data-testid="island-banner" role="alert">
      <Icon name="cut" />
      <div class="banner-text" aria-live="off">
        <p class="banner-main">
          {t('relay.island', { upstream, time: duration(nowMs - link.sinceMs) })}
        </p>
        {moderator === '' ? null : (
          <p class="banner-next" data-testid="island-moderator">
            {moderator}
          </p>
        )}
        <p class="banner-next">{t('relay.islandText', { node: nodeName(link, t) })}</p>
      </div>
      {chair ? (
        <button
          type="button"
          class="button"
          data-testid="try-upstream"
          onClick={() => void model.tryUpstream()}
        >
          {t('relay.now')}
        </button>
      ) : null}
    </section>
  )
}
