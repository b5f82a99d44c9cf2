/**
 * The vocabulary that schema.ts is written in: each form says in its message what is allowed, reads
 * what a person writes (`10m`, `150k`, `640x360`) into what programs use, and keeps what
 * docs/BENCH.md needs. A thin layer over valibot, for two things that it does not do: it tells all
 * unknown keys instead of the first, and says allowed values instead of type names.
 */
import * as v from 'valibot'
import { parseTimeMs } from '../link/index.ts'

/** Reads anything into `T`, or complains with what is allowed. */
export type Form<T> = v.GenericSchema<unknown, T>

/** `expected` of an issue whose message says all by itself. */
export const SAID = 'said'

/** What a form keeps for the documentation, beside its description. */
export type FormNote = {
  allowed?: string
  /**
   * Tables inside: of one mapping, of each entry of a map by id, or of each value of a deciding
   * key.
   */
  entries?: Entries
  each?: Form<unknown>
  choices?: { key: string; forms: Record<string, Form<unknown>> }
}

type Scalar = string | number | boolean

export type Entries = Record<string, v.GenericSchema>

type Read<E extends Entries> = v.InferOutput<v.ObjectSchema<E, undefined>>

/** Text that `read` takes; `undefined` from it means no. */
export function reading<T>(allowed: string, read: (value: unknown) => T | undefined): Form<T> {
  const form = v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset, addIssue, NEVER }): T => {
      const value = read(dataset.value)
      if (value !== undefined) return value
      addIssue({ message: allowed })
      return NEVER
    }),
  )
  return noted(form, { allowed })
}

/** Both ends included. */
export function integer(min: number, max: number): Form<number> {
  return reading(`a whole number from ${min} to ${max}`, (value) => {
    return Number.isInteger(value) && isWithin(value as number, min, max)
      ? (value as number)
      : undefined
  })
}

/** Both ends included. */
export function decimal(min: number, max: number): Form<number> {
  return reading(`a number from ${min} to ${max}`, (value) => {
    return typeof value === 'number' && isWithin(value, min, max) ? value : undefined
  })
}

/** `0.3`, or `30%`. */
export function ratio(): Form<number> {
  return reading('0 to 1, or such as 30%', (value) => {
    const percent = /^(\d+(?:\.\d+)?)%$/.exec(String(value))
    const number = percent === null ? value : Number(percent[1]) / 100
    return typeof number === 'number' && isWithin(number, 0, 1) ? number : undefined
  })
}

/** Bits per second: `96000`, `150k`, `1.5M`. */
export function rateBps(max: number): Form<number> {
  return reading(`bits per second up to ${max / 1e6}M, such as 150k`, (value) => {
    const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(String(value))
    if (match === null) return undefined
    const rate = Number(match[1]) * { '': 1, k: 1e3, M: 1e6 }[match[2] as '' | 'k' | 'M']
    return rate > 0 && rate <= max ? rate : undefined
  })
}

/** Seconds of `500ms`, `20s`, `10m`, `2h`; a bare `0` is 0 s. */
export function seconds(minS = 0): Form<number> {
  const bound = minS > 0 ? `, ${minS}s at least` : ''
  return reading(`a time such as 500ms, 20s, 10m, 2h${bound}`, (value) => {
    const ms = value === 0 ? 0 : parseTimeMs(value)
    return ms === undefined || ms < minS * 1000 ? undefined : ms / 1000
  })
}

/** `640x360`. */
export function size(): Form<{ widthPx: number; heightPx: number }> {
  return reading('width x height in pixels, such as 640x360', (value) => {
    const match = /^(\d{1,5})x(\d{1,5})$/.exec(String(value))
    const [widthPx, heightPx] = [Number(match?.[1]), Number(match?.[2])]
    return isWithin(widthPx, 1, 16_384) && isWithin(heightPx, 1, 16_384)
      ? { widthPx, heightPx }
      : undefined
  })
}

/** Not empty, one line. */
export function line(charsMax: number): Form<string> {
  return reading(`text of 1 to ${charsMax} characters`, (value) => {
    return typeof value === 'string' && value !== '' && value.length <= charsMax ? value : undefined
  })
}

/** One of these words, written exactly so. */
export function oneOf<const T extends string>(words: readonly T[]): Form<T> {
  return reading(words.join(', '), (value) => words.find((word) => word === value))
}

