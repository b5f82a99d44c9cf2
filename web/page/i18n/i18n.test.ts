import test from 'ava'
import { en } from './en.ts'
import type { TextKey } from './index.ts'
import { chooseLanguage, duration, fill, keyOr, translator } from './index.ts'
import { vi } from './vi.ts'

const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort()

test('both languages have the same keys', (t) => {
  t.deepEqual(Object.keys(en).sort(), Object.keys(vi).sort())
})

test('both languages use the same placeholders in every text', (t) => {
  for (const key of Object.keys(vi) as TextKey[])
    t.deepEqual(placeholders(en[key]), placeholders(vi[key]), key)
})

test('no text is empty, and no text holds markup', (t) => {
  for (const text of [...Object.values(vi), ...Object.values(en)]) t.regex(text, /^[^<]+$/)
})

test('the browser’s first known language wins, and Vietnamese is the default', (t) => {
  t.is(chooseLanguage(['fr-FR', 'en-GB', 'vi']), 'en')
  t.is(chooseLanguage(['vi-VN', 'en']), 'vi')
  t.is(chooseLanguage(['fr']), 'vi')
  t.is(chooseLanguage([]), 'vi')
})

test('placeholders are replaced once, and unknown ones stay', (t) => {
  t.is(fill('{a} {b}', { a: '{b}' }), '{b} {b}')
  t.is(fill('{constructor}', {}), '{constructor}')
  t.is(translator('en')('call.listening', { count: 12 }), '12 listening')
})

test('a code without a text of its own gets the general one', (t) => {
  t.is(keyOr('ended.kicked', 'ended.other'), 'ended.kicked')
  t.is(keyOr('ended.constructor', 'ended.other'), 'ended.other')
})

test('durations count seconds, minutes and hours', (t) => {
  t.is(duration(-5), '0:00')
  t.is(duration(59_999), '0:59')
  t.is(duration(60_000), '1:00')
  t.is(duration(3_600_000), '1:00:00')
})
