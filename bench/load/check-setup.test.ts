import test from 'ava'
import { LOAD_CHROMIUM_SITES_MAX, LOAD_GROUPS_MAX, LOAD_SITES_MAX } from '../../config/limits.ts'
import { checkSetup } from './check-setup.ts'
import type { LoadGroup, LoadSetup } from './protocol.ts'

const GROUP: LoadGroup = {
  id: 'clinics',
  kind: 'synthetic',
  count: 10,
  node: 'core',
  routes: [{ doorUrl: 'ws://127.0.0.1:8443/ws', link: 'thin', share: 2 }],
  watches: { audio: 3, main: { widthPx: 640, heightPx: 360 } },
  join: { how: 'storm', atS: 0 },
}
const SETUP: LoadSetup = {
  op: 'setup',
  seed: 1,
  room: 'bench',
  dataDir: '/tmp/x',
  durationS: 20,
  groups: [GROUP],
}

const problem = (over: object) => {
  const checked = checkSetup({ ...SETUP, ...over })
  return checked.ok ? undefined : checked.problem
}
const groupProblem = (over: object) => problem({ groups: [{ ...GROUP, ...over }] })

test('a right setup comes back as it is', (t) => {
  t.deepEqual(checkSetup(SETUP), { ok: true, setup: SETUP })
})

test('a wrong value names its group and key', (t) => {
  const cases: [object, RegExp][] = [
    [{ count: 0 }, /^group clinics: count: /],
    [{ kind: 'robot' }, /^group clinics: kind: /],
    [{ routes: [{ doorUrl: 'http://x' }] }, /^group clinics: routes\.0\.doorUrl: no ws: URL/],
    [{ routes: [] }, /^group clinics: routes: /],
    [{ join: { how: 'paced', atS: 0, perSecond: 0 } }, /^group clinics: join\.perSecond: /],
    [{ join: { how: 'storm', atS: 30 } }, /^group clinics: join\.atS: 30 is not before the end/],
    [{ watches: { audio: 9 } }, /^group clinics: watches\.audio: /],
    [{ watchs: {} }, /^group clinics: watchs: /],
    [
      { behaviours: [{ do: 'hands', fromS: 0, everyS: 1, share: 2 }] },
      /^group clinics: behaviours\.0\.share: /,
    ],
    [{ behaviours: [{ do: 'dance' }] }, /^group clinics: behaviours\.0\.do: /],
  ]
  for (const [over, expected] of cases) t.regex(groupProblem(over) ?? 'none', expected)
})

test('polls are refused as what the protocol does not have yet', (t) => {
  const over = {
    behaviours: [
      { do: 'chat', fromS: 0, perSecond: 1 },
      { do: 'polls', fromS: 0 },
    ],
  }
  t.regex(
    groupProblem(over) ?? '',
    /^group clinics: behaviours\.1\.do: polls are not in the protocol/,
  )
})

test('what does not fit together is refused', (t) => {
  const browser = { kind: 'browser', count: 1, watches: {} }
  const cases: [object, RegExp][] = [
    [{ role: 'viewer', publishes: { audio: {} } }, /a viewer sends nothing/],
    [{ kind: 'signalling' }, /watches: signalling sites have no media/],
    [browser, /pageUrl: browser sites need/],
    [
      { behaviours: [{ do: 'speaker-changes', fromS: 0, everyS: 1 }] },
      /speaker-changes\): nobody in this group sends sound/,
    ],
    [
      { role: 'observer', behaviours: [{ do: 'chat', fromS: 0, perSecond: 1 }] },
      /observers do not chat/,
    ],
    [
      { behaviours: [{ do: 'chat', fromS: 5, untilS: 5, perSecond: 1 }] },
      /untilS: not after fromS/,
    ],
  ]
  for (const [over, expected] of cases) t.regex(groupProblem(over) ?? 'none', expected)
  t.regex(problem({ groups: [GROUP, GROUP] }) ?? '', /two of this id/)
})

test('sites, browser sites and groups of one process are bounded', (t) => {
  const many = { ...GROUP, count: LOAD_SITES_MAX }
  t.is(problem({ groups: [many] }), undefined)
  t.regex(problem({ groups: [many, { ...GROUP, id: 'more' }] }) ?? '', /at most in one process/)
  const routes = [{ doorUrl: 'ws://localhost:1/ws', pageUrl: 'http://localhost:1' }]
  const browsers = { ...GROUP, kind: 'browser', routes, count: LOAD_CHROMIUM_SITES_MAX }
  t.is(problem({ groups: [browsers] }), undefined)
  const more = { ...browsers, count: LOAD_CHROMIUM_SITES_MAX + 1 }
  t.regex(problem({ groups: [more] }) ?? '', /browser sites; 8 at most/)
  const groups = Array.from({ length: LOAD_GROUPS_MAX + 1 }, (_, index) => ({
    ...GROUP,
    id: `g${index}`,
    count: 1,
  }))
  t.regex(problem({ groups }) ?? '', /^groups: /)
})

test('anything else that may come on a line is refused without a throw', (t) => {
  for (const value of [
    null,
    1,
    'x',
    [],
    {},
    { groups: [null] },
    { groups: [{ behaviours: [null] }] },
  ])
    t.false(checkSetup(value).ok)
})