/** YAML's own `true` and `false`. */
export function flag(): Form<boolean> {
  return reading('true or false', (value) => (typeof value === 'boolean' ? value : undefined))
}

/** The id of something else in the file; whether that exists is seen later (references.ts). */
export function idOf(what: string): Form<string> {
  return reading(`the id of ${what}`, (value) => (typeof value === 'string' ? value : undefined))
}

/** A mapping with these keys and no others; each unknown one is told. */
export function mapping<const E extends Entries>(entries: E): Form<Read<E>> {
  const keys = Object.keys(entries)
  const allowed = `a mapping with ${keys.join(', ')}`
  const form = v.pipe(
    v.looseObject(entries, allowed),
    v.rawCheck(({ dataset, addIssue }) => {
      const value: unknown = dataset.value
      if (!isMapping(value)) return
      for (const key of Object.keys(value).filter((one) => !keys.includes(one))) {
        const item = {
          type: 'object',
          origin: 'key',
          input: value,
          key,
          value: value[key],
        } as const
        addIssue({ message: `no such key; allowed: ${keys.join(', ')}`, path: [item] })
      }
    }),
  )
  return noted(form as Form<unknown>, { entries }) as Form<Read<E>>
}

/** A mapping of ids that the file itself chooses. */
export function byId<T>(each: Form<T>, countMax: number): Form<Record<string, T>> {
  const form = v.pipe(
    v.record(v.string(), each, 'a mapping of ids'),
    v.maxEntries(countMax, `at most ${countMax} of them`),
  )
  return noted(form as Form<Record<string, T>>, { each })
}

/** A list; both bounds included. */
export function list<T>(each: Form<T>, { min, max }: { min: number; max: number }): Form<T[]> {
  const form = v.pipe(
    v.array(each, 'a list'),
    v.minLength(min, `a list with ${min} entry at least`),
    v.maxLength(max, `a list with ${max} entries at most`),
  )
  return noted(form as Form<T[]>, { each })
}

/** A mapping whose `key` decides what else stands in it. */
export function choice<const C extends Record<string, Form<unknown>>>(
  key: string,
  forms: C,
): Form<v.InferOutput<C[keyof C]>> {
  const words = Object.keys(forms)
  const unknown = v.looseObject(
    { [key]: oneOf(words) },
    `a mapping with ${key}: ${words.join(', ')}`,
  )
  const form = v.lazy((input) => {
    const word = isMapping(input) ? input[key] : undefined
    const chosen = typeof word === 'string' && Object.hasOwn(forms, word) ? forms[word] : undefined
    return chosen ?? unknown
  })
  return noted(form as Form<unknown>, { choices: { key, forms } }) as Form<
    v.InferOutput<C[keyof C]>
  >
}

/** A short way to write a mapping or a list: whatever is neither is read by `short`. */
export function orShort<T>(short: Form<T>, long: Form<T>): Form<T> {
  const form = v.lazy((input) => (isMapping(input) || Array.isArray(input) ? long : short))
  const allowed = `${noteOf(short).allowed ?? ''}, or more than that`
  return noted(form as Form<T>, { ...noteOf(long), allowed })
}

/** `form` and then another shape of it. */
export function turned<A, B>(form: Form<A>, turn: (value: A) => B): Form<B> {
  return noted(v.pipe(form, v.transform(turn)) as Form<B>, noteOf(form))
}

/** A key that must stand, with its meaning. */
export function key<T>(form: Form<T>, meaning: string) {
  return v.pipe(form, v.metadata(noteOf(form) as Record<string, unknown>), v.description(meaning))
}

/** A key that may be left out, which leaves it out of what is read. */
export function maybe<T>(form: Form<T>, meaning: string) {
  return v.exactOptional(key(form, meaning))
}

/** A key that may be left out; `preset` is read in its place. */
export function preset<T>(
  form: Form<T>,
  [value, meaning]: [value: object | Scalar, meaning: string],
) {
  return v.optional(key(form, meaning), value)
}

/** What a form keeps for the documentation. */
export function noteOf(form: v.GenericSchema): FormNote {
  return v.getMetadata(form as never) as FormNote
}

/** True for what YAML calls a mapping. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function noted<T>(form: Form<T>, note: FormNote): Form<T> {
  return v.pipe(form, v.metadata(note as Record<string, unknown>)) as Form<T>
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max
}
