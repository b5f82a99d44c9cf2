/** Files of the data folder that are for their owner only, never seen half-written, and on disk before we go on. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

function writeDraft(path: string, text: string): string {
  const draft = `${path}.${process.pid}.${Date.now()}`
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true })
  return draft
}

/** Puts `text` in place of what is there. Throws what the disk says. */
export function replaceFile(path: string, text: string): void {
  const draft = writeDraft(path, text)
  try {
    renameSync(draft, path)
  } catch (error) {
    unlinkSync(draft)
    throw error
  }
  syncFolder(dirname(path))
}

/** Makes the file unless there is one; an existing one wins. */
export function createFile(path: string, text: string): void {
  const draft = writeDraft(path, text)
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

/** Without it a renamed file may come back as it was after a loss of power. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Undefined when there is none. Throws when others may read it, or the disk does not give it. */
export function readPrivateFile(path: string): string | undefined {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode === undefined) return undefined
  if ((mode & 0o077) !== 0) throw new Error(`${path} can be read by others: run chmod 600 on it`)
  return readFileSync(path, 'utf8')
}
