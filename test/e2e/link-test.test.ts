/** `./nhipcau link-test` beside a relay that runs, over a line of known rate; and where there is nothing to measure. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { PROFILES } from '../../bench/link/index.ts'
import { startProcess } from '../../bench/process/processes.ts'
import { type CoreProcess, NHIPCAU, startCore, startRelay } from './core-process.ts'

const run = promisify(execFile)

function measure(node: Pick<CoreProcess, 'dataDir' | 'httpPort'>, ...args: string[]) {
  const env = {
    ...process.env,
    NHIPCAU_DATA_DIR: node.dataDir,
    NHIPCAU_HTTP_PORT: String(node.httpPort),
  }
  return run(NHIPCAU, ['link-test', '--seconds', '15', ...args], { env })
}

test('a relay behind a line of 512 kbit/s finds that out in both directions, and says what to expect', async (t) => {
  const core = await startCore(t)
  const trunk = core.log.find(({ msg }) => msg === 'trunk thread is ready')
  const map = `udp:127.0.0.1:0=127.0.0.1:${trunk?.port}`
  const line = startProcess({ args: ['main.ts', 'link', '--profile', 'district', '--map', map] })
  t.teardown(() => line.stop())
  const ready = await line.line(({ event }) => event === 'ready')
  const [{ listen } = { listen: '' }] = ready.mappings as { listen: string }[]
  const env = { NHIPCAU_TRUNK_UPSTREAM_PORT: String(listen.split(':')[1]) }
  const relay = await startRelay(t, core, { name: 'Mường Tè', env })
  await t.throwsAsync(measure(core, '--lang', 'en'), { message: /no upstream/ })
  const nobody = { dataDir: relay.dataDir, httpPort: 1 }
  await t.throwsAsync(measure(nobody, '--lang', 'en'), { message: /no relay runs here/ })
  const { stdout, stderr } = await measure(relay, '--json')
  const { down, up, path, rttMs } = JSON.parse(stdout)
  t.log(stdout)
  for (const [way, { rateBps }] of [
    [down, PROFILES.district.down],
    [up, PROFILES.district.up],
  ]) {
    t.true(Math.abs(way.rateBps / rateBps - 1) < 0.15, `${way.rateBps} of ${rateBps}`)
    t.true(way.lossRatio < 0.1)
  }
  t.is(path, 'udp')
  t.true(rttMs >= 60, `${rttMs}`)
  t.true(stderr.split('\n').length > 10, 'progress')
  // The node above lets nobody measure all the time, and says so in words.
  await t.throwsAsync(measure(relay, '--lang', 'vi'), { message: /chờ một phút/ })
})
