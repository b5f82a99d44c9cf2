/**
 * Every key of a scenario's file, once: from this table come the check, the types that read.ts
 * works with, and the tables of docs/BENCH.md. What fits together (ids, cycles, times) is seen in
 * references.ts.
 */
import type * as v from 'valibot'
import {
  AUDIO_SLOTS_MAX,
  LAYERS_PER_PUBLICATION_MAX,
  SCENARIO_CRITERIA_MAX,
  SCENARIO_DURATION_S_MAX,
  SCENARIO_FAULTS_MAX,
  SCENARIO_GROUPS_MAX,
  SCENARIO_LINKS_MAX,
  SCENARIO_NODES_MAX,
  SCENARIO_REPEAT_MAX,
  SCENARIO_SITES_MAX,
  TILES_MAX,
} from '../../config/limits.ts'
import type { Behaviour, JoinPlan } from '../load/protocol.ts'
import {
  byId,
  choice,
  decimal,
  type Form,
  flag,
  idOf,
  integer,
  key,
  line,
  list,
  mapping,
  maybe,
  oneOf,
  orShort,
  preset,
  rateBps,
  ratio,
  reading,
  seconds,
  size,
  turned,
} from './form.ts'
import { anything, linkForm } from './link-form.ts'
import type { Need } from './scenario.ts'

const NEEDS: readonly Need[] = ['janus', 'chromium']
const RATE_BPS_MAX = 20e6

const need = oneOf(NEEDS)
const core = integer(0, 1023)

const node = choice('kind', {
  core: mapping({
    kind: key(oneOf(['core']), 'our server, from this repository'),
    config: maybe(
      anything('settings as in docs/CONFIG.md'),
      'settings of docs/CONFIG.md, nested or dotted',
    ),
    program: maybe(
      line(512),
      'another build: a program or `.ts` file to run instead of `./nhipcau`, from the root of the repository',
    ),
  }),
  relay: mapping({
    kind: key(oneOf(['relay']), 'our server below another one'),
    upstream: key(idOf('the node above'), 'the node that it dials'),
    link: maybe(idOf('a link'), 'the line between; without it they meet on loopback'),
    config: maybe(anything('settings as in docs/CONFIG.md'), 'as for a core'),
    program: maybe(line(512), 'as for a core'),
  }),
  rival: mapping({
    kind: key(oneOf(['rival']), 'another server under the same load'),
    rival: key(oneOf(['janus']), 'which: Janus from Debian, in a namespace pair'),
    eventLoops: preset(integer(0, 64), [2, 'threads that carry media; as many as cores is fair']),
  }),
})

const layer = mapping({
  bitrateBps: key(rateBps(RATE_BPS_MAX), 'of this layer alone'),
  size: key(size(), 'of its picture'),
})

const publishes = mapping({
  audio: maybe(
    orShort(
      turned(flagTrue(), () => ({})),
      mapping({
        payloadBytes: maybe(
          integer(30, 1000),
          'of Opus in a packet, 50 packets a second; left out: 80',
        ),
      }),
    ),
    'sends Opus',
  ),
  video: maybe(
    mapping({
      framesPerSecond: preset(decimal(1, 120), [25, 'pictures a second']),
      temporal: preset(flag(), [false, 'three temporal layers']),
      layers: key(
        list(
          turned(layer, ({ bitrateBps, size: { widthPx, heightPx } }) => ({
            bitrateBps,
            widthPx,
            heightPx,
          })),
          { min: 1, max: LAYERS_PER_PUBLICATION_MAX },
        ),
        'lowest picture first; more than one is simulcast',
      ),
    }),
    'sends VP8',
  ),
})

