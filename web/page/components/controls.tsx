/** The bar at the bottom: everything that a person does in a call, in large buttons with words. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { CallModel, Panel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { canShareScreen } from '../devices.ts'
import { useStore } from '../store.ts'
import type { IconName } from './icons.tsx'
import { Icon } from './icons.tsx'

type ControlProps = {
  icon: IconName
  /** The short word under the sign. */
  word: string
  /** What a press does now. */
  label: string
  testId: string
  /** On a narrow screen it stands in the menu instead. */
  whenWide?: boolean
  tone?: 'on' | 'off' | 'raised' | 'danger' | 'sharing'
  badge?: number
  pressed?: boolean
  expanded?: boolean
  /** Cannot be used now; stays reachable, so that a press can say why. */
  dimmed?: boolean
  onPress: () => void
}

/**
 * The word that one sees is in the name that is spoken, or speech control could not find the button
 * (WCAG 2.5.3).
 */
const nameOf = (word: string, label: string): string =>
  label.startsWith(word) ? label : `${word}: ${label}`

function Control(props: ControlProps) {
  const { icon, word, testId, tone = '', badge = 0, dimmed = false } = props
  const label = nameOf(word, props.label)
  return (
    <button
      type="button"
      class={`control ${tone} ${dimmed ? 'dimmed' : ''} ${props.whenWide ? 'when-wide' : ''}`}
      data-testid={testId}
      aria-label={label}
      title={label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      aria-disabled={dimmed}
      onClick={props.onPress}
    >
      <span class="control-sign">
        <Icon name={icon} />
        {badge > 0 ? (
          <span class="badge" aria-hidden="true">
            {badge > 99 ? '99+' : badge}
          </span>
        ) : null}
      </span>
      <span class="control-word" aria-hidden="true">
        {word}
      </span>
    </button>
  )
}

export function Controls({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  return (
    <footer class="controls" id="controls" tabIndex={-1}>
      <nav class="controls-row" aria-label={t('control.bar')}>
        <MicrophoneControl model={model} />
        <CameraControl model={model} />
        <ScreenControl model={model} />
        <HandControl model={model} />
        <span class="controls-gap" aria-hidden="true" />
        <ChatControl model={model} />
        <PeopleControl model={model} />
        <MoreControl model={model} />
        <Control
          icon="leave"
          word={t('control.leave')}
          label={t('control.leaveLabel')}
          testId="leave"
          tone="danger"
          onPress={() => void model.leave()}
        />
      </nav>
    </footer>
  )
}

/** Before the server has said so, a press is kept for later, so the button is no less of one. */
const usePermitted = (model: CallModel, use: 'microphone' | 'camera'): boolean =>
  useStore(
    model.store,
    ({ selfKnown, conference }) => !selfKnown || conference.self.permitted.includes(use),
  )

function MicrophoneControl({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const permitted = usePermitted(model, 'microphone')
  const on = useStore(
    model.store,
    (state) =>
      state.microphoneTrack !== undefined &&
      !state.microphoneMuted &&
      state.conference.self.muted.microphone?.chair !== true,
  )
  const label = permitted
    ? t(on ? 'control.microphoneOff' : 'control.microphoneOn')
    : t('control.notOnStage')
  return (
    <Control
      icon={on ? 'microphone' : 'microphoneOff'}
      word={t('control.microphone')}
      label={label}
      testId="microphone"
      tone={on ? 'on' : 'off'}
      pressed={on}
      dimmed={!permitted}
      onPress={() => void model.toggleMicrophone()}
    />
  )
}

function CameraControl({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const permitted = usePermitted(model, 'camera')
  const on = useStore(model.store, (state) => state.cameraTrack !== undefined)
  const label = permitted
    ? t(on ? 'control.cameraOff' : 'control.cameraOn')
    : t('control.notOnStage')
  return (
    <Control
      icon={on ? 'camera' : 'cameraOff'}
      word={t('control.camera')}
      label={label}
      testId="camera"
      tone={on ? 'on' : 'off'}
      pressed={on}
      dimmed={!permitted}
      onPress={() => void model.toggleCamera()}
    />
  )
}

function ScreenControl({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  // A browser shares a screen only while the press is fresh: too late for a queue.
  const permitted = useStore(model.store, ({ conference }) =>
    conference.self.permitted.includes('screen'),
  )
  const on = useStore(model.store, (state) => state.screenTrack !== undefined)
  // Phones cannot: no button is better than one that never works.
  if (!canShareScreen()) return null
  return (
    <Control
      icon="screen"
      word={t('control.screen')}
      label={t(on ? 'control.screenOff' : 'control.screenOn')}
      testId="screen"
      whenWide
      tone={on ? 'sharing' : 'on'}
      pressed={on}
      dimmed={!permitted}
      onPress={() => void model.toggleScreen()}
    />
  )
}

function HandControl({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const role = useStore(model.store, (state) => state.conference.me?.role)
  const raised = useStore(model.store, ({ conference }) =>
    conference.hands.includes(conference.me?.participant ?? ''),
  )
  if (role === 'observer') return null
  return (
    <Control
      icon="hand"
      word={t('control.hand')}
      label={t(raised ? 'control.handDown' : 'control.handUp')}
      testId="hand"
      tone={raised ? 'raised' : 'on'}
      pressed={raised}
      onPress={() => void model.toggleHand()}
    />
  )
}

function ChatControl({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const open = useStore(model.store, (state) => state.panel === 'chat')
  const unread = useStore(model.store, ({ conference, chatSeen }) =>
    conference.chat.reduce(
      (count, entry) =>
        entry.number > chatSeen && entry.participant !== conference.me?.participant
          ? count + 1
          : count,
      0,
    ),
  )
  return (
    <Control
      icon="chat"
      word={t('control.chat')}
      label={unread > 0 ? t('control.chatUnread', { count: unread }) : t('control.chat')}
      testId="chat"
      badge={unread}
      expanded={open}
      onPress={() => model.togglePanel('chat')}
    />
  )
}

function PeopleControl({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const open = useStore(model.store, (state) => state.panel === 'people')
  const hands = useStore(model.store, (state) => state.conference.hands.length)
  return (
    <Control
      icon="people"
      word={t('control.people')}
      label={hands > 0 ? t('control.peopleHands', { count: hands }) : t('control.people')}
      testId="people"
      badge={hands}
      expanded={open}
      onPress={() => model.togglePanel('people')}
    />
  )
}

const MORE = [
  { panel: 'polls', icon: 'poll' },
  { panel: 'settings', icon: 'settings' },
  { panel: 'statistics', icon: 'statistics' },
  { panel: 'help', icon: 'help' },
] as const satisfies readonly { panel: Panel; icon: IconName }[]

function MoreControl({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const [open, setOpen] = useState(false)
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    menu.current?.querySelector('button')?.focus()
    const close = (event: Event): void => {
      const escaped = event instanceof KeyboardEvent && event.key === 'Escape'
      const outside = event.type === 'pointerdown' && !menu.current?.contains(event.target as Node)
      if (escaped || outside) setOpen(false)
    }
    addEventListener('keydown', close)
    addEventListener('pointerdown', close)
    return () => {
      removeEventListener('keydown', close)
      removeEventListener('pointerdown', close)
    }
  }, [open])
  return (
    <span class="more">
      <Control
        icon="more"
        word={t('control.more')}
        label={t('control.more')}
        testId="more"
        expanded={open}
        onPress={() => setOpen(!open)}
      />
      {open ? (
        <div class="menu" ref={menu} data-testid="more-menu">
          {canShareScreen() ? <ShareItem model={model} onDone={() => setOpen(false)} /> : null}
          {MORE.map(({ panel, icon }) => (
            <button
              key={panel}
              type="button"
              class="menu-item"
              data-testid={`open-${panel}`}
              onClick={() => {
                setOpen(false)
                model.togglePanel(panel)
              }}
            >
              <Icon name={icon} />
              {t(`panel.${panel}`)}
            </button>
          ))}
          <button
            type="button"
            class="menu-item"
            data-testid="fullscreen"
            onClick={() => {
              setOpen(false)
              void toggleFullscreen()
            }}
          >
            <Icon name="fullscreen" />
            {t('control.fullscreen')}
          </button>
        </div>
      ) : null}
    </span>
  )
}

function ShareItem({ model, onDone }: { model: CallModel; onDone: () => void }) {
  const { t } = useSpeech()
  const on = useStore(model.store, (state) => state.screenTrack !== undefined)
  return (
    <button
      type="button"
      class="menu-item when-narrow"
      data-testid="menu-screen"
      onClick={() => {
        onDone()
        void model.toggleScreen()
      }}
    >
      <Icon name="screen" />
      {t(on ? 'control.screenOff' : 'control.screenOn')}
    </button>
  )
}

const toggleFullscreen = async (): Promise<void> => {
  try {
    if (document.fullscreenElement !== null) await document.exitFullscreen()
    else await document.documentElement.requestFullscreen()
  } catch {
    // Not available here, as on some phones.
  }
}
