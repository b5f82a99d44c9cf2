/** The sound of the room: one element per audio slot, and a button where the browser wants a gesture first. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { MediaSlot } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { useStore } from '../store.ts'
import { Icon } from './icons.tsx'

export function Sound({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const slots = useStore(model.store, (state) => state.slots)
  const speaker = useStore(model.store, (state) => state.devices.speaker)
  const [blocked, setBlocked] = useState(false)
  const [gesture, setGesture] = useState(0)
  return (
    <>
      {slots
        .filter((slot) => slot.use === 'audio')
        .map((slot) => (
          <Voice
            key={slot.mid}
            slot={slot}
            speaker={speaker}
            gesture={gesture}
            onBlocked={() => setBlocked(true)}
          />
        ))}
      {blocked ? (
        <button
          type="button"
          class="button primary large unblock"
          data-testid="tap-to-hear"
          onClick={() => {
            setBlocked(false)
            setGesture(gesture + 1)
          }}
        >
          <Icon name="listen" />
          {t('call.tapToHear')}
        </button>
      ) : null}
    </>
  )
}

type VoiceProps = {
  slot: MediaSlot
  speaker: string
  /** Grows with each gesture: try again to play. */
  gesture: number
  onBlocked: () => void
}

function Voice({ slot, speaker, gesture, onBlocked }: VoiceProps) {
  const element = useRef<HTMLAudioElement>(null)
  useEffect(() => {
    const audio = element.current
    if (audio === null) return
    if (audio.srcObject !== slot.stream) audio.srcObject = slot.stream
    audio.play().catch((error: unknown) => {
      if ((error as DOMException).name === 'NotAllowedError') onBlocked()
    })
  }, [slot.stream, gesture])
  useEffect(() => {
    // Where it is missing, the system's own choice of speaker is used.
    if (speaker !== '') void element.current?.setSinkId?.(speaker).catch(() => {})
  }, [speaker])
  return (
    // biome-ignore lint/a11y/useMediaCaption: live voices of people; there are no captions to give.
    <audio ref={element} data-testid="voice" data-mid={slot.mid} autoPlay />
  )
}