const watches = mapping({
  audio: preset(integer(0, AUDIO_SLOTS_MAX), [1, 'slots for voices']),
  main: maybe(size(), 'draws the main picture at this size; left out: does not take it'),
  tiles: maybe(
    turned(
      mapping({
        count: key(integer(1, TILES_MAX), 'small pictures'),
        size: key(size(), 'of each'),
      }),
      ({ count, size: { widthPx, heightPx } }) => ({ count, widthPx, heightPx }),
    ),
    'small pictures beside the main one',
  ),
})

const at = preset(seconds(), ['0s', 'when it begins'])

const join: Form<JoinPlan> = choice('how', {
  storm: turned(
    mapping({
      how: key(oneOf(['storm']), 'as fast as they come'),
      at,
      parallel: maybe(integer(1, SCENARIO_SITES_MAX), 'joins under way at a time; left out: all'),
    }),
    ({ at: atS, ...rest }): JoinPlan => ({ ...rest, atS }),
  ),
  paced: turned(
    mapping({
      how: key(oneOf(['paced']), 'at an even rate'),
      at,
      perSecond: key(decimal(0.01, 10_000), 'joins begun a second'),
    }),
    ({ at: atS, ...rest }): JoinPlan => ({ ...rest, atS }),
  ),
})

const span = {
  from: preset(seconds(), ['0s', 'when it begins']),
  until: maybe(seconds(), 'when it ends; left out: with the run'),
}
const every = key(seconds(0.05), 'how often')
const sitesShare = key(ratio(), 'of the sites that take part')

const behaviour: Form<Behaviour> = choice('do', {
  'speaker-changes': spanned(
    mapping({
      do: key(oneOf(['speaker-changes']), 'the publishers of the group take turns in being loud'),
      ...span,
      every,
    }),
    ({ every: everyS }) => ({ do: 'speaker-changes', everyS }),
  ),
  hands: spanned(
    mapping({
      do: key(oneOf(['hands']), 'hands go up, and down again after `every`'),
      ...span,
      every,
      share: sitesShare,
    }),
    ({ every: everyS, share }) => ({ do: 'hands', everyS, share }),
  ),
  chat: spanned(
    mapping({
      do: key(oneOf(['chat']), 'the group writes lines'),
      ...span,
      perSecond: key(decimal(0.01, 1000), 'lines a second by the whole group'),
    }),
    ({ perSecond }) => ({ do: 'chat', perSecond }),
  ),
  emergency: spanned(
    mapping({
      do: key(
        oneOf(['emergency']),
        'the first of the group, a chair, marks its room as an emergency',
      ),
      ...span,
    }),
    () => ({ do: 'emergency' }),
  ),
  poll: spanned(
    mapping({
      do: key(oneOf(['poll']), 'the first of the group, a chair, asks the room'),
      ...span,
    }),
    () => ({ do: 'poll' }),
  ),
  vote: turned(
    mapping({
      do: key(oneOf(['vote']), 'each votes in the poll that is open'),
      from: span.from,
      within: key(seconds(), 'at a random moment of this time'),
    }),
    ({ from: fromS, within: withinS }): Behaviour => ({ do: 'vote', fromS, withinS }),
  ),
  'come-and-go': spanned(
    mapping({
      do: key(oneOf(['come-and-go']), 'sites leave and come back'),
      ...span,
      every,
      away: key(seconds(0.05), 'how long they stay away'),
      share: sitesShare,
      abrupt: preset(flag(), [false, 'without a word, as when a plug is pulled']),
    }),
    ({ every: everyS, away: awayS, share, abrupt }) => ({
      do: 'come-and-go',
      everyS,
      awayS,
      share,
      abrupt,
    }),
  ),
  reconnect: turned(
    mapping({
      do: key(oneOf(['reconnect']), 'whoever loses the door comes back, until it is in'),
      within: key(seconds(), 'at a random moment of this time after the loss'),
    }),
    ({ within: withinS }): Behaviour => ({ do: 'reconnect', withinS }),
  ),
})

