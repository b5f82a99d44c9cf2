/** Camera, microphone and speaker during the call. */
import { useEffect, useId, useState } from 'preact/hooks'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import type { DeviceList } from '../devices.ts'
import { listDevices, watchDevices } from '../devices.ts'
import { useStore } from '../store.ts'
import { DevicePicker, NO_DEVICE } from './device-picker.tsx'
import { LevelMeter } from './level-meter.tsx'

const EMPTY: DeviceList = { cameras: [], microphones: [], speakers: [] }

export function SettingsPanel({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const [list, setList] = useState(EMPTY)
  const devices = useStore(model.store, (state) => state.devices)
  const camera = useStore(model.store, (state) => state.cameraTrack)
  const microphone = useStore(model.store, (state) => state.microphoneTrack)
  const permitted = useStore(model.store, (state) => state.conference.self.permitted)
  const busy = useStore(model.store, (state) => state.busy)
  const speakerId = useId()
  useEffect(() => {
    const refresh = (): void => void listDevices().then(setList)
    refresh()
    return watchDevices(refresh)
  }, [camera, microphone])
  const choose = (kind: 'camera' | 'microphone', id: string): void => {
    if (id !== NO_DEVICE) void model.useDevice(kind, id)
    else if (kind === 'camera' && camera !== undefined) void model.toggleCamera()
    else if (kind === 'microphone') void model.dropMicrophone()
  }
  return (
    <div class="panel-scroll devices">
      <DevicePicker
        kind="microphone"
        choices={list.microphones}
        value={microphone === undefined ? NO_DEVICE : devices.microphone}
        disabled={busy || !permitted.includes('microphone')}
        onChoose={(id) => choose('microphone', id)}
      />
      {microphone === undefined ? null : <LevelMeter track={microphone} />}
      <DevicePicker
        kind="camera"
        choices={list.cameras}
        value={camera === undefined ? NO_DEVICE : devices.camera}
        disabled={busy || !permitted.includes('camera')}
        onChoose={(id) => choose('camera', id)}
      />
      {permitted.length === 0 ? <p class="hint">{t('control.notOnStage')}</p> : null}
      {list.speakers.length === 0 ? null : (
        <label class="field" for={speakerId}>
          <span>{t('settings.speaker')}</span>
          <select
            id={speakerId}
            data-testid="choose-speaker"
            value={devices.speaker}
            onChange={(event) => model.useSpeaker(event.currentTarget.value)}
          >
            <option value="">{t('settings.speakerDefault')}</option>
            {list.speakers
              .filter((speaker) => speaker.label !== '')
              .map((speaker) => (
                <option key={speaker.id} value={speaker.id}>
                  {speaker.label}
                </option>
              ))}
          </select>
        </label>
      )}
    </div>
  )
}
