/**
 * Polls: what was asked, one's vote, live counts as bars; the chair asks and closes. Who voted what is told to
 * nobody.
 */
import { useId, useState } from 'preact/hooks'
import { moderates, type Poll } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { percentOf, votesOf } from '../polls.ts'
import { useStore } from '../store.ts'
import { Icon } from './icons.tsx'
import { NewPoll } from './new-poll.tsx'

export function PollsPanel({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const chair = useStore(model.store, (state) => moderates(state.conference))
  const polls = useStore(model.store, (state) => state.conference.polls)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="panel-scroll polls" aria-label={t('panel.polls')} tabIndex={0}>
      {chair ? <NewPoll model={model} /> : null}
      {polls.length === 0 ? <p class="hint">{t('poll.none')}</p> : null}
      {polls.toReversed().map((poll) => (
        <PollCard key={poll.poll} poll={poll} model={model} chair={chair} />
      ))}
    </section>
  )
}

type CardProps = { poll: Poll; model: CallModel; chair: boolean }

function PollCard({ poll, model, chair }: CardProps) {
  const { t } = useSpeech()
  const title = useId()
  const observer = useStore(model.store, (state) => state.conference.me?.role === 'observer')
  return (
    <section class="poll" data-testid="poll" aria-labelledby={title}>
      <h3 id={title}>{poll.question}</h3>
      <p class="hint" data-testid="poll-state">
        {t(poll.closed ? 'poll.closed' : 'poll.open', { count: votesOf(poll) })}
      </p>
      {poll.closed || observer ? (
        <Results poll={poll} model={model} />
      ) : (
        <Ballot poll={poll} model={model} />
      )}
      {chair && !poll.closed ? (
        <button
          type="button"
          class="button small"
          data-testid="poll-close"
          onClick={() => void model.attempt(() => model.conference.closePoll(poll.poll))}
        >
          {t('poll.end')}
        </button>
      ) : null}
    </section>
  )
}

type PollProps = { poll: Poll; model: CallModel }

const useOwnVote = (model: CallModel, id: string): number | undefined =>
  useStore(
    model.store,
    (state) => state.conference.self.votes?.find(({ poll }) => poll === id)?.option,
  )

function Ballot({ poll, model }: PollProps) {
  const { t } = useSpeech()
  const name = useId()
  const own = useOwnVote(model, poll.poll)
  const [chosen, setChosen] = useState<number | undefined>(undefined)
  const choice = chosen ?? own
  const vote = (): void => {
    if (choice === undefined || choice === own) return
    void model.attempt(() => model.conference.vote(poll.poll, choice))
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        vote()
      }}
    >
      <fieldset class="poll-options">
        <legend class="only-heard">{poll.question}</legend>
        {poll.options.map((option, index) => (
          <label key={index} class="poll-option" data-testid="poll-option">
            <input
              type="radio"
              name={name}
              checked={choice === index}
              onChange={() => setChosen(index)}
            />
            <Bar poll={poll} option={index} text={option} own={own === index} />
          </label>
        ))}
      </fieldset>
      <button
        type="submit"
        class="button primary small"
        data-testid="poll-vote"
        disabled={choice === undefined || choice === own}
      >
        {t(own === undefined ? 'poll.vote' : choice === own ? 'poll.voted' : 'poll.change')}
      </button>
    </form>
  )
}

function Results({ poll, model }: PollProps) {
  const own = useOwnVote(model, poll.poll)
  return (
    <ul class="poll-options">
      {poll.options.map((option, index) => (
        <li key={index} class="poll-option">
          <Bar poll={poll} option={index} text={option} own={own === index} />
        </li>
      ))}
    </ul>
  )
}

type BarProps = { poll: Poll; option: number; text: string; own: boolean }

function Bar({ poll, option, text, own }: BarProps) {
  const { t } = useSpeech()
  const percent = percentOf(poll, option)
  return (
    <span class="poll-bar" data-testid="poll-bar" data-count={poll.counts[option]}>
      <span class="poll-words">
        <span class="poll-text">
          {text}
          {own ? <span class="poll-own"> · {t('poll.own')}</span> : null}
        </span>
        <span class="poll-count">
          {t('poll.count', { count: poll.counts[option] ?? 0, percent })}
        </span>
      </span>
      <span class="poll-track" aria-hidden="true">
        <span class="poll-fill" style={{ width: `${percent}%` }} />
      </span>
    </span>
  )
}

/** Until one has voted, or said that one does not want to. */
export function PollBanner({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const [later, setLater] = useState<readonly string[]>([])
  const { polls, self, me } = useStore(model.store, (state) => state.conference)
  const shown = useStore(model.store, (state) => state.panel === 'polls')
  const voted = new Set([...later, ...(self.votes ?? []).map(({ poll }) => poll)])
  const waiting = polls.findLast(({ poll, closed }) => !closed && !voted.has(poll))
  if (waiting === undefined || shown || me?.role === 'observer') return null
  return (
    <section class="banner poll-banner" data-testid="poll-banner" role="alert">
      <Icon name="poll" />
      <div class="banner-text">
        <p class="banner-next">{t('poll.asks')}</p>
        <p class="banner-main">{waiting.question}</p>
      </div>
      <button
        type="button"
        class="button primary"
        data-testid="poll-answer"
        onClick={() => model.togglePanel('polls')}
      >
        {t('poll.vote')}
      </button>
      <button
        type="button"
        class="icon-button"
        data-testid="poll-later"
        aria-label={t('poll.later')}
        onClick={() => setLater([...later, waiting.poll])}
      >
        <Icon name="close" />
      </button>
    </section>
  )
}
