/** Numbers with their units, and names of figures, as people read them in the page's language. */
import type { Unit } from '../page-model.ts'
import { currentLanguage, say, sayOr } from './dictionary.ts'

const SIGNIFICANT = 3
const JUDGED_DIGITS = 5

/** At most so many digits that count. */
export function number(value: number, digits = SIGNIFICANT): string {
  const options = { maximumSignificantDigits: Math.abs(value) >= 1000 ? 21 : digits }
  const rounded = Math.abs(value) >= 1000 ? Math.round(value) : value
  return new Intl.NumberFormat(currentLanguage(), options).format(rounded)
}

function scaled(value: number, units: readonly string[], step: number): string {
  let index = 0
  let left = value
  while (Math.abs(left) >= step && index < units.length - 1) {
    left /= step
    index += 1
  }
  return `${number(left)}\u00a0${units[index] ?? ''}`
}

/** A value of a plot or a figure. */
export function amount(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  switch (unit) {
    case 'bps':
      return scaled(value, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'], 1000)
    case 'bytes':
      return scaled(value, ['B', 'kB', 'MB', 'GB', 'TB'], 1000)
    case 'ratio':
    case 'cores':
      return `${number(value * 100)}\u00a0%`
    case 'ms':
      return Math.abs(value) >= 10_000
        ? `${number(value / 1000)}\u00a0s`
        : `${number(value)}\u00a0ms`
    case 'perSecond':
      return `${number(value)}${say('unit.perSecond')}`
    case 'count':
      return number(value)
  }
}

/** The value of a figure by the unit that its name ends with. */
export function figureText(name: string, value: number | null | undefined): string {
  if (/BytesPerHour$/.test(name) && typeof value === 'number') return `${amount(value, 'bytes')}/h`
  if (value === null || value === undefined || !Number.isFinite(value)) return say('notMeasured')
  if (/BytesPerS$/.test(name)) return `${amount(value, 'bytes')}/s`
  if (/(Bps|BitrateBps)$/.test(name)) return amount(value, 'bps')
  if (/Ms(Max|Mean|Min)?$/.test(name)) return amount(value, 'ms')
  if (/([rR]atio|[sS]hare)(Max)?$/.test(name)) return amount(value, 'ratio')
  if (/Bytes(Max|Mean)?$/.test(name)) return amount(value, 'bytes')
  if (/(Seconds|[a-z]S)$/.test(name)) return `${number(value)}\u00a0s`
  if (/PerSecond$/.test(name)) return amount(value, 'perSecond')
  return number(value)
}

/** A figure that was judged: near 1 with more digits, so that 99.996 % does not read as 100 %. */
export function judgedText(name: string, value: number | null): string {
  const isNearOne = value !== null && Math.abs(value - 1) < 0.01
  if (!isNearOne || !/([rR]atio|[sS]hare)(Max)?$/.test(name)) return figureText(name, value)
  return `${number(value * 100, JUDGED_DIGITS)}\u00a0%`
}

/** `1:05`, or seconds below two minutes. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${number(seconds)}\u00a0s`
  const whole = Math.round(seconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** A date and time as people write it here. */
export function dateText(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const style = { dateStyle: 'medium', timeStyle: 'short' } as const
  return new Intl.DateTimeFormat(currentLanguage(), style).format(date)
}

/** `latency.audio` in words where all its parts are known, else `otherwise`. */
export function nameInWords(name: string, otherwise: string): string {
  const words = name.split('.').map((part) => sayOr(`word.${part}`, ''))
  if (words.some((word) => word === '')) return otherwise
  const joined = words.join(' · ')
  return joined.charAt(0).toUpperCase() + joined.slice(1)
}

/** A sign for each verdict or health, so that colour is never alone. */
export function sign(word: string): string {
  switch (word) {
    case 'pass':
    case 'good':
      return '✔'
    case 'fail':
    case 'bad':
    case 'broken':
      return '✘'
    case 'strained':
    case 'void':
    case 'interrupted':
      return '!'
    case 'idle':
    case 'none':
      return '–'
    default:
      return '?'
  }
}
