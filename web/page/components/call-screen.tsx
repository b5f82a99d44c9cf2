/** The call: head, stage, side panel, controls. Holds the keyboard and the announcements. */
import { useEffect, useRef } from 'preact/hooks'
import type { CallModel, Panel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import type { Shortcut } from '../shortcuts.ts'
import { shortcutOf, takesText } from '../shortcuts.ts'
import { useStore } from '../store.ts'
import { Banner } from './banner.tsx'
import { CallHeader } from './call-header.tsx'
import { ChatPanel } from './chat-panel.tsx'
import { Controls } from './controls.tsx'
import { HelpPanel } from './help-panel.tsx'
import { Logo } from './logo.tsx'
import { Notices } from './notices.tsx'
import { PeoplePanel } from './people-panel.tsx'
import { PollBanner, PollsPanel } from './polls-panel.tsx'
import { SettingsPanel } from './settings-panel.tsx'
import { SidePanel } from './side-panel.tsx'
import { Sound } from './sound.tsx'
import { Stage } from './stage.tsx'
import { StatisticsPanel } from './statistics-panel.tsx'

export function CallScreen({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const joined = useStore(model.store, (state) => state.conference.me !== undefined)
  const panel = useStore(model.store, (state) => state.panel)
  const room = useStore(model.store, (state) => state.conference.room)
  useShortcuts(model)
  useWakeLock()
  useEffect(() => {
    if (room !== '') document.title = t('app.title', { room })
  }, [t, room])
  return (
    <div class={`call ${panel === 'none' ? '' : 'with-panel'}`} data-testid="call">
      <a class="skip" href="#controls">
        {t('control.bar')}
      </a>
      <CallHeader model={model} />
      <div class="banners">
        <Banner model={model} />
        <PollBanner model={model} />
      </div>
      <main class="call-body" aria-label={t('call.region')}>
        {joined ? <Stage model={model} /> : <Joining model={model} />}
        {panel === 'none' ? null : <OpenPanel panel={panel} model={model} />}
      </main>
      <Notices model={model} />
      <Controls model={model} />
      <Sound model={model} />
      <Announcer model={model} />
    </div>
  )
}

function Joining({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const attempt = useStore(model.store, (state) => state.conference.attempt)
  return (
    <section class="stage joining" role="status" data-testid="joining">
      <Logo />
      <h1>{t('lobby.joining')}</h1>
      {attempt > 0 ? <p>{t('call.joiningText')}</p> : null}
    </section>
  )
}

function OpenPanel({ panel, model }: { panel: Exclude<Panel, 'none'>; model: CallModel }) {
  const close = (): void => model.togglePanel(panel)
  return (
    <SidePanel panel={panel} onClose={close}>
      {panel === 'chat' ? <ChatPanel model={model} /> : null}
      {panel === 'people' ? <PeoplePanel model={model} /> : null}
      {panel === 'polls' ? <PollsPanel model={model} /> : null}
      {panel === 'statistics' ? <StatisticsPanel model={model} /> : null}
      {panel === 'settings' ? <SettingsPanel model={model} /> : null}
      {panel === 'help' ? <HelpPanel /> : null}
    </SidePanel>
  )
}

/** One polite voice for everything that a screen reader should say. */
function Announcer({ model }: { model: CallModel }) {
  const announcement = useStore(model.store, (state) => state.announcement)
  return (
    <p class="only-heard" aria-live="polite" data-testid="announcer">
      {announcement}
    </p>
  )
}

const perform = (shortcut: Shortcut, model: CallModel): void => {
  switch (shortcut) {
    case 'microphone':
      void model.toggleMicrophone()
      return
    case 'camera':
      void model.toggleCamera()
      return
    case 'screen':
      void model.toggleScreen()
      return
    case 'hand':
      void model.toggleHand()
      return
    case 'follow':
      model.choose(null)
      return
    case 'escape': {
      const { panel } = model.store.get()
      if (panel !== 'none') model.togglePanel(panel)
      return
    }
    default:
      model.togglePanel(shortcut)
  }
}

const useShortcuts = (model: CallModel): void => {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      // A dialog or an open menu has the keyboard for itself.
      if (document.querySelector('dialog[open]') !== null) return
      const { key, ctrlKey, altKey, metaKey, repeat } = event
      const inField = takesText(event.target)
      const shortcut = shortcutOf({ key, ctrlKey, altKey, metaKey, repeat, inField })
      if (shortcut === undefined) return
      event.preventDefault()
      perform(shortcut, model)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [model])
}

/** A phone that goes dark in the middle of a consultation helps nobody. */
const useWakeLock = (): void => {
  const lock = useRef<WakeLockSentinel | undefined>(undefined)
  useEffect(() => {
    let gone = false
    const request = async (): Promise<void> => {
      if (document.visibilityState !== 'visible' || navigator.wakeLock === undefined) return
      try {
        const held = await navigator.wakeLock.request('screen')
        if (gone) void held.release()
        else lock.current = held
      } catch {
        // Low battery or a policy: the call goes on, the screen may go dark.
      }
    }
    const onVisible = (): void => void request()
    void request()
    document.addEventListener('visibilitychange', onVisible)
    return () => {
      gone = true
      document.removeEventListener('visibilitychange', onVisible)
      void lock.current?.release().catch(() => {})
    }
  }, [])
}
