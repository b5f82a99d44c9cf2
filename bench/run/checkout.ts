/**
 * Another state of this repository to run servers from: a folder as it is, or a commit in a git
 * worktree of its own.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, statSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ROOT } from '../process/processes.ts'
import { Ledger } from './ledger.ts'
import { RunUsageError } from './options.ts'

export type Checkout = {
  root: string
  /** Removes what was made; idempotent. */
  close: () => void
}

const SERVER = 'nhipcau'

/** Throws a RunUsageError when it is neither a checkout nor a commit. */
export function openCheckout(folderOrCommit: string): Checkout {
  const folder = resolve(folderOrCommit)
  if (existsSync(folder) && statSync(folder).isDirectory()) {
    if (existsSync(join(folder, SERVER))) return { root: folder, close: () => {} }
    throw new RunUsageError(`--against ${folderOrCommit}: there is no ${SERVER} in it`)
  }
  const commit = commitNamed(folderOrCommit)
  // Trees of killed runs are forgotten as soon as their folder is gone.
  git('worktree', 'prune')
  const ledger = Ledger.open()
  const root = join(ledger.folder, 'tree')
  const close = (): void => {
    ledger.close()
    git('worktree', 'prune')
  }
  try {
    git('worktree', 'add', '--detach', '--force', root, commit)
    // Packages and the built page are this checkout's.
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
    const page = join(ROOT, 'web/dist')
    if (existsSync(page)) cpSync(page, join(root, 'web/dist'), { recursive: true })
    if (!existsSync(join(root, SERVER))) throw new Error(`there was no ${SERVER} in it`)
  } catch (error) {
    close()
    throw new RunUsageError(`--against ${folderOrCommit}: ${(error as Error).message}`)
  }
  return { root, close }
}

function commitNamed(name: string): string {
  try {
    return git('rev-parse', '--verify', '--end-of-options', `${name}^{commit}`)
  } catch {
    throw new RunUsageError(`--against ${name}: neither a folder nor a commit`)
  }
}

function git(...args: string[]): string {
  return execFileSync('git', ['-C', ROOT, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
}
