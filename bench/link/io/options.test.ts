import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { parseEndpoint } from './index.ts'
import { LinkUsageError, parseLinkOptions } from './options.ts'

const WAY = ['--listen', '127.0.0.1:5000', '--to', 'core.example:40000']

test('the short form, several mappings and a timetable are read', (t) => {
  const options = parseLinkOptions([
    ...WAY,
    ...['--map', 'tcp:[::1]:5001=127.0.0.1:8080', '--profile', 'vsat', '--seed', '9'],
    ...['--at', '20s:heal', '--at', '10s:cut', '--idle', '5s', '--for', '1m', '--stdin'],
  ])
  t.deepEqual(options?.mappings, [
    {
      kind: 'udp',
      listen: { host: '127.0.0.1', port: 5000 },
      to: { host: 'core.example', port: 40_000 },
    },
    { kind: 'tcp', listen: { host: '::1', port: 5001 }, to: { host: '127.0.0.1', port: 8080 } },
  ])
  t.like(options, { profile: 'vsat', seed: 9, idleMs: 5000, durationMs: 60_000, stdin: true })
  t.deepEqual(
    options?.timetable.map(({ atMs }) => atMs),
    [10_000, 20_000],
  )
})

for (const [what, args, complaint] of [
  ['nothing to carry', [], /--listen and --to, or --map/],
  ['half a way', ['--listen', '127.0.0.1:1'], /--listen without --to/],
  ['a mapping of another kind', ['--map', 'sctp:a:1=b:2'], /sctp:a:1=b:2; allowed: udp:/],
  ['no target port', ['--map', 'udp:a:1=b:0'], /udp:a:1=b:0; allowed/],
  ['a profile that is none', [...WAY, '--profile', '5g'], /--profile 5g; allowed: perfect, /],
  ['a seed that is none', [...WAY, '--seed', '4294967296'], /--seed 4294967296; allowed: 0 to/],
  ['a time that is none', [...WAY, '--for', '10'], /--for 10; allowed: such as 500ms/],
  ['a time too long for timers', [...WAY, '--for', '999h'], /--for 999h; allowed/],
  ['a change that is none', [...WAY, '--at', '1s:speed=3'], /--at no such key: "speed"; allowed/],
  [
    'a file that is not there',
    [...WAY, '--timetable', '/nowhere'],
    /--timetable \/nowhere: ENOENT/,
  ],
] as const) {
  test(`${what} is refused, with what is allowed`, (t) => {
    const error = t.throws(() => parseLinkOptions([...args]), { instanceOf: LinkUsageError })
    t.regex(error?.message ?? '', complaint)
    t.is(error?.code, 'ERR_PARSE_ARGS_LINK')
  })
}

test('all complaints come at once', (t) => {
  const error = t.throws(() => parseLinkOptions(['--profile', 'x', '--seed', 'y']))
  t.is(error?.message.split('\n').length, 3)
})

test('complaints about a timetable name file and line', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-link-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'storm.yaml')
  const read = (text: string) => {
    writeFileSync(file, text)
    return parseLinkOptions([...WAY, '--timetable', file])
  }
  const good = '- { at: 1s, cut: true }\n- at: 3s\n  heal: true\n'
  t.is(read(good)?.timetable.length, 2)
  const wrong = t.throws(() => read(`# storm\n${good}\n- at: 4s\n  lossRatio: 3\n`))
  t.regex(wrong?.message ?? '', /storm\.yaml:6: lossRatio: 3; allowed: 0 to 1/)
  const broken = t.throws(() => read('- at: 1s\n  cut: [\n'))
  t.regex(broken?.message ?? '', /storm\.yaml:\d: /)
})

test('help is not an error', (t) => {
  t.is(parseLinkOptions(['--help']), undefined)
  t.throws(() => parseLinkOptions(['--speed', '3']), { code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION' })
})

test('endpoints are a host and a port', (t) => {
  t.deepEqual(parseEndpoint('[::1]:0'), { host: '::1', port: 0 })
  for (const text of ['', ':1', 'a', 'a:', 'a:65536', '::1:5', 'a b:1', '[::1:5', 'a:-1', 'a:1x'])
    t.is(parseEndpoint(text), undefined, text)
})
