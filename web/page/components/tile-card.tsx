/** One person on stage, small: picture or letters, name, microphone, hand, quality. A press makes it large. */
import type { MediaSlot } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import type { Card } from '../pictures.ts'
import { useStore } from '../store.ts'
import { Avatar } from './avatar.tsx'
import { Icon } from './icons.tsx'
import { StreamMark } from './quality-mark.tsx'
import { useTrackStream, Video } from './video.tsx'

type TileCardProps = {
  model: CallModel
  card: Card
  slot: MediaSlot | undefined
  /** The main picture shows this already. */
  inMain: boolean
}

export function TileCard({ model, card, slot, inMain }: TileCardProps) {
  const { t } = useSpeech()
  const ownTrack = useStore(model.store, (state) =>
    card.use === 'camera' ? state.cameraTrack : state.screenTrack,
  )
  const ownMuted = useStore(
    model.store,
    (state) => state.microphoneTrack === undefined || state.microphoneMuted,
  )
  const chosen = useStore(
    model.store,
    ({ chosen: pin }) => pin?.participant === card.participant && pin.use === card.use,
  )
  const occupant = useStore(model.store, (state) =>
    state.conference.slots.find((known) => known.mid === slot?.mid),
  )
  const mid = card.self ? model.conference.midOf(card.use) : slot?.mid
  const quality = useStore(model.store, (state) =>
    state.conference.quality.find((stream) => stream.mid === mid),
  )
  const ownStream = useTrackStream(card.self ? ownTrack : undefined)
  // The slot may still show somebody else for a moment: never a face under another's name.
  const arrived =
    occupant?.participant === card.participant &&
    occupant.use === card.use &&
    occupant.state === 'live'
  const stream = card.self ? ownStream : slot?.stream
  const shown = card.self ? ownStream !== undefined : arrived
  const micMuted = card.self ? ownMuted || card.micMuted : card.micMuted
  const title = card.use === 'screen' ? t('call.screenOf', { name: card.name }) : card.name
  const state = [
    card.self ? t('call.you') : '',
    card.speaking ? t('call.speaking') : '',
    micMuted && card.use === 'camera' ? t('call.micOff') : '',
    card.handRaised ? t('call.hand') : '',
  ].filter((part) => part !== '')
  // What stands there is said first, in its order: who speaks to a machine says what it shows
  // (WCAG 2.5.3).
  const caption = card.self ? t('call.you') : title
  const name =
    inMain && !shown ? `${t('call.inMain')}, ${caption}` : t('call.showMain', { name: title })
  return (
    <li
      class={`tile ${card.speaking ? 'speaking' : ''} ${chosen ? 'chosen' : ''}`}
      data-card={card.key}
      data-testid="tile"
      data-participant={card.participant}
      data-use={card.use}
      data-state={card.self ? 'self' : (occupant?.state ?? 'empty')}
    >
      <button
        type="button"
        class="tile-button"
        aria-label={[name, ...state].join(', ')}
        aria-pressed={chosen}
        onClick={() => {
          if (!card.self)
            model.choose(chosen ? null : { participant: card.participant, use: card.use })
        }}
      >
        {stream === undefined ? null : (
          <Video
            stream={stream}
            mirrored={card.self && card.use === 'camera'}
            whole={card.use === 'screen'}
            testId="tile-video"
          />
        )}
        {shown ? null : (
          <span class="tile-substitute">
            <Avatar name={card.name} />
            {inMain ? <span class="tile-note">{t('call.inMain')}</span> : null}
          </span>
        )}{' '}
        <span class="tile-caption" aria-hidden="true">
          {micMuted && card.use === 'camera' ? <Icon name="microphoneOff" /> : null}
          <span class="tile-name">{caption}</span>
        </span>
        {card.handRaised ? (
          <span class="tile-hand" aria-hidden="true">
            <Icon name="hand" />
          </span>
        ) : null}
      </button>
      <StreamMark quality={quality} />
    </li>
  )
}
