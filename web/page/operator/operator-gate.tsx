/** For operators who come without a token, or with one that is not good: says how to get one, and takes it. */
import { useId, useState } from 'preact/hooks'
import { findToken } from '../token.ts'
import { useOperatorSpeech } from './speech.ts'

const COMMAND = './nhipcau token --role operator'

type GateProps = { isRefused: boolean; onToken: (token: string) => void }

export function OperatorGate({ isRefused, onToken }: GateProps) {
  const { t } = useOperatorSpeech()
  const [link, setLink] = useState('')
  const [problem, setProblem] = useState(isRefused ? t('gate.refused') : '')
  const field = useId()
  const open = (event: Event): void => {
    event.preventDefault()
    const token = findToken(link)
    if (token === undefined) setProblem(t('gate.invalid'))
    else onToken(token)
  }
  return (
    <form class="op-gate" data-testid="gate" onSubmit={open}>
      <h2>{t('gate.title')}</h2>
      <p>{t('gate.text')}</p>
      <p>
        <code>{COMMAND}</code>
      </p>
      <label class="field" for={field}>
        <span>{t('gate.paste')}</span>
        <input
          id={field}
          type="text"
          autocomplete="off"
          spellcheck={false}
          data-testid="gate-link"
          value={link}
          aria-invalid={problem !== ''}
          aria-describedby={`${field}-problem`}
          onInput={(event) => {
            setLink(event.currentTarget.value)
            setProblem('')
          }}
        />
      </label>
      <p id={`${field}-problem`} class="problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="button primary" data-testid="gate-open">
        {t('gate.open')}
      </button>
    </form>
  )
}
