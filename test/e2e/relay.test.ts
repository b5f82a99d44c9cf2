import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { readReport } from '../../bench/report/index.ts'
import { NHIPCAU, ROOT } from './core-process.ts'

/**
 * Synthetic sites on a tree of real processes: what relays carry is what was sent, also after one of them was killed.
 */

const SCENARIO = join(import.meta.dirname, 'fixtures/relay.yaml')
const RUN_MS_MAX = 120_000

test.serial(
  'two relays below a core carry sound and pictures unchanged, also after a kill -9 between',
  async (t) => {
    t.timeout(RUN_MS_MAX + 10_000)
    const folder = mkdtempSync(join(tmpdir(), 'nhipcau-relay-report-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const args = ['bench', 'run', SCENARIO, '--out', folder]
    const run = promisify(execFile)(NHIPCAU, args, { cwd: ROOT, timeout: RUN_MS_MAX })
    await run.catch((error: { stderr?: string }) => t.log(error.stderr))
    const { ended, problem, validity, criteria, figures } = readReport(folder)
    t.is(ended, 'completed', problem)
    t.deepEqual(validity.reasons, [])
    for (const { text, measured } of criteria) t.log(text, JSON.stringify(measured))
    t.deepEqual(
      criteria.filter(({ verdict }) => verdict !== 'pass').map(({ text }) => text),
      [],
    )
    t.true((figures['packets'] ?? 0) > 1000)
  },
)
