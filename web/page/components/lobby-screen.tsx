/**
 * Before the call: who I am, how I look and sound, and the two ways in. The Join button is the gesture for sound.
 * Its buttons are never `disabled`: that would take the focus from people, and swallow their Enter.
 */
import { useEffect, useId, useState } from 'preact/hooks'
import type { Role } from '../../sdk/index.ts'
import { useSpeech } from '../context.ts'
import type { DeviceProblem } from '../devices.ts'
import { rememberDevices } from '../devices.ts'
import type { DemoAnswer, Invitation } from '../token.ts'
import { DevicePicker } from './device-picker.tsx'
import { Icon } from './icons.tsx'
import { LevelMeter } from './level-meter.tsx'
import { Shell } from './shell.tsx'
import type { LobbyDevices } from './use-lobby-devices.ts'
import { useLobbyDevices } from './use-lobby-devices.ts'
import { useTrackStream, Video } from './video.tsx'

/** What the person brings into the call. */
export type Readiness = {
  camera: MediaStreamTrack | undefined
  microphone: MediaStreamTrack | undefined
  devices: { camera: string; microphone: string }
}

type LobbyProps = {
  /** `undefined`: the demo room of this machine. */
  invitation: Invitation | undefined
  requestDemo: (name: string, role: Role) => Promise<DemoAnswer>
  onJoin: (token: string, readiness: Readiness) => void
}

const DEMO_ROLES: readonly Role[] = ['speaker', 'chair', 'viewer', 'observer']

export function LobbyScreen({ invitation, requestDemo, onJoin }: LobbyProps) {
  const { t } = useSpeech()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('speaker')
  const [problem, setProblem] = useState('')
  const [joining, setJoining] = useState(false)
  /** Join was pressed before the devices were open: it is done when they are. */
  const [pressed, setPressed] = useState(false)
  const publishes = !isAudience(invitation?.role ?? role)
  const devices = useLobbyDevices(!isAudience(invitation?.role ?? 'speaker'))
  const opening = publishes && devices.waiting
  const room = invitation?.room ?? 'demo'
  useEffect(() => {
    document.title = t('app.title', { room })
  }, [t, room])

  const join = async (listenOnly: boolean): Promise<void> => {
    if (joining) return
    const missing = isExpired(invitation)
      ? t('lobby.expired')
      : invitation === undefined && name.trim() === ''
        ? t('lobby.nameMissing')
        : ''
    setProblem(missing)
    const early = missing === '' && opening && !listenOnly
    setPressed(early)
    if (missing !== '' || early) return
    setJoining(true)
    const token = invitation?.token ?? (await demoToken())
    setJoining(false)
    if (token === undefined) return
    onJoin(token, readiness(devices, listenOnly || !publishes))
  }

  useEffect(() => {
    if (!pressed || opening) return
    setPressed(false)
    // Who wanted to come with a camera is not sent in without: the problem is shown, and the next press counts.
    const { camera, microphone } = devices.problems
    if (!publishes || (camera ?? microphone) === undefined) void join(false)
  }, [pressed, opening])

  const demoToken = async (): Promise<string | undefined> => {
    const answer = await requestDemo(name.trim(), role)
    if ('token' in answer) return answer.token
    setProblem(t(answer.failure === 'refused' ? 'lobby.demoRefused' : 'lobby.demoFailed'))
    return undefined
  }

  return (
    <Shell>
      <form
        class="card lobby"
        data-testid="lobby"
        onSubmit={(event) => {
          event.preventDefault()
          void join(false)
        }}
      >
        <Preview devices={devices} />
        <div class="lobby-form">
          <p class="eyebrow">{t('lobby.room', { room })}</p>
          <h1>{t('lobby.title')}</h1>
          {invitation === undefined ? (
            <DemoFields name={name} role={role} onName={setName} onRole={setRole} />
          ) : (
            <p class="identity" data-testid="identity">
              <strong>{invitation.name || invitation.site}</strong>
              <span>
                {[invitation.name === '' ? '' : invitation.site, t(`role.${invitation.role}`)]
                  .filter((part) => part !== '')
                  .join(' · ')}
              </span>
            </p>
          )}
          {publishes ? <Devices devices={devices} /> : <p>{t('lobby.audience')}</p>}
          <p class="problem" role="alert" data-testid="lobby-problem">
            {problem}
          </p>
          <div class="lobby-actions">
            <button
              type="submit"
              class="button primary large"
              data-testid="join"
              aria-disabled={joining || pressed}
            >
              {t(joining || pressed ? 'lobby.joining' : 'lobby.join')}
            </button>
            {publishes ? (
              <button
                type="button"
                class="button large"
                data-testid="listen"
                aria-disabled={joining}
                onClick={() => void join(true)}
              >
                <Icon name="listen" />
                {t('lobby.listen')}
              </button>
            ) : null}
          </div>
          {publishes ? <p class="hint">{t('lobby.listenHint')}</p> : null}
        </div>
      </form>
    </Shell>
  )
}

