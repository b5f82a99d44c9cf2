/** A question before something that cannot be taken back. The browser's own dialog: focus stays inside, Esc says no. */
import { useEffect, useId, useRef } from 'preact/hooks'
import { useSpeech } from '../context.ts'

type ConfirmProps = {
  title: string
  text: string
  confirm: string
  /** The word for no; by default that all stays as it is. */
  cancel?: string
  onAnswer: (yes: boolean) => void
}

export function ConfirmDialog({ title, text, confirm, cancel, onAnswer }: ConfirmProps) {
  const { t } = useSpeech()
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog
      ref={dialog}
      class="dialog"
      data-testid="confirm"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onAnswer(false)
      }}
    >
      <h2 id={id}>{title}</h2>
      <p>{text}</p>
      <div class="dialog-actions">
        <button
          type="button"
          class="button"
          data-testid="confirm-no"
          onClick={() => onAnswer(false)}
        >
          {cancel ?? t('chair.cancel')}
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="confirm-yes"
          onClick={() => onAnswer(true)}
        >
          {confirm}
        </button>
      </div>
    </dialog>
  )
}
