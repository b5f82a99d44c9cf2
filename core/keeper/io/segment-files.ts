/**
 * Segments as files: `<folder>/<first two digits>/<hash>.seg`, written beside (`tmp/`) and renamed when whole,
 * damaged ones set aside (`damaged/`). Every write is on the disk when it resolves, its name after `syncNames`.
 * Nothing here knows an index or a bound.
 */
import { mkdirSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { KEEPER_DAMAGED_MAX } from '../../../config/limits.ts'
import type { SegmentHash, StorageFault } from '../contract.ts'
import { isSegmentHash } from '../segment-format.ts'

const SUFFIX = '.seg'

/** One folder. Every method rejects with what the system says; `faultOf` sorts that. */
export class SegmentFiles {
  readonly #folder: string
  readonly #made = new Set<string>()
  #setAside = 0

  /** Makes the folder when it is missing; throws when it cannot. */
  constructor(folder: string) {
    this.#folder = folder
    for (const name of ['', 'tmp', 'damaged']) {
      mkdirSync(join(folder, name), { recursive: true, mode: 0o700 })
    }
  }

  static prefixOf(hash: SegmentHash): string {
    return hash.slice(0, 2)
  }

  static *prefixes(): Iterable<string> {
    for (let index = 0; index < 256; index++) yield index.toString(16).padStart(2, '0')
  }

  /** On disk when it resolves; its name may not be before `syncNames`. */
  async write(hash: SegmentHash, bytes: Uint8Array): Promise<void> {
    const prefix = SegmentFiles.prefixOf(hash)
    if (!this.#made.has(prefix)) {
      await mkdir(join(this.#folder, prefix), { recursive: true, mode: 0o700 })
      await this.#sync('')
      this.#made.add(prefix)
    }
    const beside = join(this.#folder, 'tmp', `${hash}${SUFFIX}`)
    try {
      const file = await open(beside, 'w', 0o600)
      try {
        await file.writeFile(bytes)
        await file.datasync()
      } finally {
        await file.close()
      }
      await rename(beside, this.#path(hash))
    } catch (error) {
      await rm(beside, { force: true }).catch(() => undefined)
      throw error
    }
  }

  /** The names of what was written under these prefixes are on disk when it resolves. */
  async syncNames(prefixes: Iterable<string>): Promise<void> {
    await Promise.all([...new Set(prefixes)].map((prefix) => this.#sync(prefix)))
  }

  async read(hash: SegmentHash): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await readFile(this.#path(hash)))
  }

  /** It is well when there is none. */
  async remove(hash: SegmentHash): Promise<void> {
    await unlink(this.#path(hash)).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    })
  }

  /** Where nobody finds it by its name, for who wants to look at it; at most KEEPER_DAMAGED_MAX of them. */
  async setAside(hash: SegmentHash): Promise<void> {
    const folder = join(this.#folder, 'damaged')
    this.#setAside = (this.#setAside + 1) % KEEPER_DAMAGED_MAX
    const place = `${String(this.#setAside).padStart(3, '0')}-`
    for (const name of await readdir(folder)) {
      if (name.startsWith(place)) await rm(join(folder, name), { force: true })
    }
    await rename(this.#path(hash), join(folder, `${place}${hash}${SUFFIX}`))
  }

  /** Names of segments under a prefix; other files are none of ours. */
  async list(prefix: string): Promise<SegmentHash[]> {
    try {
      const names = await readdir(join(this.#folder, prefix))
      this.#made.add(prefix)
      return names
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => name.slice(0, -SUFFIX.length))
        .filter((hash) => isSegmentHash(hash) && SegmentFiles.prefixOf(hash) === prefix)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return []
      throw error
    }
  }

  /** What a crash left half written. */
  async clean(): Promise<void> {
    const folder = join(this.#folder, 'tmp')
    for (const name of await readdir(folder)) await rm(join(folder, name), { force: true })
  }

  /** Bytes that this process may still write on the disk. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder)
    return bavail * bsize
  }

  #path(hash: SegmentHash): string {
    return join(this.#folder, SegmentFiles.prefixOf(hash), `${hash}${SUFFIX}`)
  }

  async #sync(name: string): Promise<void> {
    const folder = await open(join(this.#folder, name), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
}

const SQLITE_READONLY = 8
const SQLITE_FULL = 13

/** What kind of refusal an error of the system, or of SQLite, is. */
export function faultOf(error: unknown): StorageFault {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown }
  const primary = typeof errcode === 'number' ? errcode & 0xff : -1
  if (code === 'ENOSPC' || code === 'EDQUOT' || primary === SQLITE_FULL) return 'full'
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || primary === SQLITE_READONLY) {
    return 'read-only'
  }
  return 'failed'
}
