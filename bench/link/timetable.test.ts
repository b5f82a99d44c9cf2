import test from 'ava'
import fc from 'fast-check'
import { TIMETABLE_CHANGES_MAX } from '../../config/limits.ts'
import { parseChange, parseTimeMs, parseTimetableList, parseTimetableTexts } from './index.ts'

test('times have a unit', (t) => {
  t.deepEqual(['250ms', '10s', '1.5m', '2h', '10', '-1s', 's', '', '1e3s'].map(parseTimeMs), [
    250,
    10_000,
    90_000,
    7_200_000,
    ...Array(5).fill(undefined),
  ])
})

test('changes come sorted, with suffixes, directions and words', (t) => {
  const { changes, problems } = parseTimetableTexts([
    '20s:up:cut',
    '10s:rateBps=300k,lossRatio=0.1',
    '25s:heal',
    '30s:down:profile=3g,delayMs=90',
    '40s:rebind',
    '50s:burstLoss=0.01/0.2/0/1,reorder=true',
    '60s:burstLoss=none',
  ])
  t.deepEqual(problems, [])
  const both = ['down', 'up']
  t.deepEqual(changes as unknown[], [
    {
      atMs: 10_000,
      directions: both,
      settings: { rateBps: 300_000, lossRatio: 0.1 },
      rebind: false,
    },
    { atMs: 20_000, directions: ['up'], settings: { up: false }, rebind: false },
    { atMs: 25_000, directions: both, settings: { up: true }, rebind: false },
    { atMs: 30_000, directions: ['down'], profile: '3g', settings: { delayMs: 90 }, rebind: false },
    { atMs: 40_000, directions: both, settings: {}, rebind: true },
    {
      atMs: 50_000,
      directions: both,
      settings: {
        burstLoss: { goodToBad: 0.01, badToGood: 0.2, lossRatioGood: 0, lossRatioBad: 1 },
        reorder: true,
      },
      rebind: false,
    },
    { atMs: 60_000, directions: both, settings: { burstLoss: undefined }, rebind: false },
  ])
})

test('YAML says the same as text', (t) => {
  const list = [
    { at: '10s', rateBps: '300k', lossRatio: 0.1 },
    { at: '20s', direction: 'up', cut: true },
    { at: '30s', rebind: true },
  ]
  const texts = ['10s:rateBps=300k,lossRatio=0.1', '20s:up:cut', '30s:rebind']
  t.deepEqual(parseTimetableList(list), parseTimetableTexts(texts))
})

for (const [text, complaint] of [
  ['rateBps=1', /the time is missing/],
  ['10s:rate=1', /no such key: "rate"; allowed: rateBps, /],
  ['10s:lossRatio=2', /lossRatio: "2"; allowed: 0 to 1/],
  ['10s:delayMs=-1', /delayMs: "-1"; allowed: 0 to 60000/],
  ['10s:profile=5g', /profile: "5g"; allowed: perfect, fibre/],
  ['10s:reorder=maybe', /reorder: "maybe"; allowed: true or false/],
  ['10s:burstLoss=0.1/2', /burstLoss: .* allowed: none, or goodToBad/],
  ['10s:cut=3', /cut: "3"; allowed: cut alone/],
  ['10s:', /no such key: ""/],
] as const) {
  test(`${text} is refused with what is allowed`, (t) => {
    const { changes, problems } = parseTimetableTexts([text])
    t.deepEqual(changes, [])
    t.is(problems.length, 1)
    t.regex(problems[0] ?? '', complaint)
  })
}

test('complaints about a list name the entry', (t) => {
  const { problems } = parseTimetableList([{ at: '1s', cut: true }, { at: 'soon', cut: true }, 7])
  t.regex(problems[0] ?? '', /entry 2: at: "soon"; allowed/)
  t.regex(problems[1] ?? '', /entry 3 is not a mapping/)
  t.deepEqual(parseTimetableList('x').problems, ['the timetable is not a list'])
  t.regex(parseTimetableList([{ at: '1s', direction: 'left' }]).problems[0] ?? '', /down, up, both/)
})

test('a timetable is bounded', (t) => {
  const list = Array(TIMETABLE_CHANGES_MAX + 1).fill({ at: '1s', cut: true })
  t.is(parseTimetableList(list).problems.length, 1)
  t.is(parseTimetableList(list.slice(1)).problems.length, 0)
})

test('no text makes it throw', (t) => {
  fc.assert(
    fc.property(fc.string(), fc.anything(), (text, value) => {
      parseChange(text, 0)
      parseTimetableTexts([text])
      parseTimetableList([value, { at: '1s', [text]: value }])
      return true
    }),
  )
  t.pass()
})
