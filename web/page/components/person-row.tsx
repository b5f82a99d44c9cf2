/** One person in a list, and the chair's actions on them. */
import { useState } from 'preact/hooks'
import type { RosterMember, SourceUse, StageMember } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import type { TextKey } from '../i18n/index.ts'
import { useStore } from '../store.ts'
import { Avatar } from './avatar.tsx'
import { ConfirmDialog } from './confirm-dialog.tsx'
import { Icon } from './icons.tsx'
import { SuccessorButtons } from './succession-list.tsx'

type Person = Pick<RosterMember, 'participant' | 'name' | 'site' | 'onStage'>

type PersonRowProps = {
  model: CallModel
  chair: boolean
  person: Person
  /** Known for those on stage: what they send. */
  member: StageMember | undefined
  note: string
}

export function PersonRow({ model, chair, person, member, note }: PersonRowProps) {
  const { t } = useSpeech()
  const self = useStore(
    model.store,
    (state) => state.conference.me?.participant === person.participant,
  )
  const hand = useStore(model.store, (state) => state.conference.hands.includes(person.participant))
  const [open, setOpen] = useState(false)
  const microphone = member?.sources.microphone
  return (
    <li class="person" data-testid="person" data-participant={person.participant}>
      <Avatar name={person.name} />
      <span class="person-text">
        <strong>
          {person.name}
          {self ? ` (${t('call.you')})` : ''}
        </strong>
        <span class="person-note">
          {[person.site, note].filter((part) => part !== '' && part !== person.name).join(' · ')}
        </span>
      </span>
      {microphone === undefined ? null : (
        <span class="person-sign" title={microphone.muted ? t('call.micOff') : ''}>
          <Icon name={microphone.muted ? 'microphoneOff' : 'microphone'} />
          {microphone.muted ? <span class="only-heard">{t('call.micOff')}</span> : null}
        </span>
      )}
      {hand ? (
        <span class="person-sign hand">
          <Icon name="hand" />
          <span class="only-heard">{t('call.hand')}</span>
        </span>
      ) : null}
      {chair && !self ? (
        <button
          type="button"
          class="icon-button"
          data-testid="person-actions"
          aria-label={t('people.actions', { name: person.name })}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <Icon name="more" />
        </button>
      ) : null}
      {open ? (
        <Actions
          model={model}
          person={person}
          member={member}
          hand={hand}
          onDone={() => setOpen(false)}
        />
      ) : null}
    </li>
  )
}

type ActionsProps = {
  model: CallModel
  person: Person
  member: StageMember | undefined
  hand: boolean
  onDone: () => void
}

function Actions({ model, person, member, hand, onDone }: ActionsProps) {
  const { t } = useSpeech()
  const [asking, setAsking] = useState(false)
  const pin = useStore(model.store, (state) => state.conference.pin)
  const { conference } = model
  const { participant } = person
  const act = (action: () => Promise<void>): void => {
    void model.attempt(action)
    onDone()
  }
  const item = (testId: string, key: TextKey, action: () => Promise<void>) => (
    <button type="button" class="button small" data-testid={testId} onClick={() => act(action)}>
      {t(key)}
    </button>
  )
  const muteItem = (use: SourceUse, keys: { mute: TextKey; unmute: TextKey }) => {
    const source = member?.sources[use]
    if (source === undefined) return null
    return item(
      source.muted ? `unmute-${use}` : `mute-${use}`,
      source.muted ? keys.unmute : keys.mute,
      () => conference.muteOther(participant, use, !source.muted),
    )
  }
  const pinned = pin?.participant === participant
  return (
    <fieldset class="person-actions" aria-label={t('people.actions', { name: person.name })}>
      {hand
        ? item('lower-hand', 'chair.lowerHand', () => conference.setHand(false, participant))
        : null}
      {person.onStage
        ? item('off-stage', 'chair.offStage', () => conference.setOnStage(participant, false))
        : item('to-stage', 'chair.toStage', () => conference.setOnStage(participant, true))}
      {muteItem('microphone', { mute: 'chair.mute', unmute: 'chair.unmute' })}
      {muteItem('camera', { mute: 'chair.stopCamera', unmute: 'chair.allowCamera' })}
      {pinned ? item('unpin', 'chair.unpin', () => conference.pin(null)) : null}
      {person.onStage && !pinned
        ? item('pin', 'chair.pin', () => conference.pin({ participant, use: 'camera' }))
        : null}
      {member?.sources.screen !== undefined && !pinned
        ? item('pin-screen', 'chair.pinScreen', () =>
            conference.pin({ participant, use: 'screen' }),
          )
        : null}
      <SuccessorButtons model={model} person={person} onDone={onDone} />
      <button
        type="button"
        class="button small danger"
        data-testid="kick"
        onClick={() => setAsking(true)}
      >
        {t('chair.kick')}
      </button>
      {asking ? (
        <ConfirmDialog
          title={t('chair.kickTitle', { name: person.name })}
          text={t('chair.kickText')}
          confirm={t('chair.kickConfirm')}
          onAnswer={(yes) => {
            setAsking(false)
            if (yes) act(() => conference.kick(participant))
          }}
        />
      ) : null}
    </fieldset>
  )
}
