/** What is wrong with a link, in whole phrases with the figures that matter. Pure. */
import type {
  LinkStatus,
  ShedSummary,
  StreamStatus,
  Trouble,
} from '../../../relay/status/trunk-status.ts'
import type { Speech } from './speech.ts'

/** What a phrase is about: a relay below, or the link above. */
export type Troubled = {
  troubles: readonly Trouble[]
  sinceMs: number
  heardMs?: number
  link: LinkStatus
}

/** One trouble of a relay at a moment (Unix ms). */
export function troubleText(
  about: Troubled,
  { trouble, nowMs }: { trouble: Trouble; nowMs: number },
  speech: Speech,
): string {
  const { t, span, percent, ms } = speech
  const { down, up, rttMs } = about.link
  const heardMs = about.heardMs ?? about.sinceMs
  return t(`trouble.${trouble}`, {
    ago: span(nowMs - (trouble === 'silent' ? heardMs : about.sinceMs)),
    loss: percent(
      trouble === 'unrepaired'
        ? Math.max(down.residualRatio, up.residualRatio)
        : Math.max(down.lossRatio, up.lossRatio),
    ),
    seconds: Math.round(longestPause(about.link) / 1_000),
    queue: ms(Math.max(down.queueDelayMs, up.queueDelayMs)),
    rtt: ms(rttMs),
  })
}

/** The worst trouble, or that there is none. */
export function worstText(about: Troubled, nowMs: number, speech: Speech): string {
  const [trouble] = about.troubles
  if (trouble === undefined) return speech.t('trouble.none')
  return troubleText(about, { trouble, nowMs }, speech)
}

/** What is left out of one class, and why. */
export function shedText(entry: ShedSummary, { t, rate }: Speech): { what: string; why: string } {
  const name = t(`class.${entry.class}`)
  const what = entry.count > 1 ? t('shed.count', { what: name, count: entry.count }) : name
  const seconds = Math.round(entry.keyframeIntervalMs / 1_000)
  const missing = rate(entry.missingBps)
  const narrow = entry.missingBps > 0 ? 'shed.bandwidth' : 'shed.bandwidthOnly'
  return {
    what: t(`shed.${entry.mode}`, { what, seconds }),
    why: t(entry.reason === 'pre-empted' ? 'shed.pre-empted' : narrow, { missing }),
  }
}

/** The level of one stream, and why it is there. */
export function streamText(
  stream: StreamStatus,
  { t, rate }: Speech,
): { level: string; why: string } {
  const { mode, reason, missingBps, layerSent, layerWanted, use } = stream
  const seconds = Math.round(stream.keyframeIntervalMs / 1_000)
  const sent = layerSent + 1
  const wanted = Math.max(layerWanted + 1, sent)
  const moving = use === 'microphone' ? t('stream.voice') : t('stream.full', { sent, wanted })
  const level = mode === 'full' ? moving : t(`stream.${mode}`, { seconds })
  if (reason === 'pre-empted') return { level, why: t('shed.pre-empted') }
  if (reason !== 'bandwidth') return { level, why: t(`stream.${reason}`) }
  return { level, why: t('shed.bandwidth', { missing: rate(missingBps) }) }
}

function longestPause({ down, up }: LinkStatus): number {
  const pauses = [...down.shed, ...up.shed].map(({ keyframeIntervalMs }) => keyframeIntervalMs)
  return Math.max(0, ...pauses)
}
