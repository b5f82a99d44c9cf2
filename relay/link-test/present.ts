/** A measured link for a terminal: a table, then what to expect. */
import { TRUNK_ESTIMATE_MAX_BPS } from '../../config/limits.ts'
import type { LinkTestRefusal } from '../control/index.ts'
import { type Language, sentenceOf } from './expectation.ts'
import type { DirectionFigures, LinkTestResult, LinkTestStatus } from './figures.ts'

const WORDS = {
  vi: {
    down: 'xuống',
    up: 'lên',
    rate: 'tốc độ',
    loss: 'mất gói',
    burst: 'mất liền nhau',
    jitter: 'dao động',
    queue: 'hàng đợi',
    mtu: 'gói lớn nhất',
    rtt: 'khứ hồi',
    loaded: 'khi tải đầy',
    path: 'đường',
    more: 'trở lên',
    measuring: 'đang đo',
  },
  en: {
    down: 'down',
    up: 'up',
    rate: 'rate',
    loss: 'loss',
    burst: 'burst',
    jitter: 'jitter',
    queue: 'queue',
    mtu: 'largest packet',
    rtt: 'round trip',
    loaded: 'under load',
    path: 'way',
    more: 'or more',
    measuring: 'measuring',
  },
} as const

const REFUSALS: Record<Language, Record<LinkTestRefusal, string>> = {
  vi: {
    busy: 'một phép đo khác đang chạy',
    emergency: 'đang có ca cấp cứu',
    'too-soon': 'vừa mới đo xong, chờ một phút',
    'not-connected': 'không nối được với nút phía trên',
    'no-answer': 'nút phía trên không biết phép đo này (bản cũ)',
    'no-figures': 'không gói nào qua được đường truyền',
  },
  en: {
    busy: 'another test is running',
    emergency: 'an emergency is live',
    'too-soon': 'the last test was only just now: wait a minute',
    'not-connected': 'there is no connection to the node above',
    'no-answer': 'the node above does not know this test (an older version)',
    'no-figures': 'no datagram crossed the link',
  },
}

/** undefined for what is no reason of a test. */
export function refusalText(reason: LinkTestRefusal, language: Language): string | undefined {
  const texts: Partial<Record<string, string>> = REFUSALS[language]
  return texts[reason]
}

/** Lines for stdout. */
export function presentResult(result: LinkTestResult, language: Language): string {
  const words = WORDS[language]
  const { down, up, rttMs, rttLoadedMs, path } = result
  const row = (name: string, value: (of: DirectionFigures) => string): string =>
    `${name.padEnd(16)}${value(down).padStart(18)}${value(up).padStart(18)}`
  return [
    `${''.padEnd(16)}${words.down.padStart(18)}${words.up.padStart(18)}`,
    row(words.rate, ({ rateBps }) => rateText(rateBps, language)),
    row(words.loss, ({ lossRatio }) => `${(lossRatio * 100).toFixed(1)} %`),
    row(words.burst, ({ lossBurst }) => lossBurst.toFixed(1)),
    row(words.jitter, ({ jitterMs }) => `${jitterMs.toFixed(1)} ms`),
    row(words.queue, ({ queueDelayMs }) => `${queueDelayMs.toFixed(0)} ms`),
    row(words.mtu, ({ mtuBytes }) => `${mtuBytes} B`),
    `${words.rtt}: ${rttMs.toFixed(0)} ms (${words.loaded}: ${rttLoadedMs.toFixed(0)} ms), ${words.path}: ${path}`,
    '',
    sentenceOf(result, language),
  ].join('\n')
}

/** One line a second, for stderr. */
export function presentProgress(
  { elapsedS, seconds, now }: LinkTestStatus,
  language: Language,
): string {
  const words = WORDS[language]
  const rate = (bps: number | undefined): string =>
    bps === undefined ? '-' : rateText(bps, language)
  return `${words.measuring} ${elapsedS}/${seconds} s  ${words.down} ${rate(now.down?.rateBps)}  ${words.up} ${rate(now.up?.rateBps)}`
}

function rateText(rateBps: number, language: Language): string {
  // What is received counts, and a little is always on its way.
  const isMost = rateBps >= TRUNK_ESTIMATE_MAX_BPS * 0.9
  const text =
    rateBps >= 1e6 ? `${(rateBps / 1e6).toFixed(1)} Mbit/s` : `${(rateBps / 1e3).toFixed(0)} kbit/s`
  return isMost ? `${text} ${WORDS[language].more}` : text
}
