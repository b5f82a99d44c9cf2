/** Short messages that go away by themselves, and can be sent away. */
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { useStore } from '../store.ts'
import { Icon } from './icons.tsx'

export function Notices({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const notices = useStore(model.store, (state) => state.notices)
  return (
    <div class="notices" aria-live="polite">
      {notices.map((notice) => (
        <div
          key={notice.id}
          class={`notice ${notice.urgent ? 'amber' : ''}`}
          role={notice.urgent ? 'alert' : undefined}
          data-testid="notice"
        >
          <p>{notice.text}</p>
          <button
            type="button"
            class="icon-button"
            aria-label={t('panel.close')}
            onClick={() => model.dismiss(notice.id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  )
}
