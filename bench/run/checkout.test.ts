import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ROOT } from '../process/processes.ts'
import { openCheckout } from './checkout.ts'

test('a commit becomes a tree with our packages, and is gone when it is closed', (t) => {
  if (!existsSync(join(ROOT, '.git'))) return t.log('not run: this is no git checkout')
  const { root, close } = openCheckout('HEAD')
  t.true(existsSync(join(root, 'nhipcau')))
  t.true(existsSync(join(root, 'node_modules/.bin/node')))
  close()
  close()
  t.false(existsSync(root))
  const trees = execFileSync('git', ['-C', ROOT, 'worktree', 'list'], { encoding: 'utf8' })
  t.false(trees.includes(root))
})

test('a folder is taken as it is, and not removed', (t) => {
  const { root, close } = openCheckout(ROOT)
  t.is(root, ROOT)
  close()
  t.true(existsSync(ROOT))
})

test('what is neither is told', (t) => {
  t.throws(() => openCheckout('no-such-thing'), { message: /neither a folder nor a commit/ })
  t.throws(() => openCheckout('bench'), { message: /there is no nhipcau in it/ })
})
