/**
 * The report of a run, described once: from this table come the types (report.ts), the check when a
 * report is read (read-report.ts) and the tables in docs/BENCH.md. Fields that it does not know are
 * left out, so that reports of later minor additions stay readable. Not the judging, nor the page.
 */
import * as v from 'valibot'
import {
  REPORT_ENTRIES_MAX,
  REPORT_HISTOGRAM_BYTES_MAX,
  REPORT_SAMPLES_MAX,
  REPORT_TEXT_LENGTH_MAX,
  REPORT_YAML_LENGTH_MAX,
} from '../../config/limits.ts'

export const REPORT_SCHEMA = 'nhipcau-bench-report'
export const REPORT_VERSION = 1

const text = v.pipe(v.string(), v.maxLength(REPORT_TEXT_LENGTH_MAX))
const count = v.pipe(v.number(), v.minValue(0))
const names = v.pipe(v.string(), v.minLength(1), v.maxLength(256))

/** Samples over time; what was not measured is null in JSON and NaN in memory. */
const samples = v.pipe(
  v.custom<number[]>(isSamples, `not a list of numbers or null, or beyond ${REPORT_SAMPLES_MAX}`),
  v.transform((list) => list.map((value) => (value === null ? Number.NaN : value))),
)

function isSamples(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= REPORT_SAMPLES_MAX &&
    value.every((entry) => entry === null || typeof entry === 'number')
  )
}

type AnySchema = v.GenericSchema

/** A field with its meaning for the documentation. */
function field<const S extends AnySchema>(schema: S, meaning: string) {
  return v.pipe(schema, v.description(meaning))
}

/** The same for a field that may be missing. */
function optional<const S extends AnySchema>(schema: S, meaning: string) {
  return v.exactOptional(v.pipe(schema, v.description(meaning)))
}

function list<const S extends AnySchema>(item: S) {
  return v.pipe(v.array(item), v.maxLength(REPORT_ENTRIES_MAX))
}

function record<const S extends AnySchema>(value: S) {
  return v.pipe(v.record(names, value), v.maxEntries(REPORT_ENTRIES_MAX))
}

export const MACHINE = v.object({
  name: field(text, 'Host name.'),
  cpuModel: field(text, 'As the kernel calls it.'),
  cores: field(count, 'Logical cores.'),
  memoryBytes: field(count, 'In all.'),
  kernel: field(text, 'System and release.'),
  node: field(text, 'Version of Node.'),
  othersCores: field(count, 'Mean number of cores that processes outside of this run took.'),
})

export const CRITERION = v.object({
  text: field(text, 'The expression as written.'),
  verdict: field(
    v.picklist(['pass', 'fail', 'void', 'unknown']),
    '`void`: the run is void. `unknown`: a figure that it names was not measured.',
  ),
  measured: field(
    record(v.nullable(v.number())),
    'Each figure that the expression names; null when it was not measured.',
  ),
})

export const NODE = v.object({
  id: field(names, 'As in the scenario.'),
  kind: field(v.picklist(['core', 'relay', 'rival']), 'What runs there.'),
  upstream: optional(names, 'The node above.'),
  link: optional(names, 'The link between this node and the one above.'),
  sites: field(count, 'Sites that joined here or should have.'),
})

const DIRECTION_SERIES = v.object({
  atS: field(samples, 'Seconds since the start.'),
  bitrateBps: field(samples, 'Delivered, headers of UDP and IP included.'),
  lossRatio: field(samples, 'Of the datagrams offered in this time, 0..1.'),
  queueMs: field(samples, 'Longest wait in the queue.'),
})

export const LINK_DIRECTION = v.object({
  packets: field(count, 'Datagrams offered.'),
  bytes: field(count, 'Of these datagrams.'),
  lost: field(count, 'Taken by chance, as the profile asks.'),
  overflowed: field(count, 'Datagrams that found the queue full.'),
  series: field(DIRECTION_SERIES, 'The same over time.'),
})

export const LINK = v.object({
  id: field(names, 'As in the scenario.'),
  profile: field(text, 'Name of the profile, `custom` for one of its own.'),
  below: field(names, 'The end away from the core: a node or a group of sites.'),
  above: field(names, 'The end towards the core: a node.'),
  up: field(LINK_DIRECTION, 'From `below` to `above`.'),
  down: field(LINK_DIRECTION, 'From `above` to `below`.'),
})

const PROCESS_SERIES = v.object({
  atS: field(samples, 'Seconds since the start.'),
  cpuShare: field(samples, 'Of one core; 2 is two cores.'),
  residentBytes: field(samples, 'Resident set.'),
  handles: field(samples, 'Open file descriptors.'),
  threads: field(samples, 'Threads.'),
})

