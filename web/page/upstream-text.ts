/** The link from a relay to the server above, in whole sentences. */
import type { ConferenceState, UpstreamLink } from '../sdk/index.ts'
import type { Translate } from './i18n/index.ts'

export const nodeName = ({ node }: UpstreamLink, t: Translate): string =>
  node === '' ? t('relay.unnamed') : node

export const upstreamName = ({ upstream }: UpstreamLink, t: Translate): string =>
  upstream === '' ? t('relay.above') : upstream

/** How the link fares. */
export const linkText = (link: UpstreamLink, t: Translate): string => {
  const upstream = upstreamName(link, t)
  if (link.state === 'connecting') return t('relay.connecting', { upstream })
  if (link.state === 'island') return t('relay.cut', { upstream })
  return t(`relay.${link.mark}`, { upstream })
}

/** Rate, loss and round trip; what is not known yet is a dash. */
export const linkFigures = ({ rateBps, lossRatio, rttMs }: UpstreamLink, t: Translate): string =>
  t('relay.figures', {
    bitrate: rateBps > 0 ? Math.round(rateBps / 1_000) : '–',
    loss: Math.round(lossRatio * 100),
    rtt: rttMs > 0 ? Math.round(rttMs) : '–',
  })

/** Who moderates the island: oneself, somebody by name and place, or (empty) a chair as ever. */
export const moderatorText = (
  { acting, me }: Pick<ConferenceState, 'acting' | 'me'>,
  t: Translate,
): string => {
  if (acting.some(({ participant }) => participant === me?.participant))
    return t('relay.youModerate')
  const one = acting.at(-1)
  if (one === undefined) return ''
  const name = one.site === '' || one.site === one.name ? one.name : `${one.name} (${one.site})`
  return t('relay.moderates', { name })
}
