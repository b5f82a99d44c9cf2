/**
 * The command line. Commands are short here; what they do lives where it belongs, and a node is put together in
 * open-node.ts.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Config,
  ConfigError,
  describeRange,
  LINK_TEST_SECONDS_MAX,
  LINK_TEST_SECONDS_MIN,
  loadConfig,
  SETTINGS,
} from './config/index.ts'
import { publicUrl } from './public-url.ts'

const USAGE = `Nhịp Cầu: a conferencing server with offline-tolerant edge relays

usage: ./nhipcau COMMAND [options]

  core      run a core                            --config FILE   --set key=value (repeatable)
  relay     run a relay below another node       --upstream wss://HOST --enrol CODE (both once), options of core
  link-test measure the link above the relay here  --seconds 60   --lang vi|en   --json
  enrol     let a relay hang on this node        --name N --ttl 24h   --list   --revoke NAME
  token     print a token and a join link         --room R --role chair|speaker|viewer|observer|operator|admin
                                                  --site S --name N --ttl 2h|30m|90s --raw
  doctor    look at this machine as a core would use it
  link      a line like those in the field between two processes (./nhipcau link help)
  bench     load it, impair it, see what each site saw (./nhipcau bench help)
  help      this text; help settings lists every setting

Settings come from --set, the environment (NHIPCAU_...), --config and defaults, in this order: docs/CONFIG.md.`

const COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  core: runCore,
  relay: runRelay,
  enrol: enrolRelay,
  'link-test': testLink,
  token: printToken,
  doctor: printFindings,
  link: async (args) => (await import('./bench/index.ts')).linkCommand(args),
  bench: async (args) => (await import('./bench/index.ts')).benchCommand(args),
  help: async ([topic]) => {
    console.log(topic === 'settings' ? settingsText() : USAGE)
    return 0
  },
}

const SETTING_OPTIONS = {
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
} as const

/** Exit codes: 0 well, 1 failed, 2 wrong use. */
async function main([name = 'help', ...args]: string[]): Promise<number> {
  const command = COMMANDS[name.replace(/^--?/, '')]
  if (command === undefined) {
    console.error(`no such command: ${name}\n\n${USAGE}`)
    return 2
  }
  try {
    return await command(args)
  } catch (error) {
    const { message, code } = error as Error & { code?: string }
    const usage = error instanceof ConfigError || code?.startsWith('ERR_PARSE_ARGS') === true
    console.error(`nhipcau ${name}: ${message}`)
    return usage ? 2 : 1
  }
}

function configFrom(values: { config?: string; set?: string[] }): Config {
  return loadConfig({
    ...(values.config === undefined ? {} : { file: values.config }),
    env: process.env,
    overrides: values.set ?? [],
  })
}

async function runCore(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: SETTING_OPTIONS })
  return await runNode(configFrom(values), { asRelay: false })
}

/** The first time it is told where to dial and with which code; the data folder remembers. */
async function runRelay(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { ...SETTING_OPTIONS, upstream: { type: 'string' }, enrol: { type: 'string' } },
  })
  const config = configFrom(values)
  const { rememberUpstream } = await import('./relay/identity/index.ts')
  rememberUpstream(resolve(config['data.dir']), {
    ...(values.upstream === undefined ? {} : { url: values.upstream }),
    ...(values.enrol === undefined ? {} : { code: values.enrol }),
  })
  return await runNode(config, { asRelay: true })
}

/** Runs until SIGTERM or SIGINT; closes gracefully on the first, at once on the second. */
async function runNode(config: Config, { asRelay }: { asRelay: boolean }): Promise<number> {
  const { startNode } = await import('./open-node.ts')
  const node = await startNode(config, asRelay)
  return await new Promise((done) => {
    let asked = false
    const stop = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(1)
      asked = true
      node.close(signal).then(
        () => done(0),
        () => done(1),
      )
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}

const SHARED_HINT = `hint: no --site and no --name, so this looks like one link for many. They can share it, but whoever
is kicked takes its token along: one kick empties the hall. One token for each site avoids that.`

/** Nobody is named in it, and it is of those who come in numbers. */
const isForMany = ({ role, site, name }: { role?: string; site: string; name: string }): boolean =>
  (role === 'viewer' || role === 'observer') && site === '' && name === ''

async function printToken(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ...SETTING_OPTIONS,
      room: { type: 'string' },
      role: { type: 'string' },
      site: { type: 'string', default: '' },
      name: { type: 'string', default: '' },
      ttl: { type: 'string', default: '2h' },
      raw: { type: 'boolean', default: false },
    },
  })
  const config = configFrom(values)
  const ttlS = parseDuration(values.ttl)
  const { issueToken, loadTokenKeys, TOKEN_ROLES } = await import('./signaling/auth/index.ts')
  const roles: readonly string[] = TOKEN_ROLES
  // Those of the node itself are of every room.
  const isOfNode = values.role === 'admin' || values.role === 'operator'
  const room = values.room ?? (isOfNode ? '*' : undefined)
  const problems = [
    ...(room === undefined ? ['--room: which room is missing'] : []),
    ...(roles.includes(values.role ?? '') ? [] : [`--role: one of ${roles.join(', ')}`]),
    ...(ttlS === undefined ? ['--ttl: such as 2h, 30m or 90s, at most 365d'] : []),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
  const token = await issueToken(loadTokenKeys(resolve(config['data.dir'])), {
    room: room ?? '',
    role: values.role as Parameters<typeof issueToken>[1]['role'],
    site: values.site,
    name: values.name,
    ttlS: ttlS ?? 0,
    nowMs: Date.now(),
  })
  console.log(
    values.raw
      ? token
      : `${token}\n\n${publicUrl(config, config['http.port'])}/${isOfNode ? 'operator' : `r/${room}`}#token=${token}`,
  )
  // The link itself, on stdout, stays as it was for whoever pipes it.
  if (isForMany(values)) console.error(SHARED_HINT)
  return 0
}

