/** The chair's form: a question and two to ten answers. */
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import {
  OPTION_LENGTH_MAX,
  OPTIONS_MAX,
  OPTIONS_MIN,
  pollDraft,
  QUESTION_LENGTH_MAX,
} from '../polls.ts'
import { Icon } from './icons.tsx'

export function NewPoll({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const [open, setOpen] = useState(false)
  if (open) return <PollForm model={model} onDone={() => setOpen(false)} />
  return (
    <button type="button" class="button" data-testid="poll-new" onClick={() => setOpen(true)}>
      <Icon name="poll" />
      {t('poll.new')}
    </button>
  )
}

function PollForm({ model, onDone }: { model: CallModel; onDone: () => void }) {
  const { t } = useSpeech()
  const [question, setQuestion] = useState('')
  const [options, setOptions] = useState<readonly string[]>([t('poll.yes'), t('poll.no')])
  const [sending, setSending] = useState(false)
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  const draft = pollDraft(question, options)
  const open = async (): Promise<void> => {
    if (draft === undefined || sending) return
    setSending(true)
    const opened = await model.attempt(() =>
      model.conference.openPoll(draft.question, draft.options),
    )
    setSending(false)
    if (opened) onDone()
  }
  return (
    <form
      class="poll-form"
      onSubmit={(event) => {
        event.preventDefault()
        void open()
      }}
    >
      <label class="field" for={id}>
        <span>{t('poll.question')}</span>
        <input
          id={id}
          data-testid="poll-question"
          maxLength={QUESTION_LENGTH_MAX}
          value={question}
          ref={field}
          onInput={(event) => setQuestion(event.currentTarget.value)}
        />
      </label>
      <Answers options={options} onChange={setOptions} />
      <div class="dialog-actions">
        <button type="button" class="button small" onClick={onDone}>
          {t('poll.cancel')}
        </button>
        <button
          type="submit"
          class="button primary small"
          data-testid="poll-open"
          disabled={draft === undefined || sending}
        >
          {t('poll.start')}
        </button>
      </div>
    </form>
  )
}

type AnswersProps = { options: readonly string[]; onChange: (options: readonly string[]) => void }

function Answers({ options, onChange }: AnswersProps) {
  const { t } = useSpeech()
  return (
    <>
      {options.map((option, index) => (
        <div key={index} class="poll-answer">
          <input
            aria-label={t('poll.option', { number: index + 1 })}
            data-testid="poll-answer-text"
            maxLength={OPTION_LENGTH_MAX}
            value={option}
            onInput={(event) => onChange(options.with(index, event.currentTarget.value))}
          />
          {options.length > OPTIONS_MIN ? (
            <button
              type="button"
              class="icon-button"
              aria-label={t('poll.remove', { number: index + 1 })}
              onClick={() => onChange(options.toSpliced(index, 1))}
            >
              <Icon name="close" />
            </button>
          ) : null}
        </div>
      ))}
      {options.length < OPTIONS_MAX ? (
        <button
          type="button"
          class="button quiet small"
          data-testid="poll-more"
          onClick={() => onChange([...options, ''])}
        >
          {t('poll.add')}
        </button>
      ) : null}
    </>
  )
}
