/**
 * The key by which a node is known to its neighbours: Ed25519, made at the first start, readable by its owner
 * only.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Signer } from '../control/index.ts'
import { createSigner } from './primitives.ts'
import { createFile, readPrivateFile } from './private-file.ts'

const NODE_KEY_FILE = 'node-key.pem'

/**
 * Reads the node's key, making folder and key where missing. Throws when the folder is not writable, the file
 * holds no Ed25519 key, or others may read it.
 */
export function loadNodeKey(dataDir: string): Signer {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, NODE_KEY_FILE)
  if (readPrivateFile(path) === undefined) {
    const { privateKey } = generateKeyPairSync('ed25519')
    createFile(path, String(privateKey.export({ type: 'pkcs8', format: 'pem' })))
  }
  const key = createPrivateKey(readPrivateFile(path) ?? '')
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${path} is not an Ed25519 key`)
  return createSigner(key)
}