/** Works beside a running node, which looks at its book of relays again. */
async function enrolRelay(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ...SETTING_OPTIONS,
      name: { type: 'string' },
      ttl: { type: 'string', default: '24h' },
      list: { type: 'boolean', default: false },
      revoke: { type: 'string' },
    },
  })
  const config = configFrom(values)
  const dataDir = resolve(config['data.dir'])
  process.umask(0o077)
  const identity = await import('./relay/identity/index.ts')
  const nodeKey = identity.loadNodeKey(dataDir).publicKey
  const book = new identity.RelayBook(dataDir)
  const wallMs = Date.now()
  if (values.list) {
    console.log(identity.describeBook(book, wallMs))
    return 0
  }
  if (values.revoke !== undefined) {
    book.revoke(values.revoke, wallMs)
    console.log(`${values.revoke} is revoked: a node that runs cuts it off within seconds`)
    return 0
  }
  const ttlS = parseDuration(values.ttl)
  const problems = [
    ...(identity.isRelayName(values.name ?? '')
      ? []
      : ['--name: how the relay is called, up to 64 letters']),
    ...(ttlS === undefined ? ['--ttl: such as 24h, 30m or 7d, at most 365d'] : []),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
  const name = values.name ?? ''
  const url = publicUrl(config, config['http.port']).replace(/^http/, 'ws')
  const code = book.createCode({ name, nodeKey, ttlMs: (ttlS ?? 0) * 1000, wallMs })
  console.log(`${code}\n\n./nhipcau relay --upstream ${url} --enrol ${code}`)
  if (book.relays.some((relay) => relay.name === name && relay.revokedMs === null)) {
    console.error(`hint: ${name} is enrolled already: when this code is used, its present key ends`)
  }
  if (url.startsWith('ws:')) {
    console.error('hint: without TLS (http.tls.cert) only a relay on this machine can connect')
  }
  return 0
}

/** Asks the relay that runs here with this data folder, as an admin whom its token key makes. */
async function testLink(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ...SETTING_OPTIONS,
      seconds: { type: 'string', default: '60' },
      lang: { type: 'string', default: process.env['LANG'] ?? '' },
      json: { type: 'boolean', default: false },
    },
  })
  const config = configFrom(values)
  const seconds = Number(values.seconds)
  if (
    !Number.isInteger(seconds) ||
    seconds < LINK_TEST_SECONDS_MIN ||
    seconds > LINK_TEST_SECONDS_MAX
  ) {
    throw new ConfigError([`--seconds: ${LINK_TEST_SECONDS_MIN} to ${LINK_TEST_SECONDS_MAX}`])
  }
  const [{ askOwnDoors, linkTestCommand }, { issueToken, loadTokenKeys }] = await Promise.all([
    import('./relay/index.ts'),
    import('./signaling/auth/index.ts'),
  ])
  const keys = loadTokenKeys(resolve(config['data.dir']))
  const who = { room: '*', role: 'admin', site: '', name: 'link-test' } as const
  const certificateFile = config['http.tls.cert']
  const scheme = certificateFile === '' ? 'http' : 'https'
  return await linkTestCommand({
    url: `${scheme}://${loopbackOf(config['http.host'])}:${config['http.port']}`,
    token: await issueToken(keys, { ...who, ttlS: seconds + 120, nowMs: Date.now() }),
    seconds,
    language: values.lang.startsWith('vi') ? 'vi' : 'en',
    json: values.json,
    ask: (url, request) => askOwnDoors(url, request, certificateFile),
    out: (line) => console.log(line),
    progress: (line) => console.error(line),
  })
}

/** Where this machine reaches doors that listen on `host`. */
function loopbackOf(host: string): string {
  if (host === '' || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds of `2h`, `30m`, `90s`, `7d`; undefined when it is none or longer than a year. */
function parseDuration(text: string): number | undefined {
  const parts = /^(\d{1,9})([smhd])$/.exec(text)
  const seconds = Number(parts?.[1]) * (UNIT_SECONDS[parts?.[2] ?? ''] ?? Number.NaN)
  return seconds >= 1 && seconds <= 365 * 86_400 ? seconds : undefined
}

async function printFindings(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: SETTING_OPTIONS })
  const { examine } = await import('./signaling/io/doctor.ts')
  const marks = { ok: '✔', warn: '!', bad: '✘' }
  const findings = await examine(configFrom(values))
  for (const { name, state, detail } of findings)
    console.log(`${marks[state]} ${name.padEnd(22)} ${detail}`)
  return findings.some(({ state }) => state === 'bad') ? 1 : 0
}

function settingsText(): string {
  return SETTINGS.map(
    (setting) =>
      `${setting.key}  (${setting.env}, default ${JSON.stringify(setting.default)})\n    ${setting.doc}\n    allowed: ${describeRange(setting)}`,
  ).join('\n')
}

process.exitCode = await main(process.argv.slice(2))
