/** The operator's page without a browser: order, words, figures, and that its codes are the server's. */
import test from 'ava'
import { TROUBLES, type TrunkStatus } from '../../../relay/status/index.ts'
import { TRUNK_CLASSES } from '../../../relay/trunk/index.ts'
import { operatorFixture } from '../../test/operator-fixture.ts'
import { CLASS_ORDER, TROUBLE_ORDER } from './codes.ts'
import { piles } from './piles.ts'
import { createSpeech } from './speech.ts'
import { en } from './texts-en.ts'
import { type TextKey, vi } from './texts-vi.ts'
import { countMarks, rowsOf, troubledRows, worstRows } from './tree.ts'
import { shedText, streamText, troubleText, worstText } from './trouble-text.ts'

const NOW_MS = 1_790_000_000_000
const status: TrunkStatus = operatorFixture(NOW_MS, null)
const speeches = [createSpeech('vi', () => undefined), createSpeech('en', () => undefined)]
const names = (rows: ReturnType<typeof rowsOf>): string[] => rows.map(({ relay }) => relay.name)
const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort()

test('the codes are those of the server, in its order', (t) => {
  t.deepEqual([...CLASS_ORDER], [...TRUNK_CLASSES])
  t.deepEqual([...TROUBLE_ORDER], [...TROUBLES])
})

test('both languages have the same keys and placeholders, and no markup', (t) => {
  t.deepEqual(Object.keys(en).sort(), Object.keys(vi).sort())
  for (const key of Object.keys(vi) as TextKey[]) {
    t.deepEqual(placeholders(en[key]), placeholders(vi[key]), key)
    t.regex(vi[key], /^[^<]+$/)
    t.regex(en[key], /^[^<]+$/)
  }
})

test('every class, trouble, way of shedding and mark has words', (t) => {
  for (const name of CLASS_ORDER) t.true(Object.hasOwn(vi, `class.${name}`), name)
  for (const name of TROUBLE_ORDER) t.true(Object.hasOwn(vi, `trouble.${name}`), name)
})

test('thirty relays, three deep, each once and below its parent', (t) => {
  const rows = rowsOf(status)
  t.is(rows.length, 30)
  t.is(new Set(names(rows)).size, 30)
  t.is(Math.max(...rows.map(({ depth }) => depth)), 2)
  for (const [i, { depth }] of rows.entries()) t.true(depth <= (rows[i - 1]?.depth ?? -1) + 1)
  const deep = rows.find(({ relay }) => relay.name === 'Sín Thầu')
  t.deepEqual(deep?.path, ['Hà Nội', 'Điện Biên', 'Mường Nhé'])
})

test('among siblings the one with the worst below it stands first, and the worst of all first of all', (t) => {
  const rows = rowsOf(status)
  t.deepEqual(names(rows).slice(0, 3), ['Điện Biên', 'Mường Nhé', 'Sín Thầu'])
  const top = rows.filter(({ depth }) => depth === 0)
  t.deepEqual(names(top), ['Điện Biên', 'Hà Giang', 'Lai Châu', 'Sơn La'])
  t.deepEqual(names(worstRows(rows)).slice(0, 3), ['Sín Thầu', 'Xín Mần', 'Mường Nhé'])
})

test('only those with trouble are shown with whoever they hang on', (t) => {
  const rows = troubledRows(rowsOf(status))
  t.true(names(rows).includes('Điện Biên'), 'well, but the way to the worst')
  t.false(names(rows).includes('Sơn La'))
  t.is(rows.filter(({ relay }) => relay.mark !== 'green').length, 6)
  t.deepEqual(countMarks(rowsOf(status)), { red: 2, amber: 4, green: 24 })
})

test('whatever is wrong is said without a gap in the sentence, in both languages', (t) => {
  for (const speech of speeches) {
    for (const { relay } of rowsOf(status)) {
      for (const trouble of TROUBLE_ORDER) {
        t.notRegex(troubleText(relay, { trouble, nowMs: NOW_MS }, speech), /[{}]|NaN|Infinity/)
      }
      for (const entry of relay.link.down.shed) {
        t.notRegex(Object.values(shedText(entry, speech)).join(), /[{}]|NaN/)
      }
      for (const stream of relay.streams ?? []) {
        t.notRegex(Object.values(streamText(stream, speech)).join(), /[{}]|NaN/)
      }
    }
  }
})

test('the worst is said with its figures', (t) => {
  const [vietnamese, english] = speeches
  const of = (name: string) => rowsOf(status).find(({ relay }) => relay.name === name)!.relay
  t.is(worstText(of('Sín Thầu'), NOW_MS, vietnamese!), 'Mất liên lạc 4 phút')
  t.is(worstText(of('Mường Nhé'), NOW_MS, english!), 'The main picture is a still every 7 s')
  t.is(worstText(of('Xín Mần'), NOW_MS, english!), '6 % lost beyond repair')
  t.is(worstText(of('Sơn La'), NOW_MS, english!), 'Everything gets through')
  const [stills, tiles] = of('Mường Nhé').link.down.shed
  t.deepEqual(shedText(stills!, english!), {
    what: 'Main picture: one picture every 7 s',
    why: 'narrow link, 45 kbit/s short',
  })
  t.is(shedText(tiles!, english!).what, 'Small pictures ×4: not sent')
})

test('figures are short and in one unit', (t) => {
  const [vietnamese, english] = speeches
  t.is(english!.rate(64_400), '64 kbit/s')
  t.is(vietnamese!.rate(1_250_000), '1,3 Mbit/s')
  t.is(english!.usage(300_000, 2_000_000), '0.3 / 2 Mbit/s')
  t.is(english!.usage(0, 64_000), '0 / 64 kbit/s')
  t.is(english!.span(-5), '0 seconds')
  t.is(english!.span(3_600_000), '1 hour')
  t.is(vietnamese!.span(2 * 86_400_000), '2 ngày')
})

test('classes are piled one upon the other, and a gap stays a gap', (t) => {
  const empty = { estimateBps: [], usedBps: [], lossRatio: [] }
  t.deepEqual(
    piles({
      ...empty,
      shares: [
        [1, null],
        [2, null],
        [3, null],
      ],
    }),
    [
      [6, null],
      [3, null],
      [1, null],
    ],
  )
})