/** The server allows clocks to differ by five minutes and has the last word: this spares people a wait. */
const isExpired = (invitation: Invitation | undefined): boolean =>
  (invitation?.expiresAtMs ?? Number.MAX_VALUE) + 300_000 < Date.now()

const isAudience = (role: Role): boolean => role === 'viewer' || role === 'observer'

const readiness = (devices: LobbyDevices, listenOnly: boolean): Readiness => {
  rememberDevices(devices.chosen)
  // Those not taken along are closed when the lobby disappears.
  if (listenOnly) return { camera: undefined, microphone: undefined, devices: devices.chosen }
  devices.handOver()
  return { ...devices.tracks, devices: devices.chosen }
}

type DemoFieldsProps = {
  name: string
  role: Role
  onName: (name: string) => void
  onRole: (role: Role) => void
}

function DemoFields({ name, role, onName, onRole }: DemoFieldsProps) {
  const { t } = useSpeech()
  const id = useId()
  return (
    <>
      <p class="hint">{t('gate.demoText')}</p>
      <div class="field-row">
        <label class="field" for={`${id}-name`}>
          <span>{t('lobby.name')}</span>
          <input
            id={`${id}-name`}
            type="text"
            maxLength={60}
            autocomplete="name"
            data-testid="demo-name"
            value={name}
            onInput={(event) => onName(event.currentTarget.value)}
          />
        </label>
        <label class="field" for={`${id}-role`}>
          <span>{t('lobby.role')}</span>
          <select
            id={`${id}-role`}
            data-testid="demo-role"
            value={role}
            onChange={(event) => onRole(event.currentTarget.value as Role)}
          >
            {DEMO_ROLES.map((choice) => (
              <option key={choice} value={choice}>
                {t(`role.${choice}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
    </>
  )
}

function Preview({ devices }: { devices: LobbyDevices }) {
  const { t } = useSpeech()
  const stream = useTrackStream(devices.tracks.camera)
  return (
    <figure class="preview" aria-label={t('lobby.preview')}>
      {stream === undefined ? (
        <div class="preview-empty">
          <Icon name={devices.waiting ? 'camera' : 'cameraOff'} />
          <p>{t(devices.waiting ? 'lobby.previewWait' : 'lobby.previewOff')}</p>
        </div>
      ) : (
        <Video stream={stream} mirrored testId="preview" />
      )}
    </figure>
  )
}

function Devices({ devices }: { devices: LobbyDevices }) {
  const { t } = useSpeech()
  if (!devices.asked) {
    return (
      <button
        type="button"
        class="button"
        data-testid="ask-devices"
        onClick={() => void devices.ask()}
      >
        <Icon name="camera" />
        {t('lobby.ask')}
      </button>
    )
  }
  const { microphone } = devices.tracks
  return (
    <div class="devices">
      <DevicePicker
        kind="microphone"
        choices={devices.list.microphones}
        value={devices.chosen.microphone}
        disabled={devices.waiting}
        onChoose={(id) => void devices.choose('microphone', id)}
      />
      {microphone === undefined ? null : (
        <>
          <LevelMeter track={microphone} />
          <p class="hint">{t('lobby.levelHint')}</p>
        </>
      )}
      <DevicePicker
        kind="camera"
        choices={devices.list.cameras}
        value={devices.chosen.camera}
        disabled={devices.waiting}
        onChoose={(id) => void devices.choose('camera', id)}
      />
      <Problems problems={devices.problems} onRetry={() => void devices.ask()} />
    </div>
  )
}

function Problems({
  problems,
  onRetry,
}: {
  problems: LobbyDevices['problems']
  onRetry: () => void
}) {
  const { t } = useSpeech()
  const kinds = (['microphone', 'camera'] as const).filter((kind) => problems[kind] !== undefined)
  if (kinds.length === 0) return null
  const same = kinds.length === 2 && problems.camera === problems.microphone
  const devices = same ? (['both'] as const) : kinds
  const texts = devices.map((device) => {
    const problem = problems[device === 'both' ? 'camera' : device] as DeviceProblem
    return t(`device.${problem}`, { device: t(`device.${device}`) })
  })
  return (
    <div class="notice amber" role="alert" data-testid="device-problem">
      {texts.map((text) => (
        <p key={text}>{text}</p>
      ))}
      <button type="button" class="button small" data-testid="device-retry" onClick={onRetry}>
        {t('device.retry')}
      </button>
    </div>
  )
}