export const PROCESS = v.object({
  id: field(names, 'As in the scenario, or `load`, `link`.'),
  role: field(v.picklist(['node', 'load', 'link', 'browser']), 'What it is for.'),
  cpuSeconds: field(count, "User and system time by the kernel's own accounting."),
  residentBytesMax: field(count, 'Highest resident set.'),
  residentSlopeBytesPerS: field(v.number(), 'Least squares over the second half of the run.'),
  series: field(PROCESS_SERIES, 'The same over time.'),
})

export const SITE = v.object({
  id: field(names, 'Unique in the run.'),
  group: field(names, 'Its group in the scenario.'),
  node: field(names, 'The node that it joins.'),
  link: optional(names, 'The link that it is behind.'),
  kind: field(v.picklist(['synthetic', 'signalling', 'browser']), 'What plays it.'),
  joined: field(v.boolean(), 'Whether it ever got in.'),
  failedAt: optional(text, 'The step of joining that failed.'),
  whyFailed: optional(text, 'What it was told there.'),
  joinMs: optional(count, 'From the first byte to media, last join.'),
  steps: optional(
    record(v.number()),
    'Milliseconds by step of the last join: `doorMs`, `joinMs`, `offerMs`, `iceMs`, `dtlsMs`.',
  ),
  figures: field(
    record(v.number()),
    'What this site saw: `audioLossRatio`, `audioGapMaxMs`, `concealedRatio`, `framesComplete`, `framesLate`, `frozenMs`, `latencyP99Ms`, ...',
  ),
  why: field(list(text), 'In words, worst first, when something was wrong with it.'),
})

export const SERIES = v.object({
  id: field(
    names,
    'Dotted name. What comes before the last dot names the plot, what comes after it the line: `latency.audio.p99Ms`.',
  ),
  title: field(text, 'For people, in English.'),
  unit: field(text, '`bps`, `ratio`, `ms`, `bytes`, `perSecond`, or empty for a count.'),
  atS: field(samples, 'Seconds since the start.'),
  values: field(samples, 'As many.'),
})

export const SCENARIO = v.object({
  name: field(names, 'Of the file.'),
  title: field(text, 'For people.'),
  seed: field(v.number(), 'Everything that chance decided came from it.'),
  durationS: field(count, 'As planned.'),
  yaml: field(
    v.pipe(v.string(), v.maxLength(REPORT_YAML_LENGTH_MAX)),
    'The whole file as it was run.',
  ),
})

export const VALIDITY = v.object({
  valid: field(
    v.boolean(),
    'False: the load generator or the machine was itself too slow; the run blames no server.',
  ),
  reasons: field(list(text), 'Why not, in words.'),
})

export const COMMIT = v.object({
  hash: field(text, 'Git commit of the source tree.'),
  dirty: field(v.boolean(), 'Whether the tree had changes that no commit has.'),
})

const LAYER_ROW = v.object({
  site: field(names, 'Id of the site.'),
  layer: field(
    samples,
    'Spatial layer, 0 is the smallest picture; -1 no picture; null before it joined and after it left.',
  ),
})

export const LAYERS = v.object({
  atS: field(samples, 'Seconds since the start.'),
  rows: field(list(LAYER_ROW), 'A row for each site that watches a picture.'),
})

export const EVENT = v.object({
  atS: field(v.number(), 'Seconds since the start.'),
  what: field(text, 'In words.'),
})

export const REPORT = v.object({
  schema: field(v.literal(REPORT_SCHEMA), `Always \`${REPORT_SCHEMA}\`.`),
  version: field(
    v.literal(REPORT_VERSION),
    'Rises when a field changes its meaning or goes; readers refuse what they do not know.',
  ),
  scenario: field(SCENARIO, 'What was run.'),
  startedAt: field(text, 'ISO 8601.'),
  tookS: field(count, 'As it went.'),
  ended: field(
    v.picklist(['completed', 'interrupted', 'failed']),
    'Anything but `completed` leaves a partial report.',
  ),
  problem: optional(text, 'What went wrong, when `ended` is `failed`.'),
  validity: field(VALIDITY, 'Whether the run may blame a server at all.'),
  machine: field(MACHINE, 'Where it ran.'),
  commit: field(COMMIT, 'What ran.'),
  criteria: field(list(CRITERION), 'In the order of the scenario.'),
  nodes: field(list(NODE), 'The tree, core first.'),
  links: field(list(LINK), "From the emulators' own counters."),
  processes: field(list(PROCESS), "From /proc, the kernel's own accounting."),
  sites: field(list(SITE), 'Each site, joined or not.'),
  figures: field(
    record(v.number()),
    'Flat, by dotted name; what criteria are judged by. What was not measured is not there.',
  ),
  histograms: field(
    record(v.pipe(v.string(), v.maxLength(REPORT_HISTOGRAM_BYTES_MAX))),
    'HDR histograms in microseconds, base64 of the compressed V2 encoding; merged, never averaged.',
  ),
  series: field(list(SERIES), "What changes over time and is not a link's or a process's own."),
  layers: field(LAYERS, 'The layer that each site saw of its main picture.'),
  events: field(list(EVENT), 'Phases, faults and changes of links, in order.'),
})
