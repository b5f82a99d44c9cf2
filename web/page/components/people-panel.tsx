/** Who is here: hands in their order, the stage, everyone in pages with a search; and what a chair may do. */
import { useId, useState } from 'preact/hooks'
import { moderates, type StageMember } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { useStore } from '../store.ts'
import { ConfirmDialog } from './confirm-dialog.tsx'
import { Icon } from './icons.tsx'
import { PersonRow } from './person-row.tsx'
import { SuccessionList } from './succession-list.tsx'
import { useRoster } from './use-roster.ts'

export function PeoplePanel({ model }: { model: CallModel }) {
  const chair = useStore(model.store, (state) => moderates(state.conference))
  const owns = useStore(model.store, (state) => state.conference.me?.role === 'chair')
  return (
    <div class="panel-scroll">
      {chair ? <LockSwitch model={model} /> : null}
      {chair ? <EmergencySwitch model={model} /> : null}
      {owns ? <SuccessionList model={model} /> : null}
      <Hands model={model} chair={chair} />
      <OnStage model={model} chair={chair} />
      <Everyone model={model} chair={chair} />
    </div>
  )
}

function LockSwitch({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const locked = useStore(model.store, (state) => state.conference.locked)
  return (
    <div class="lock-switch">
      <button
        type="button"
        class="button"
        data-testid="lock"
        aria-pressed={locked}
        onClick={() => void model.attempt(() => model.conference.setLocked(!locked))}
      >
        <Icon name={locked ? 'unlock' : 'lock'} />
        {t(locked ? 'chair.unlock' : 'chair.lock')}
      </button>
      <p class="hint">{t('chair.lockHint')}</p>
    </div>
  )
}

/** Takes the way from other rooms, so it is asked twice; giving it back is not. */
function EmergencySwitch({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const emergency = useStore(model.store, (state) => state.conference.emergency)
  const [asking, setAsking] = useState(false)
  const set = (on: boolean): void => void model.attempt(() => model.conference.setEmergency(on))
  return (
    <div class="lock-switch">
      <button
        type="button"
        class="button"
        data-testid="emergency"
        aria-pressed={emergency}
        onClick={() => (emergency ? set(false) : setAsking(true))}
      >
        <Icon name="emergency" />
        {t(emergency ? 'chair.emergencyOff' : 'chair.emergency')}
      </button>
      <p class="hint">{t('chair.emergencyHint')}</p>
      {asking ? (
        <ConfirmDialog
          title={t('chair.emergencyTitle')}
          text={t('chair.emergencyText')}
          confirm={t('chair.emergencyConfirm')}
          cancel={t('chair.emergencyCancel')}
          onAnswer={(yes) => {
            setAsking(false)
            if (yes) set(true)
          }}
        />
      ) : null}
    </div>
  )
}

type ListProps = { model: CallModel; chair: boolean }

function Hands({ model, chair }: ListProps) {
  const { t } = useSpeech()
  const hands = useStore(model.store, (state) => state.conference.hands)
  const stage = useStore(model.store, (state) => state.conference.stage)
  useStore(model.store, (state) => state.namesEpoch)
  if (hands.length === 0) return null
  return (
    <section class="people-section" data-testid="hands">
      <h3>{t('people.hands', { count: hands.length })}</h3>
      <ol class="people">
        {hands.map((participant, index) => {
          const member = stage.find((candidate) => candidate.participant === participant)
          const person = member ?? model.names.get(participant)
          return (
            <PersonRow
              key={participant}
              model={model}
              chair={chair}
              member={member}
              person={{
                participant,
                name: person?.name ?? t('people.unnamed'),
                site: person?.site ?? '',
                onStage: member !== undefined,
              }}
              note={t('people.order', { number: index + 1 })}
            />
          )
        })}
      </ol>
    </section>
  )
}

function OnStage({ model, chair }: ListProps) {
  const { t } = useSpeech()
  const stage = useStore(model.store, (state) => state.conference.stage)
  if (stage.length === 0) return null
  return (
    <section class="people-section" data-testid="people-stage">
      <h3>{t('people.stage', { count: stage.length })}</h3>
      <ul class="people">
        {stage.map((member) => (
          <PersonRow
            key={member.participant}
            model={model}
            chair={chair}
            member={member}
            person={{ ...member, onStage: true }}
            note={t(`role.${member.role}`)}
          />
        ))}
      </ul>
    </section>
  )
}

function Everyone({ model, chair }: ListProps) {
  const { t } = useSpeech()
  const [search, setSearch] = useState('')
  const stage = useStore(model.store, (state) => state.conference.stage)
  const roster = useRoster(model, search.trim())
  const field = useId()
  const memberOf = (participant: string): StageMember | undefined =>
    stage.find((candidate) => candidate.participant === participant)
  return (
    <section class="people-section" data-testid="people-all">
      <h3>{t(search.trim() === '' ? 'people.all' : 'people.found', { count: roster.total })}</h3>
      <label class="only-heard" for={field}>
        {t('people.search')}
      </label>
      <input
        id={field}
        type="search"
        maxLength={64}
        placeholder={t('people.search')}
        data-testid="people-search"
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <ul class="people">
        {roster.members.map((member) => (
          <PersonRow
            key={member.participant}
            model={model}
            chair={chair}
            member={memberOf(member.participant)}
            person={member}
            note={t(`role.${member.role}`)}
          />
        ))}
      </ul>
      {roster.members.length === 0 ? (
        <p class="hint">{t(roster.loading ? 'people.loading' : 'people.none')}</p>
      ) : null}
      {roster.more === undefined ? null : (
        <button
          type="button"
          class="button small centered"
          data-testid="people-more"
          disabled={roster.loading}
          onClick={roster.more}
        >
          {t('people.more')}
        </button>
      )}
    </section>
  )
}
