/** For tests of the doors: one key pair per process. */
import { generateKeyPairSync } from 'node:crypto'
import type { TokenKeys } from '../auth/index.ts'

let keys: TokenKeys | undefined

/** The same keys at each call. */
export function testKeys(): TokenKeys {
  keys ??= generateKeyPairSync('ed25519')
  return keys
}
