/** Choice of a camera or microphone, also of none. */
import { useId } from 'preact/hooks'
import { useSpeech } from '../context.ts'
import type { DeviceChoice } from '../devices.ts'

/** The value of "none"; the browser's default has the empty id. */
export const NO_DEVICE = 'none'

type DevicePickerProps = {
  kind: 'camera' | 'microphone'
  choices: readonly DeviceChoice[]
  value: string
  disabled?: boolean
  onChoose: (id: string) => void
}

export function DevicePicker({ kind, choices, value, disabled, onChoose }: DevicePickerProps) {
  const { t } = useSpeech()
  const id = useId()
  const camera = kind === 'camera'
  const known = value === NO_DEVICE || choices.some((choice) => choice.id === value)
  return (
    <label class="field" for={id}>
      <span>{t(camera ? 'lobby.camera' : 'lobby.microphone')}</span>
      <select
        id={id}
        data-testid={`choose-${kind}`}
        value={known ? value : (choices[0]?.id ?? NO_DEVICE)}
        disabled={disabled}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {choices.map((choice, index) => (
          <option key={choice.id} value={choice.id}>
            {choice.label ||
              t(camera ? 'lobby.cameraNumber' : 'lobby.microphoneNumber', { number: index + 1 })}
          </option>
        ))}
        <option value={NO_DEVICE}>{t(camera ? 'lobby.noCamera' : 'lobby.noMicrophone')}</option>
      </select>
    </label>
  )
}
