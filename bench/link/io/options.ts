/**
 * The command line of `link`, read and judged as a whole: every complaint names the option, its
 * value and what is allowed.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isSeq, LineCounter, parseDocument } from 'yaml'
import {
  isProfileName,
  type LineChange,
  PROFILES,
  type ProfileName,
  parseTimeMs,
  parseTimetableList,
  parseTimetableTexts,
  type Timetable,
} from '../index.ts'
import type { MappingOptions } from './emulator.ts'
import { parseEndpoint } from './endpoint.ts'

export const LINK_USAGE = `usage: ./nhipcau link --listen ADDRESS:PORT --to ADDRESS:PORT --profile NAME [options]

A line between processes: UDP flows and TCP connections, delayed, shaped and lost as on a real one (docs/LINK.md).
down is towards those who come in at the listening address, up from them.

  --listen A:P --to A:P   UDP from A:P to A:P; port 0 takes a free one and says which
  --map udp:A:P=A:P       the same, repeatable; all mappings of one process share one line
  --map tcp:A:P=A:P       TCP, connection by connection
  --profile NAME          ${Object.keys(PROFILES).join(', ')}
  --at TIME:CHANGE        repeatable; TIME is 500ms, 10s, 2m from the start; CHANGE is one of
                            rateBps=300k,lossRatio=0.1     both directions
                            up:delayMs=400                 one direction: down or up
                            cut   heal   up:cut            outage both ways, its end, one way only
                            profile=commune                another line
                            rebind                         new source port for every UDP flow (NAT)
                          keys and their ranges: docs/LINK.md
  --timetable FILE        the same as a YAML list: - { at: 10s, direction: up, rateBps: 300k }
  --seed N                0 to 4294967295 (default 1): the same seed, the same fate of the same packets
  --idle TIME             forget UDP flows silent for this long (default 60s)
  --for TIME              end after this time; without it at Ctrl-C
  --realtime              real-time scheduling (needs root and chrt): for a busy machine
  --stdin                 read CHANGE lines from standard input, made when they come
  --report FILE           JSON lines to FILE instead of standard output

Standard output has JSON lines: ready, bucket (200 ms per direction), change, summary. Progress goes to standard error.`

export const LINK_BENCH_USAGE = `bench link      what the link emulator costs and adds by itself
  --packets 5000          packets per second through the line, half of them each way
  --seconds 10            measured time, and half of it for a bare relay as the yardstick
  --delay 20              one-way delay of the line, ms
  --json                  print the report as JSON`

export type LinkOptions = {
  mappings: MappingOptions[]
  profile: ProfileName
  timetable: LineChange[]
  seed: number
  idleMs: number
  /** Infinity: until a signal. */
  durationMs: number
  stdin: boolean
  realtime: boolean
  reportFile: string | undefined
}

/** Wrong use: exit code 2. */
export class LinkUsageError extends Error {
  readonly code = 'ERR_PARSE_ARGS_LINK'
}

const OPTIONS = {
  listen: { type: 'string' },
  to: { type: 'string' },
  map: { type: 'string', multiple: true },
  profile: { type: 'string', default: 'perfect' },
  at: { type: 'string', multiple: true },
  timetable: { type: 'string' },
  seed: { type: 'string', default: '1' },
  idle: { type: 'string', default: '60s' },
  for: { type: 'string' },
  stdin: { type: 'boolean', default: false },
  realtime: { type: 'boolean', default: false },
  report: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

/**
 * Options, or undefined when help was asked for. Throws a LinkUsageError with one line per
 * complaint.
 */
export function parseLinkOptions(args: string[]): LinkOptions | undefined {
  const { values } = parseArgs({ args, options: OPTIONS })
  if (values.help) return undefined
  const problems: string[] = []
  const texts = parseTimetableTexts(values.at ?? [])
  const file = values.timetable === undefined ? NONE : readTimetable(values.timetable)
  problems.push(...texts.problems.map((problem) => `--at ${problem}`), ...file.problems)
  const { profile } = values
  if (!isProfileName(profile))
    problems.push(`--profile ${profile}; allowed: ${Object.keys(PROFILES).join(', ')}`)
  const seed = /^\d{1,10}$/.test(values.seed) ? Number(values.seed) : Number.NaN
  if (!(seed <= 0xffff_ffff)) problems.push(`--seed ${values.seed}; allowed: 0 to 4294967295`)
  const options: LinkOptions = {
    mappings: readMappings(values, problems),
    profile: profile as ProfileName,
    timetable: [...texts.changes, ...file.changes].sort((a, b) => a.atMs - b.atMs),
    seed,
    idleMs: readTime('--idle', values.idle, problems),
    durationMs:
      values.for === undefined ? Number.POSITIVE_INFINITY : readTime('--for', values.for, problems),
    stdin: values.stdin,
    realtime: values.realtime,
    reportFile: values.report,
  }
  if (problems.length > 0) throw new LinkUsageError(problems.join('\n  '))
  return options
}

const NONE: Timetable = { changes: [], problems: [] }

function readMappings(values: Values, problems: string[]): MappingOptions[] {
  const { listen, to, map = [] } = values
  const texts = [...map]
  if (listen !== undefined && to !== undefined) texts.unshift(`udp:${listen}=${to}`)
  else if (listen !== undefined) problems.push('--listen without --to')
  else if (to !== undefined) problems.push('--to without --listen')
  else if (map.length === 0)
    problems.push('nothing to carry: give --listen and --to, or --map udp:LISTEN=TO')
  return texts.flatMap((text) => {
    const [, kind, left = '', right = ''] = /^(udp|tcp):([^=]+)=(.+)$/.exec(text) ?? []
    const from = parseEndpoint(left)
    const target = parseEndpoint(right)
    if (kind === undefined || from === undefined || target === undefined || target.port === 0) {
      problems.push(
        `${text}; allowed: udp:127.0.0.1:5000=127.0.0.1:40000 or tcp:..., IPv6 in brackets, ports to 65535`,
      )
      return []
    }
    return [{ kind: kind as 'udp' | 'tcp', listen: from, to: target }]
  })
}

function readTime(option: string, text: string, problems: string[]): number {
  const timeMs = parseTimeMs(text)
  // Longer ones would overflow Node's timers.
  if (timeMs !== undefined && timeMs > 0 && timeMs < 2 ** 31) return timeMs
  problems.push(`${option} ${text}; allowed: such as 500ms, 30s, 5m, 2h, up to 24 days`)
  return 0
}

/** Complaints of the file name it with the line. */
function readTimetable(file: string): Timetable {
  const lines = new LineCounter()
  let document: ReturnType<typeof parseDocument>
  try {
    document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines })
  } catch (error) {
    return { changes: [], problems: [`--timetable ${file}: ${(error as Error).message}`] }
  }
  if (document.errors.length > 0) {
    const problems = document.errors.map(
      ({ pos, message }) => `${file}:${lines.linePos(pos[0]).line}: ${message.split('\n')[0]}`,
    )
    return { changes: [], problems }
  }
  const { contents } = document
  const { changes, problems } = parseTimetableList(document.toJS())
  const placed = problems.map((problem) => {
    const [, entry, rest] = /^entry (\d+):? (.*)$/s.exec(problem) ?? []
    const item = isSeq(contents) ? contents.items[Number(entry) - 1] : undefined
    const start = (item as { range?: [number, number, number] } | undefined)?.range?.[0]
    return start === undefined
      ? `${file}: ${problem}`
      : `${file}:${lines.linePos(start).line}: ${rest}`
  })
  return { changes, problems: placed }
}
