import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { BENCH_LOG_BYTES_MAX } from '../../config/limits.ts'
import { Child, endText } from './child.ts'

function start(t: ExecutionContext, script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'child-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const logFile = join(folder, 'logs', 'one.log')
  const messages: Record<string, unknown>[] = []
  const child = new Child({
    id: 'one',
    args: ['sh', '-c', script],
    cores: [],
    env: { MARK: 'here' },
    logFile,
    onMessage: (message) => messages.push(message),
  })
  return { child, logFile, messages }
}

test('lines of JSON are messages, all else goes to its log, also what it says in its last moment', async (t) => {
  const { child, logFile, messages } = start(
    t,
    'echo "{\\"event\\":\\"$MARK\\"}"; echo plain; echo "{broken"; echo wrong >&2; exit 3',
  )
  t.deepEqual(await child.ended, { code: 3, signal: null })
  t.deepEqual(messages, [{ event: 'here' }])
  const log = readFileSync(logFile, 'utf8')
  for (const line of ['plain', '{broken', 'wrong']) t.true(log.includes(line))
  t.true(child.tail().includes('wrong'))
  t.false(child.isRunning)
})

test('what it is sent it reads; a stopped one can be ended as well', async (t) => {
  const { child, messages } = start(t, 'while read line; do echo "$line"; done')
  child.send({ a: 1 })
  while (messages.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  child.signal('SIGSTOP')
  t.is(endText(await child.stop()), 'was ended by SIGTERM')
  t.deepEqual(messages, [{ a: 1 }])
})

test('a program that is not there is an end, not an exception', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'child-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const child = new Child({
    id: 'none',
    args: ['/no/such/program'],
    cores: [],
    env: {},
    logFile: join(folder, 'one.log'),
    onMessage: () => {},
  })
  t.not((await child.ended).code, 0)
})

test('a chatty process fills its log to the bound and no further', async (t) => {
  const line = 'x'.repeat(1_023)
  const { child, logFile } = start(t, `yes ${line} | head -c ${BENCH_LOG_BYTES_MAX + 5_000_000}`)
  await child.ended
  await new Promise((resolve) => setTimeout(resolve, 100))
  const { size } = statSync(logFile)
  t.true(size <= BENCH_LOG_BYTES_MAX + 2 * line.length, `${size} bytes`)
  t.true(readFileSync(logFile, 'latin1').endsWith('(cut here)\n'))
})
