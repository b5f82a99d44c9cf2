import test from 'ava'
import { missingEntries, readLockFile } from './lock-file.ts'

test('the lock file names the packages of every platform, or npm ci would refuse it', (t) => {
  t.deepEqual(missingEntries(readLockFile()), {}, 'run: node test/lock-file.ts')
})

test('a missing platform is found with its system, processor and C library', (t) => {
  const optionalDependencies = { '@x/y-linux-arm64-musl': '1.2.3', '@x/y-linux-x64': '1.2.3' }
  const packages = { a: { optionalDependencies }, 'node_modules/@x/y-linux-x64': {} }
  t.deepEqual(missingEntries({ packages }), {
    'node_modules/@x/y-linux-arm64-musl': {
      version: '1.2.3',
      optional: true,
      os: ['linux'],
      cpu: ['arm64'],
      libc: ['musl'],
    },
  })
})
