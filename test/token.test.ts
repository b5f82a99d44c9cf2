import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'

const NHIPCAU = join(import.meta.dirname, '../nhipcau')

test('a link that looks meant for many says what a kick would do, beside the link', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-token-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const env = { ...process.env, NHIPCAU_DATA_DIR: folder, NHIPCAU_TEST_SUITE: undefined }
  const token = (...args: string[]) =>
    spawnSync(NHIPCAU, ['token', '--room', 'a', '--raw', ...args], { env, encoding: 'utf8' })
  const shared = token('--role', 'viewer')
  t.regex(shared.stderr, /one kick empties the hall/)
  t.regex(shared.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/, 'stdout holds the token alone')
  t.is(token('--role', 'viewer', '--site', 'Mường Nhé').stderr, '')
  t.is(token('--role', 'chair').stderr, '')
})
