/** Texts in two languages: choice, lookup, placeholders. Pure. */
import { en } from './en.ts'
import { vi } from './vi.ts'

export type Language = 'vi' | 'en'
export type TextKey = keyof typeof vi
export type Values = Readonly<Record<string, string | number>>
export type Translate = (key: TextKey, values?: Values) => string

const TABLES: Readonly<Record<Language, Readonly<Record<TextKey, string>>>> = { vi, en }

/** The first of the browser's languages that we have; Vietnamese when there is none. */
export const chooseLanguage = (preferred: readonly string[]): Language => {
  for (const tag of preferred) {
    const language = tag.toLowerCase().split('-')[0]
    if (language === 'vi' || language === 'en') return language
  }
  return 'vi'
}

/** Replaces `{name}` by values; a placeholder without a value stays visible. */
export const fill = (text: string, values: Values = {}): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  )

export const translator =
  (language: Language): Translate =>
  (key, values) =>
    fill(TABLES[language][key], values)

/** The key when it exists, else the other one: for texts whose key depends on a code from outside. */
export const keyOr = (candidate: string, otherwise: TextKey): TextKey =>
  Object.hasOwn(vi, candidate) ? (candidate as TextKey) : otherwise

/** `m:ss` or `h:mm:ss`. */
export const duration = (elapsedMs: number): string => {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1_000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3_600)
  const minutes = Math.floor(seconds / 60) % 60
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`
}
