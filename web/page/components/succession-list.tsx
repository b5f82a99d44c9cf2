/** Who moderates, in this order, where a part of the tree is cut off: the chair's list of sites and people. */
import type { Successor } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { useStore } from '../store.ts'

type Props = { model: CallModel }

export function SuccessionList({ model }: Props) {
  const { t } = useSpeech()
  const order = useStore(model.store, (state) => state.conference.succession)
  useStore(model.store, (state) => state.namesEpoch)
  const set = (next: Successor[]): void =>
    void model.attempt(() => model.conference.setSuccession(next))
  const nameOf = (successor: Successor): string =>
    'site' in successor
      ? t('chair.successorSite', { site: successor.site })
      : model.nameOf(successor.participant) || t('people.unnamed')
  return (
    <section class="people-section" data-testid="succession">
      <h3>{t('chair.succession')}</h3>
      <p class="hint">{t(order.length === 0 ? 'chair.successionNone' : 'chair.successionHint')}</p>
      <ol class="people">
        {order.map((successor, index) => (
          <li class="person" key={keyOf(successor)} data-testid="successor">
            <span class="person-text">
              <strong>{`${index + 1}. ${nameOf(successor)}`}</strong>
            </span>
            {index === 0 ? null : (
              <button
                type="button"
                class="button small"
                data-testid="successor-up"
                aria-label={t('chair.successorUp', { name: nameOf(successor) })}
                onClick={() => set(raised(order, index))}
              >
                ↑
              </button>
            )}
            <button
              type="button"
              class="button small"
              data-testid="successor-remove"
              aria-label={t('chair.successorRemove', { name: nameOf(successor) })}
              onClick={() => set(order.filter((_, other) => other !== index))}
            >
              ×
            </button>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** In the chair's menu of one person: puts the person, or whoever is at the site, at the end of the list. */
export function SuccessorButtons({
  model,
  person,
  onDone,
}: Props & { person: { participant: string; site: string }; onDone: () => void }) {
  const { t } = useSpeech()
  const order = useStore(model.store, (state) => state.conference.succession)
  const owns = useStore(model.store, (state) => state.conference.me?.role === 'chair')
  const { participant, site } = person
  const known = new Set(order.map(keyOf))
  const add = (successor: Successor): void => {
    void model.attempt(() => model.conference.setSuccession([...order, successor]))
    onDone()
  }
  if (!owns) return null
  return (
    <>
      {known.has(keyOf({ participant })) ? null : (
        <button
          type="button"
          class="button small"
          data-testid="successor-person"
          onClick={() => add({ participant })}
        >
          {t('chair.successorAdd')}
        </button>
      )}
      {site === '' || known.has(keyOf({ site })) ? null : (
        <button
          type="button"
          class="button small"
          data-testid="successor-site"
          onClick={() => add({ site })}
        >
          {t('chair.successorAddSite', { site })}
        </button>
      )}
    </>
  )
}

function keyOf(successor: Successor): string {
  return 'site' in successor ? `site ${successor.site}` : successor.participant
}

function raised(order: readonly Successor[], index: number): Successor[] {
  const next = [...order]
  next.splice(index - 1, 0, ...next.splice(index, 1))
  return next
}
