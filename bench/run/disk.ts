/**
 * A disk that can be filled without filling the machine's: a small file system of its own under a
 * node's data folder.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Leftover } from './ledger.ts'

const DISK_BYTES = 64 * 1024 * 1024
const CHUNKS_BYTES = [1024 * 1024, 64 * 1024, 4 * 1024, 512]
const BALLAST = 'ballast'

/** Throws where we may not mount, with what to do about it. */
export function mountDisk(folder: string, track: (leftover: Leftover) => void): void {
  mkdirSync(folder, { recursive: true })
  track({ kind: 'mount', path: folder })
  const options = `size=${DISK_BYTES},mode=700`
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], {
    encoding: 'utf8',
  })
  if (status === 0) return
  const why = stderr?.trim() ?? 'no such program: mount'
  throw new Error(`a disk that gets full is a mount, which needs root here: ${why}`)
}

/** Until not a block is free. */
export function fillDisk(folder: string): void {
  const file = openSync(join(folder, BALLAST), 'a', 0o600)
  try {
    for (const bytes of CHUNKS_BYTES) {
      const chunk = Buffer.alloc(bytes, 1)
      // A write that the disk takes in part is the last of its size.
      while (tookAll(file, chunk));
    }
  } finally {
    closeSync(file)
  }
}

export function freeDisk(folder: string): void {
  rmSync(join(folder, BALLAST), { force: true })
}

function tookAll(file: number, chunk: Buffer): boolean {
  try {
    return writeSync(file, chunk) === chunk.length
  } catch {
    return false
  }
}