const group = mapping({
  kind: preset(oneOf(['synthetic', 'signalling', 'browser']), [
    'synthetic',
    '`synthetic`: media for real, no decoder; `signalling`: joins without media; `browser`: Chromium with the page',
  ]),
  count: key(integer(1, SCENARIO_SITES_MAX), 'sites'),
  role: maybe(
    oneOf(['chair', 'speaker', 'viewer', 'observer']),
    'left out: speaker when it publishes, else viewer',
  ),
  room: maybe(roomName(), 'another room than that of the file'),
  node: key(idOf('a node'), 'the node that they join'),
  link: maybe(
    orShort(
      turned(idOf('a link'), (id): Record<string, number> => ({ [id]: 1 })),
      byId(decimal(0.001, 1e6), SCENARIO_LINKS_MAX),
    ),
    'the line in front of them: an id, or `{ vsat: 3, fibre: 7 }` where sites are dealt out by share',
  ),
  linkPer: preset(oneOf(['site', 'group']), [
    'site',
    '`site`: each has a line of its own; `group`: all share one',
  ]),
  publishes: maybe(publishes, 'what they send; left out: nothing'),
  watches: maybe(watches, 'what they receive; left out: nothing'),
  depth: preset(depthForm(), [
    61,
    'how closely packets are looked at: `headers` counts, `full` decrypts and checks each, 16 one in 16',
  ]),
  transportWide: preset(flag(), [
    false,
    'sends transport-wide feedback: the server estimates its line by it',
  ]),
  join: preset(join, [{ how: 'storm' }, 'how they come in']),
  behaviours: preset(list(behaviour, { min: 0, max: 32 }), [[], 'what they do besides']),
})

const http = mapping({
  node: key(idOf('a node'), 'whose page it is'),
  path: preset(
    reading('a path such as /healthz', (value) =>
      /^\/\S{0,500}$/.test(String(value)) ? String(value) : undefined,
    ),
    ['/', 'what is asked for'],
  ),
  connections: preset(integer(1, 10_000), [10, 'at once']),
  ...span,
  perSecond: maybe(decimal(0.1, 1e6), 'requests; left out: as many as there come'),
})

const lasting = maybe(
  seconds(0.001),
  'undone after this time: heal, continue, restart or disk-free follow by themselves',
)
const when = key(seconds(), 'when')

const fault = choice('do', {
  ...nodeFault('kill', 'SIGKILL', true),
  ...nodeFault('stop', 'SIGSTOP: it stands still and keeps its sockets', true),
  ...nodeFault('continue', 'SIGCONT', false),
  ...nodeFault('restart', 'starts it again; killed first when it lives', false),
  ...nodeFault('disk-full', 'its data folder has no byte left', true),
  ...nodeFault('disk-free', 'it has room again', false),
  ...linkFault('cut', 'nothing passes either way; one way only: `changes` of the link', true),
  ...linkFault('heal', 'it passes again', false),
})

