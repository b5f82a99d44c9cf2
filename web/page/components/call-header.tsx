/** The head of the call: room, lock, how many, the link as a whole. */
import { overallQuality } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { useStore } from '../store.ts'
import { Icon } from './icons.tsx'
import { RelaySign } from './link-above.tsx'
import { Logo } from './logo.tsx'
import { MarkSign } from './quality-mark.tsx'
import { LanguageSwitch } from './shell.tsx'

export function CallHeader({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const room = useStore(model.store, (state) => state.conference.room)
  const locked = useStore(model.store, (state) => state.conference.locked)
  const emergency = useStore(model.store, (state) => state.conference.emergency)
  const counts = useStore(model.store, (state) => state.conference.counts)
  return (
    <header class="call-header">
      <Logo />
      <div class="call-title">
        <h1 data-testid="room">{room}</h1>
        <p class="counts" data-testid="counts">
          <span data-testid="count-stage">{t('call.onStage', { count: counts.stage })}</span>
          <span aria-hidden="true"> · </span>
          <span data-testid="count-audience">
            {t('call.listening', { count: counts.audience })}
          </span>
        </p>
      </div>
      {emergency ? (
        <span class="pill emergency" data-testid="emergency-sign">
          <Icon name="emergency" />
          <span>{t('call.emergency')}</span>
        </span>
      ) : null}
      {locked ? (
        <span class="pill" data-testid="locked">
          <Icon name="lock" />
          <span>{t('call.locked')}</span>
        </span>
      ) : null}
      <RelaySign model={model} />
      <OverallMark model={model} />
      <LanguageSwitch />
    </header>
  )
}

function OverallMark({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const quality = useStore(model.store, (state) => state.conference.quality)
  const live = useStore(model.store, (state) => state.conference.phase === 'live')
  const connected = useStore(model.store, (state) => state.conference.media === 'connected')
  const slots = useStore(model.store, (state) => state.slots)
  const tiles = new Set(slots.filter((slot) => slot.use === 'tile').map((slot) => slot.mid))
  const mark = live && connected ? overallQuality(quality, tiles).mark : 'red'
  return (
    <button
      type="button"
      class="overall"
      data-testid="overall-quality"
      data-mark={mark}
      aria-label={`${t('control.statistics')}: ${t(`quality.${mark}`)}`}
      onClick={() => model.togglePanel('statistics')}
    >
      <MarkSign mark={mark} />
      <span class="overall-word">{t(`quality.${mark}`)}</span>
    </button>
  )
}
