/** The large picture: whoever the room, or this person, looks at. */
import type { MediaSlot, SlotState } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { useStore } from '../store.ts'
import { Avatar } from './avatar.tsx'
import { Icon } from './icons.tsx'
import { StreamMark } from './quality-mark.tsx'
import { Video } from './video.tsx'

type MainPictureProps = {
  model: CallModel
  slot: MediaSlot | undefined
  occupant: SlotState | undefined
}

export function MainPicture({ model, slot, occupant }: MainPictureProps) {
  const { t } = useSpeech()
  const conference = useStore(model.store, (state) => state.conference)
  const chosen = useStore(model.store, (state) => state.chosen)
  const participant = occupant?.participant ?? conference.active
  const member = conference.stage.find((candidate) => candidate.participant === participant)
  const quality = conference.quality.find((stream) => stream.mid === slot?.mid)
  const live = occupant?.state === 'live'
  const pinned = conference.pin !== null && conference.pin.participant === participant
  if (member === undefined) return <EmptyMain />
  const name = occupant?.use === 'screen' ? t('call.screenOf', { name: member.name }) : member.name
  return (
    <figure
      class="main-picture"
      data-testid="main"
      data-participant={member.participant}
      data-use={occupant?.use ?? ''}
      data-state={occupant?.state ?? 'empty'}
      aria-label={`${t('call.main')}: ${name}`}
    >
      <Video stream={slot?.stream} whole={occupant?.use === 'screen'} testId="main-video" />
      {live ? null : <Substitute name={member.name} state={occupant?.state} />}
      <figcaption class="caption">
        <span class="caption-name" data-testid="main-name">
          <strong>{name}</strong>
          <span class="caption-site">{member.site}</span>
        </span>
        {pinned ? (
          <span class="caption-note">
            <Icon name="pin" /> {t('call.pinned')}
          </span>
        ) : null}
        <StreamMark quality={quality} />
      </figcaption>
      {chosen === null ? null : (
        <button
          type="button"
          class="button small follow"
          data-testid="follow-room"
          title={t('call.chosen')}
          onClick={() => model.choose(null)}
        >
          {t('call.followRoom')}
        </button>
      )}
    </figure>
  )
}

/** Instead of a picture: who it is, and why there is none. */
function Substitute({ name, state }: { name: string; state: SlotState['state'] | undefined }) {
  const { t } = useSpeech()
  const key =
    state === 'paused'
      ? 'call.pausedPicture'
      : state === 'waiting'
        ? 'call.waitingPicture'
        : 'call.soundOnly'
  return (
    <div class="substitute">
      <Avatar name={name} />
      <p>{t(key)}</p>
    </div>
  )
}

function EmptyMain() {
  const { t } = useSpeech()
  return (
    <div class="main-picture empty" data-testid="main" data-state="empty">
      <p class="empty-title">{t('call.nobody')}</p>
      <p>{t('call.nobodyHint')}</p>
    </div>
  )
}
