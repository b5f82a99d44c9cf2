/** What concerns everybody in the room and is not seen in a picture, as sentences to show once. */
import type { ConferenceState } from '../sdk/index.ts'
import type { Translate } from './i18n/index.ts'
import { moderatorText, upstreamName } from './upstream-text.ts'

export type News = { text: string; urgent: boolean }

/** In the order in which they are to be shown; none before one is in the room. */
export const newsOf = (before: ConferenceState, now: ConferenceState, t: Translate): News[] => {
  if (before.me === undefined) return []
  const news: News[] = []
  const say = (text: string, urgent = false): void => void news.push({ text, urgent })
  if (now.emergency !== before.emergency)
    say(t(now.emergency ? 'say.emergency' : 'say.emergencyOver'), now.emergency)
  for (const { poll, question, closed } of now.polls) {
    const then = before.polls.find((known) => known.poll === poll)
    if (closed && then?.closed === false) say(t('say.pollClosed', { question }))
  }
  if (before.upstream?.state === 'island' && now.upstream?.state === 'connected')
    say(t('relay.back', { upstream: upstreamName(now.upstream, t) }))
  const own = now.me?.participant
  const acted = before.acting.some(({ participant }) => participant === own)
  const acts = now.acting.some(({ participant }) => participant === own)
  if (acts && !acted) say(moderatorText(now, t), true)
  if (acted && !acts) say(t('relay.noLonger'))
  return news
}
