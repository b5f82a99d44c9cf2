/** What a core writes (keys, chat, names) is for its owner alone, even in a folder that others may read. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { startCore } from './core-process.ts'

test('no file of the data folder can be read by others', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-core-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  chmodSync(dataDir, 0o755)
  await startCore(t, { dataDir })
  const names = readdirSync(dataDir)
  t.true(names.includes('events.sqlite'))
  for (const name of names) t.is(statSync(join(dataDir, name)).mode & 0o077, 0, name)
})
