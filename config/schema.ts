/**
 * Every setting, described once. From this table come the types, the validation, the names of the environment
 * variables, `./nhipcau help settings` and docs/CONFIG.md. Bounds that operators must not move are in limits.ts.
 */

import { isIP } from 'node:net'
import { WORKERS_MAX } from './limits.ts'

type Entry = {
  /** Dotted path in the YAML file. */
  key: string
  /** Environment variable; wins over the file. */
  env: string
  doc: string
} & (
  | { kind: 'integer'; unit: string; min: number; max: number; default: number }
  | { kind: 'boolean'; default: boolean }
  | { kind: 'text'; default: string; pattern?: Pattern; hint: string }
  | { kind: 'list'; default: readonly string[]; pattern: Pattern; hint: string; countMax: number }
  | { kind: 'choice'; default: string; choices: readonly string[] }
)

/** What a regular expression looks like to whom it is asked only whether a text fits. */
type Pattern = { test: (text: string) => boolean }

const ADDRESS: Pattern = { test: (text) => isIP(text) !== 0 && !text.includes('%') }
const ORIGIN = /^(\*|https?:\/\/[^\s/]+)$/

export const SETTINGS = [
  {
    key: 'node.name',
    env: 'NHIPCAU_NODE_NAME',
    kind: 'text',
    default: '',
    pattern: /^[\p{L}\p{N} ._-]{0,64}$/u,
    hint: 'up to 64 letters, digits, spaces, dots, dashes; empty = the host name',
    doc: 'How this node is called: `node` in each line of its log.',
  },
  {
    key: 'data.dir',
    env: 'NHIPCAU_DATA_DIR',
    kind: 'text',
    default: './data',
    hint: 'a folder that this process may write',
    doc: 'Event log, keys and certificates. Made with mode 0700 when missing.',
  },
  {
    key: 'http.host',
    env: 'NHIPCAU_HTTP_HOST',
    kind: 'text',
    default: '0.0.0.0',
    pattern: ADDRESS,
    hint: 'an IP address; 127.0.0.1 for this machine only, :: for IPv4 and IPv6',
    doc: 'Where the doors (pages, WebSocket, WHIP/WHEP, REST) listen.',
  },
  {
    key: 'http.port',
    env: 'NHIPCAU_HTTP_PORT',
    kind: 'integer',
    unit: 'TCP port',
    min: 0,
    max: 65_535,
    default: 8080,
    doc: 'Port of the doors; 0 takes a free one and logs it.',
  },
  {
    key: 'http.door',
    env: 'NHIPCAU_DOOR',
    kind: 'choice',
    choices: ['auto', 'uws', 'ws'],
    default: 'auto',
    doc: 'HTTP engine: uWebSockets.js where its binary loads, else ws with node:http (auto).',
  },
  {
    key: 'http.tls.cert',
    env: 'NHIPCAU_TLS_CERT',
    kind: 'text',
    default: '',
    hint: 'a PEM file; empty = no TLS',
    doc: 'Certificate chain. Browsers give camera and microphone only over HTTPS or on localhost.',
  },
  {
    key: 'http.tls.key',
    env: 'NHIPCAU_TLS_KEY',
    kind: 'text',
    default: '',
    hint: 'a PEM file; empty = no TLS',
    doc: 'Private key of the certificate.',
  },
  {
    key: 'http.cors',
    env: 'NHIPCAU_CORS',
    kind: 'list',
    default: [],
    pattern: ORIGIN,
    hint: 'origins such as https://portal.example, or *',
    countMax: 32,
    doc: 'Other origins whose pages may use WHIP, WHEP, REST and the WebSocket.',
  },
  {
    key: 'http.publicUrl',
    env: 'NHIPCAU_PUBLIC_URL',
    kind: 'text',
    default: '',
    pattern: /^(https?:\/\/[^\s]+[^/])?$/,
    hint: 'such as https://hop.example.vn, without a slash at the end; empty = derived',
    doc: 'How people reach the pages; used in join links.',
  },
  {
    key: 'http.metrics',
    env: 'NHIPCAU_METRICS',
    kind: 'choice',
    choices: ['loopback', 'open', 'token'],
    default: 'loopback',
    doc: 'Who may read /metrics: this machine only, everyone, or bearers of an admin or operator token.',
  },
  {
    key: 'http.requestRateMax',
    env: 'NHIPCAU_HTTP_RATE',
    kind: 'integer',
    unit: 'requests per second and address',
    min: 1,
    max: 1_000_000,
    default: 200,
    doc: 'Beyond it requests and WebSocket upgrades of one address get 429. Loopback is exempt.',
  },
  {
    key: 'media.port',
    env: 'NHIPCAU_MEDIA_PORT',
    kind: 'integer',
    unit: 'UDP port',
    min: 0,
    max: 65_535,
    default: 40_000,
    doc: 'Port of the first media worker; worker n has port + n. 0 takes free ones.',
  },
  {
    key: 'media.announcedIps',
    env: 'NHIPCAU_ANNOUNCED_IPS',
    kind: 'list',
    default: [],
    pattern: ADDRESS,
    hint: 'IPv4 or IPv6 addresses',
    countMax: 8,
    doc: 'Addresses given to clients as ICE candidates; empty = all addresses of this machine.',
  },
  {
    key: 'media.workers',
    env: 'NHIPCAU_WORKERS',
    kind: 'integer',
    unit: 'threads',
    min: 0,
    max: WORKERS_MAX,
    default: 0,
    doc: 'Media worker threads, each with a UDP port; 0 = one for each core but one.',
  },
  {
    key: 'media.udp',
    env: 'NHIPCAU_UDP',
    kind: 'choice',
    choices: ['auto', 'dgram'],
    default: 'auto',
    doc: 'How media leaves: many datagrams per system call where koffi loads (auto), else one by one.',
  },
  {
    key: 'trunk.port',
    env: 'NHIPCAU_TRUNK_PORT',
    kind: 'integer',
    unit: 'UDP port',
    min: 0,
    max: 65_535,
    default: 41_000,
    doc: 'Where relays send their media to. 0 takes a free one, which is enough for a node that has no relays below it.',
  },
  {
    key: 'trunk.upstreamPort',
    env: 'NHIPCAU_TRUNK_UPSTREAM_PORT',
    kind: 'integer',
    unit: 'UDP port',
    min: 0,
    max: 65_535,
    default: 0,
    doc: 'On a relay: where its upstream takes media, when a router in between forwards another port than the upstream names. 0 = as it names.',
  },
  {
    key: 'trunk.lease',
    env: 'NHIPCAU_TRUNK_LEASE',
    kind: 'integer',
    unit: 'seconds',
    min: 2,
    max: 60,
    default: 5,
    doc: 'Without a sign of its upstream for so long (longer over a long way) a relay goes on alone, as an island.',
  },
  {
    key: 'keeper.enabled',
    env: 'NHIPCAU_KEEPER',
    kind: 'boolean',
    default: false,
    doc: 'Keeps what is heard and seen on stage on disk for a while, so that what was missed can be watched and fetched later.',
  },
  {
    key: 'keeper.hours',
    env: 'NHIPCAU_KEEPER_HOURS',
    kind: 'integer',
    unit: 'hours',
    min: 1,
    max: 8_760,
    default: 4,
    doc: 'How long the stage is kept; the oldest goes first.',
  },
  {
    key: 'keeper.gigabytes',
    env: 'NHIPCAU_KEEPER_GIGABYTES',
    kind: 'integer',
    unit: 'gigabytes',
    min: 1,
    max: 100_000,
    default: 20,
    doc: 'What the kept stage may take on disk, in data.dir/segments; the oldest goes first.',
  },
  {
    key: 'room.heardMax',
    env: 'NHIPCAU_HEARD',
    kind: 'integer',
    unit: 'speakers',
    min: 1,
    max: 3,
    default: 3,
    doc: 'How many of the loudest are heard at once.',
  },
  {
    key: 'demo.enabled',
    env: 'NHIPCAU_DEMO',
    kind: 'boolean',
    default: true,
    doc: 'Lets a page loaded over loopback issue itself a token for room demo.',
  },
  {
    key: 'log.level',
    env: 'NHIPCAU_LOG_LEVEL',
    kind: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    doc: 'Least severe level that is logged (JSON lines on standard output).',
  },
] as const satisfies readonly Entry[]

export type Setting = (typeof SETTINGS)[number]
export type SettingKey = Setting['key']

type ValueOf<S> = S extends { kind: 'integer' }
  ? number
  : S extends { kind: 'boolean' }
    ? boolean
    : S extends { kind: 'list' }
      ? readonly string[]
      : S extends { kind: 'choice'; choices: readonly (infer C)[] }
        ? C
        : string

/** All settings by dotted key, validated and complete. */
export type Config = { readonly [S in Setting as S['key']]: ValueOf<S> }
