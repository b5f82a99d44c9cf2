/** The truth about the connection, instead of a reload: how long it is gone, what happens next, and a button. */
import { useState } from 'preact/hooks'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { duration } from '../i18n/index.ts'
import { useNowMs, useStore } from '../store.ts'
import { IslandBanner } from './link-above.tsx'

export function Banner({ model }: { model: CallModel }) {
  const phase = useStore(model.store, (state) => state.conference.phase)
  const media = useStore(model.store, (state) => state.conference.media)
  const trouble = phase === 'live' && (media === 'interrupted' || media === 'lost')
  if (phase === 'reconnecting' || phase === 'joining') return <LostBanner model={model} />
  return trouble ? <MediaBanner key={media} /> : <IslandBanner model={model} />
}

function LostBanner({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const { phase, phaseSinceMs, attempt, nextAttemptAtMs } = useStore(
    model.store,
    (state) => state.conference,
  )
  const nowMs = useNowMs(true)
  // The first attempt to join needs no alarm.
  if (phase === 'joining' && attempt === 0) return null
  const seconds = Math.ceil((nextAttemptAtMs - nowMs) / 1_000)
  return (
    <section class="banner" data-testid="banner" role="alert">
      <div aria-live="off">
        <p class="banner-main">{t('banner.lost', { time: duration(nowMs - phaseSinceMs) })}</p>
        <p class="banner-next">
          {seconds > 0
            ? t('banner.next', { attempt, seconds })
            : t('banner.trying', { attempt: Math.max(1, attempt) })}
        </p>
      </div>
      <button
        type="button"
        class="button"
        data-testid="reconnect-now"
        onClick={() => model.conference.reconnectNow()}
      >
        {t('banner.now')}
      </button>
    </section>
  )
}

function MediaBanner() {
  const { t } = useSpeech()
  const nowMs = useNowMs(true)
  const sinceMs = useSince()
  return (
    <section class="banner" data-testid="media-banner" role="status">
      <p class="banner-main" aria-live="off">
        {t('banner.media', { time: duration(nowMs - sinceMs) })}
      </p>
    </section>
  )
}

const useSince = (): number => {
  const [since] = useState(() => Date.now())
  return since
}
