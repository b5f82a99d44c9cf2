/**
 * Completes package-lock.json. A registry mirror may lack binaries for other platforms; npm then
 * leaves them out of the lock file, and `npm ci` refuses the lock for it. Here they are entered by
 * name and exact version (without integrity: nothing was downloaded), for their platform only. Run
 * `node test/lock-file.ts` after every change of dependencies.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Entry = {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}
type LockFile = { packages: Record<string, Entry> }

const LOCK_FILE = join(import.meta.dirname, '../package-lock.json')
const SYSTEMS = ['android', 'darwin', 'win32', 'linux', 'freebsd', 'openharmony']
const PROCESSORS = ['arm64', 'x64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x']

/** Optional packages that something names and the lock file does not hold: path to entry. */
export function missingEntries(lock: LockFile): Record<string, Entry> {
  const missing: Record<string, Entry> = {}
  for (const parent of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const held = Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`))
      const parts = name.split(/[/-]/)
      const system = SYSTEMS.find((one) => parts.includes(one))
      if (held || system === undefined) continue
      missing[`node_modules/${name}`] = {
        version,
        ...(parent.dev === true ? { dev: true } : {}),
        optional: true,
        os: [system],
        cpu: [PROCESSORS.find((one) => parts.includes(one)) ?? 'arm'],
        ...(parts.some((part) => part.startsWith('musl')) ? { libc: ['musl'] } : {}),
      }
    }
  }
  return missing
}

/** The lock file of this tree. */
export function readLockFile(): LockFile {
  return JSON.parse(readFileSync(LOCK_FILE, 'utf8'))
}

if (import.meta.main) {
  const lock = readLockFile()
  const missing = missingEntries(lock)
  const entries = Object.entries({ ...lock.packages, ...missing })
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, undefined, 2)
  writeFileSync(LOCK_FILE, `${text}\n`)
  console.log(`${Object.keys(missing).length} entries added`)
}
