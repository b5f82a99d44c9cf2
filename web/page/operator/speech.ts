/** Words and figures of the operator's page in the language of the moment. Pure but for the context. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { fill, type Language, type Values } from '../i18n/index.ts'
import { en } from './texts-en.ts'
import { type TextKey, vi } from './texts-vi.ts'

export type Speech = {
  language: Language
  t: (key: TextKey, values?: Values) => string
  /** Bit/s as `480 kbit/s` or `1.2 Mbit/s`. */
  rate: (bitrateBps: number) => string
  /** Both in the unit of the second: `0.4 / 2.1 Mbit/s`. */
  usage: (usedBps: number, estimateBps: number) => string
  /** 0..1 as `3.5 %`. */
  percent: (ratio: number) => string
  ms: (value: number) => string
  count: (value: number) => string
  /** A length of time in its largest unit: `12 minutes`. */
  span: (elapsedMs: number) => string
  /** Time of day with minutes, of Unix seconds. */
  clock: (seconds: number) => string
  switchLanguage: () => void
}

const TABLES = { vi, en }
const SPANS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

export function createSpeech(language: Language, switchLanguage: () => void): Speech {
  const number = (digits: number): Intl.NumberFormat =>
    new Intl.NumberFormat(language, { maximumFractionDigits: digits })
  const whole = number(0)
  const tenths = number(1)
  const time = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' })
  const inUnit = (value: number, unit: string): string =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit,
      unitDisplay: 'long',
      maximumFractionDigits: 0,
    }).format(value)
  return {
    language,
    t: (key, values) => fill(TABLES[language][key], values),
    rate: (bps) =>
      bps >= 999_500 ? `${tenths.format(bps / 1e6)} Mbit/s` : `${whole.format(bps / 1e3)} kbit/s`,
    usage: (usedBps, estimateBps) =>
      estimateBps >= 999_500
        ? `${tenths.format(usedBps / 1e6)} / ${tenths.format(estimateBps / 1e6)} Mbit/s`
        : `${whole.format(usedBps / 1e3)} / ${whole.format(estimateBps / 1e3)} kbit/s`,
    percent: (ratio) => `${(ratio < 0.1 ? tenths : whole).format(ratio * 100)} %`,
    ms: (value) => `${whole.format(value)} ms`,
    count: (value) => whole.format(value),
    span: (elapsedMs) => {
      const found = SPANS.find(([, unitMs]) => elapsedMs >= unitMs)
      if (found === undefined) return inUnit(Math.max(0, Math.round(elapsedMs / 1_000)), 'second')
      return inUnit(Math.floor(elapsedMs / found[1]), found[0])
    },
    clock: (seconds) => time.format(seconds * 1_000),
    switchLanguage,
  }
}

export const OperatorSpeech = createContext<Speech>(createSpeech('vi', () => undefined))

export const useOperatorSpeech = (): Speech => useContext(OperatorSpeech)