/** The whole file. */
export const SCENARIO = mapping({
  title: key(line(200), 'in a few words, for lists and reports'),
  needs: preset(
    orShort(
      turned(need, (one) => [one]),
      list(need, { min: 0, max: 2 }),
    ),
    [
      [],
      'what it needs beside our nodes: janus, chromium; must name what its nodes and sites need',
    ],
  ),
  seed: preset(integer(0, 0xffff_ffff), [1, 'everything that chance decides comes from it']),
  duration: key(
    secondsBetween(1, SCENARIO_DURATION_S_MAX),
    'of a run, from the moment when all nodes are ready',
  ),
  repeat: preset(integer(1, SCENARIO_REPEAT_MAX), [1, 'how often it is run, one report each']),
  room: preset(roomName(), ['bench', 'the room that all sites join']),
  placement: preset(
    mapping({
      nodes: maybe(core, 'CPU core of the servers'),
      load: maybe(core, 'CPU core of the processes that play sites'),
      links: maybe(core, 'CPU core of the emulated lines'),
    }),
    [{}, 'which CPU core each kind of process is pinned to; left out: wherever the kernel likes'],
  ),
  othersCoresMax: preset(decimal(0, 1024), [
    0.15,
    'cores that processes outside of the run may take on average before it is void',
  ]),
  ownLatenessMax: preset(secondsBetween(0.001, 600), [
    '25ms',
    'how late the load (ten times that while sites join) and the lines may be themselves, p99, before it is void',
  ]),
  nodes: key(byId(node, SCENARIO_NODES_MAX), 'servers by id'),
  links: preset(byId(linkForm, SCENARIO_LINKS_MAX), [{}, 'lines by id']),
  sites: key(byId(group, SCENARIO_GROUPS_MAX), 'groups of sites by id'),
  http: preset(byId(http, SCENARIO_GROUPS_MAX), [{}, 'pages under load by id']),
  windows: preset(byId(mapping(span), SCENARIO_GROUPS_MAX), [
    {},
    'stretches of the run with figures of their own, by id',
  ]),
  faults: preset(list(fault, { min: 0, max: SCENARIO_FAULTS_MAX }), [
    [],
    'what happens to nodes and lines',
  ]),
  pass: key(
    list(line(4096), { min: 1, max: SCENARIO_CRITERIA_MAX }),
    'what must hold in the end, each true or false (see Criteria)',
  ),
})

/** What SCENARIO reads. */
export type ScenarioForm = v.InferOutput<typeof SCENARIO>
export type NodeForm = ScenarioForm['nodes'][string]
export type GroupForm = ScenarioForm['sites'][string]
export type FaultForm = ScenarioForm['faults'][number]

function roomName(): Form<string> {
  return reading('up to 64 letters, digits, - and _', (value) =>
    /^[\w-]{1,64}$/.test(String(value)) ? String(value) : undefined,
  )
}

function flagTrue(): Form<true> {
  return reading('true', (value) => (value === true ? true : undefined))
}

/** One packet in so many; 0: none. */
function depthForm(): Form<number> {
  return reading('headers, full, or one packet in so many: 2 to 1000000', (value) => {
    if (value === 'headers' || value === 'full') return value === 'full' ? 1 : 0
    const isCount = Number.isInteger(value) && (value as number) >= 2 && (value as number) <= 1e6
    return isCount ? (value as number) : undefined
  })
}

function secondsBetween(minS: number, maxS: number): Form<number> {
  const allowed = `a time such as 20s, 10m, 2h, from ${minS}s to ${maxS / 3600}h`
  const form = seconds(minS)
  return reading(allowed, (value) => {
    const parsed = form['~run']({ value }, {})
    return parsed.typed && parsed.value <= maxS ? parsed.value : undefined
  })
}

type Spanned = { from: number; until?: number }

function spanned<F extends Spanned, B extends Behaviour>(
  form: Form<F>,
  rest: (read: F) => Omit<B, 'fromS'>,
) {
  return turned(form, (read): Behaviour => {
    const { from: fromS, until: untilS } = read
    return { ...rest(read), fromS, ...(untilS === undefined ? {} : { untilS }) } as unknown as B
  })
}

type FaultRead<D extends string> = { do: D; at: number; for?: number }

function nodeFault<D extends string>(word: D, meaning: string, lasts: boolean) {
  const entries = {
    do: key(oneOf([word]), meaning),
    at: when,
    node: key(idOf('a node'), 'to which'),
    ...(lasts ? { for: lasting } : {}),
  }
  return { [word]: mapping(entries) } as Record<D, Form<FaultRead<D> & { node: string }>>
}

function linkFault<D extends string>(word: D, meaning: string, lasts: boolean) {
  const entries = {
    do: key(oneOf([word]), meaning),
    at: when,
    link: key(idOf('a link'), 'which'),
    ...(lasts ? { for: lasting } : {}),
  }
  return { [word]: mapping(entries) } as Record<D, Form<FaultRead<D> & { link: string }>>
}
