/** From the link to the end of the call: gate, lobby, call, farewell. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { connect } from '../sdk/index.ts'
import { CallModel } from './call-model.ts'
import { CallScreen } from './components/call-screen.tsx'
import { EndedScreen } from './components/ended-screen.tsx'
import { GateScreen } from './components/gate-screen.tsx'
import type { Readiness } from './components/lobby-screen.tsx'
import { LobbyScreen } from './components/lobby-screen.tsx'
import { SpeechContext } from './context.ts'
import { firstLanguage, keepLanguage } from './first-language.ts'
import type { Language } from './i18n/index.ts'
import { translator } from './i18n/index.ts'
import { useStore } from './store.ts'
import type { Invitation } from './token.ts'
import { findToken, isLoopback, parseInvitation, requestDemoToken } from './token.ts'

const invitationInAddress = (): Invitation | undefined => {
  const token = findToken(location.hash)
  return token === undefined ? undefined : parseInvitation(token)
}

type Stage = { at: 'door' } | { at: 'call'; model: CallModel }

const clientName = (): string => {
  const mobile = /Mobi|Android/.test(navigator.userAgent) ? 'mobile' : 'desktop'
  return `page ${mobile}`
}

/** Number of small pictures: a phone shows fewer, and a cheap one decodes fewer. */
const tileCount = (): number => (Math.min(screen.width, screen.height) < 600 ? 4 : 6)

export function App() {
  const [language, setLanguage] = useState<Language>(firstLanguage)
  const [invitation, setInvitation] = useState(invitationInAddress)
  const [stage, setStage] = useState<Stage>({ at: 'door' })
  const speech = useMemo(
    () => ({
      language,
      t: translator(language),
      switchLanguage: () => setLanguage((now) => (now === 'vi' ? 'en' : 'vi')),
    }),
    [language],
  )
  current.translate = speech.t

  useEffect(() => keepLanguage(language), [language])

  useEffect(() => {
    const onHash = (): void => {
      setInvitation(invitationInAddress())
    }
    addEventListener('hashchange', onHash)
    return () => removeEventListener('hashchange', onHash)
  }, [])

  const start = (token: string, readiness: Readiness): void => {
    const conference = connect({ token, client: clientName(), tiles: tileCount() })
    const model = new CallModel({
      conference,
      translate: () => current.translate,
      camera: readiness.camera,
      microphone: readiness.microphone,
      devices: readiness.devices,
    })
    setStage({ at: 'call', model })
  }

  const demo = invitation === undefined && isLoopback(location.hostname)
  return (
    <SpeechContext.Provider value={speech}>
      {stage.at === 'call' ? (
        <Call model={stage.model} onAgain={() => setStage({ at: 'door' })} />
      ) : invitation === undefined && !demo ? (
        <GateScreen onInvitation={setInvitation} />
      ) : (
        <LobbyScreen
          key={invitation?.token ?? 'demo'}
          invitation={invitation}
          requestDemo={requestDemoToken}
          onJoin={start}
        />
      )}
    </SpeechContext.Provider>
  )
}

/** The call outlives changes of language; it reads the language of the moment here. */
const current = { translate: translator('vi') }

function Call({ model, onAgain }: { model: CallModel; onAgain: () => void }) {
  const ended = useStore(model.store, (state) => state.conference.ended)
  useEffect(() => {
    const onHide = (event: PageTransitionEvent): void => {
      if (!event.persisted) void model.leave()
    }
    addEventListener('pagehide', onHide)
    return () => removeEventListener('pagehide', onHide)
  }, [model])
  return ended === undefined ? (
    <CallScreen model={model} />
  ) : (
    <EndedScreen cause={ended} onAgain={onAgain} />
  )
}
