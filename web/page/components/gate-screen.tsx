/** For those who come without an invitation: says so, and takes a link that is pasted. */
import { useId, useState } from 'preact/hooks'
import { useSpeech } from '../context.ts'
import type { Invitation } from '../token.ts'
import { findToken, parseInvitation } from '../token.ts'
import { Shell } from './shell.tsx'

export function GateScreen({ onInvitation }: { onInvitation: (invitation: Invitation) => void }) {
  const { t } = useSpeech()
  const [link, setLink] = useState('')
  const [wrong, setWrong] = useState(false)
  const field = useId()
  const open = (event: Event): void => {
    event.preventDefault()
    const token = findToken(link)
    const invitation = token === undefined ? undefined : parseInvitation(token)
    if (invitation === undefined) setWrong(true)
    else onInvitation(invitation)
  }
  return (
    <Shell>
      <form class="card narrow" data-testid="gate" onSubmit={open}>
        <h1>{t('gate.title')}</h1>
        <p>{t('gate.text')}</p>
        <label class="field" for={field}>
          <span>{t('gate.paste')}</span>
          <input
            id={field}
            type="text"
            autocomplete="off"
            spellcheck={false}
            data-testid="gate-link"
            value={link}
            aria-invalid={wrong}
            aria-describedby={`${field}-problem`}
            onInput={(event) => {
              setLink(event.currentTarget.value)
              setWrong(false)
            }}
          />
        </label>
        <p id={`${field}-problem`} class="problem" role="alert">
          {wrong ? t('gate.invalid') : ''}
        </p>
        <button type="submit" class="button primary large" data-testid="gate-open">
          {t('gate.open')}
        </button>
      </form>
    </Shell>
  )
}
