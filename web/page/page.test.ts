import test from 'ava'
import type { ConferenceState } from '../sdk/index.ts'
import { initialState } from '../sdk/state.ts'
import type { StreamHistory } from './history.ts'
import { remember, SAMPLES_MAX, STREAMS_MAX } from './history.ts'
import { initialsOf } from './initials.ts'
import { levelOf } from './level.ts'
import { NAMES_MAX, NameBook, SEARCH_INTERVAL_MS } from './names.ts'
import { mainOccupant, stageCards, wantedTiles } from './pictures.ts'
import { SHORTCUTS, shortcutOf } from './shortcuts.ts'
import { findToken, isLoopback, parseInvitation } from './token.ts'

const jwt = (payload: unknown): string =>
  `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`

test('an invitation is read from the fragment, from a pasted link, or bare', (t) => {
  const token = jwt({ room: 'Hội', role: 'chair', name: 'Mai', site: 'Sín Thầu', exp: 10 })
  t.is(findToken(`#token=${token}`), token)
  t.is(findToken(`https://node/r/x#lang=vi&token=${token}`), token)
  t.is(findToken(` ${token} `), token)
  t.is(findToken('https://node/r/x'), undefined)
  t.like(parseInvitation(token), { room: 'Hội', role: 'chair', expiresAtMs: 10_000 })
})

test('what is no token is no invitation, and strange claims do no harm', (t) => {
  for (const bad of ['', 'a.b', 'a.!.c', 'a.bnVsbA.c', 'x'.repeat(9)])
    t.is(parseInvitation(bad), undefined)
  const odd = parseInvitation(jwt({ room: { a: 1 }, role: '__proto__', name: 3, exp: 'x' }))
  t.deepEqual([odd?.room, odd?.role, odd?.name, odd?.expiresAtMs], ['', 'viewer', '', undefined])
})

test('only loopback names are loopback', (t) => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]', 'a.localhost'])
    t.true(isLoopback(host), host)
  for (const host of ['127.0.0.1.evil.vn', 'localhost.vn', '10.0.0.1', '128.0.0.1'])
    t.false(isLoopback(host), host)
})

test('levels go from -60 dB to -6 dB', (t) => {
  t.is(levelOf(0), 0)
  t.is(levelOf(1), 1)
  t.true(Math.abs(levelOf(10 ** (-33 / 20)) - 0.5) < 1e-9)
})

test('letters of a name are its first and last word', (t) => {
  t.is(initialsOf('Nguyễn Thị Hồng Ánh'), 'NÁ')
  t.is(initialsOf('đức'), 'Đ')
  t.is(initialsOf('  '), '')
})

test('shortcuts do nothing in a field, with a modifier, or held down', (t) => {
  const press = { key: 'm', ctrlKey: false, altKey: false, metaKey: false, repeat: false }
  t.is(shortcutOf({ ...press, inField: false }), 'microphone')
  t.is(shortcutOf({ ...press, inField: true }), undefined)
  t.is(shortcutOf({ ...press, ctrlKey: true, inField: false }), undefined)
  t.is(shortcutOf({ ...press, repeat: true, inField: false }), undefined)
  t.is(shortcutOf({ ...press, key: 'Escape', inField: true }), 'escape')
  t.is(new Set(SHORTCUTS.map(({ key }) => key)).size, SHORTCUTS.length)
})

const stream = (mid: string) => ({
  mid,
  kind: 'video' as const,
  direction: 'receive' as const,
  bitrateBps: 1_234,
  lossRatio: 0.5,
  rttMs: 1,
  jitterMs: 0,
  framesPerSecond: 0,
  widthPx: 0,
  heightPx: 0,
  freezesNow: 0,
  frames: 0,
  limitedBy: 'none' as const,
  spatialLayer: -1,
  layers: [],
})

test('history keeps a bounded number of samples and streams, and forgets silent ones', (t) => {
  let history: StreamHistory = new Map()
  const many = Array.from({ length: STREAMS_MAX + 5 }, (_, index) => stream(String(index)))
  for (let round = 0; round < SAMPLES_MAX + 3; round += 1)
    history = remember(history, { statistics: many, quality: [], nowMs: round * 2_000 })
  t.is(history.size, STREAMS_MAX)
  t.is(history.get('0')?.length, SAMPLES_MAX)
  t.like(history.get('0')?.at(-1), { bitrateKbps: 1.2, lossPercent: 50, layer: null })
  history = remember(history, { statistics: [stream('0')], quality: [], nowMs: 0 })
  t.is(history.size, 1)
})

const state = (): ConferenceState => ({
  ...initialState(0),
  me: { participant: 'pme', role: 'speaker', name: 'Me', site: '' },
  stage: [
    {
      participant: 'p1',
      name: 'One',
      site: 'S',
      role: 'speaker',
      sources: { camera: { muted: false }, screen: { muted: false } },
    },
    { participant: 'p2', name: 'Two', site: 'S', role: 'speaker', sources: {} },
    {
      participant: 'pme',
      name: 'Me',
      site: '',
      role: 'speaker',
      sources: { camera: { muted: false } },
    },
  ],
})

test('oneself comes first, and who shares a screen has two cards', (t) => {
  const cards = stageCards(state())
  t.deepEqual(
    cards.map(({ key }) => key),
    ['pme/camera', 'p1/screen', 'p1/camera', 'p2/camera'],
  )
})

test('tiles go to live pictures of others that are not the main one', (t) => {
  const cards = stageCards(state())
  const main = { mid: '6', participant: 'p1', use: 'screen', state: 'live' } as const
  t.deepEqual(wantedTiles(cards, main, []), [{ participant: 'p1', use: 'camera' }])
})

test('an empty main slot has no occupant', (t) => {
  const empty = { mid: '6', participant: null, use: null, state: 'empty' } as const
  t.is(mainOccupant([empty], '6'), undefined)
})

const page = (names: string[], cursor: string | null) => ({
  type: 'roster-page' as const,
  members: names.map((name) => ({
    participant: name,
    name,
    site: '',
    role: 'viewer' as const,
    onStage: false,
  })),
  cursor,
  total: 2,
})

test('unknown names are searched page by page, and not again at once', async (t) => {
  let changes = 0
  const book = new NameBook(() => {
    changes += 1
  })
  const asked: (string | undefined)[] = []
  const conference = {
    roster: ({ cursor }: { limit: number; cursor?: string }) => {
      asked.push(cursor)
      return Promise.resolve(cursor === undefined ? page(['a'], 'next') : page(['b'], null))
    },
  }
  await book.find(['b'], { conference, nowMs: 0 })
  t.deepEqual(asked, [undefined, 'next'])
  t.is(book.get('b')?.name, 'b')
  await book.find(['unknown'], { conference, nowMs: SEARCH_INTERVAL_MS - 1 })
  t.is(asked.length, 2)
  t.is(changes, 1)
})

test('the book of names forgets the oldest beyond its bound', (t) => {
  const book = new NameBook(() => {})
  for (let index = 0; index <= NAMES_MAX; index += 1)
    book.learn([{ participant: String(index), name: 'x', site: '' }])
  t.is(book.get('0'), undefined)
  t.truthy(book.get(String(NAMES_MAX)))
})
