import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { loadTokenKeys } from '../../signaling/index.ts'
import type { LoadMessage, LoadSetup } from './protocol.ts'

/** The real process; nobody listens where its sites knock. */
function startLoad(t: ExecutionContext) {
  const script = join(import.meta.dirname, 'load-process.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-load-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  loadTokenKeys(dataDir)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const setup: LoadSetup = {
    op: 'setup',
    seed: 1,
    room: 'bench',
    dataDir,
    durationS: 60,
    groups: [
      {
        id: 'sites',
        kind: 'signalling',
        count: 3,
        node: 'core',
        routes: [{ doorUrl: 'ws://127.0.0.1:9/ws' }],
        join: { how: 'storm', atS: 0 },
      },
    ],
  }
  /** The next message of one of these events. */
  const next = async <E extends LoadMessage['event']>(...events: E[]) => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error('ended')
      const message = JSON.parse(value) as LoadMessage
      if (events.includes(message.event as E)) return message as Extract<LoadMessage, { event: E }>
    }
  }
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  const send = (message: unknown) => child.stdin.write(`${JSON.stringify(message)}\n`)
  return { child, setup, next, send, ended }
}

test('a wrong setup is refused in words, and a right one may follow', async (t) => {
  const { setup, next, send, child, ended } = startLoad(t)
  send({ ...setup, groups: [{ ...setup.groups[0], count: 0 }] })
  t.regex((await next('error')).error, /group sites: count/)
  send({ op: 'start', startedAtMs: Date.now() })
  t.regex((await next('error')).error, /start before setup/)
  send(setup)
  t.is((await next('ready', 'error')).event, 'ready')
  child.stdin.end()
  t.false((await next('result')).completed)
  t.is(await ended, 0)
})

test('a stopped load tells who failed and where; Ctrl-C does not end it before', async (t) => {
  const { setup, next, send, child, ended } = startLoad(t)
  send(setup)
  await next('ready')
  send({ op: 'start', startedAtMs: Date.now() })
  child.kill('SIGINT')
  while ((await next('progress')).failed < 3);
  send({ op: 'stop' })
  const { figures, sites, validity } = await next('result')
  t.is(figures['sites.failed'], 3)
  t.true(sites.every(({ failedAt, joined }) => failedAt === 'door' && !joined))
  t.is(typeof validity.valid, 'boolean')
  t.is(await ended, 0)
})
