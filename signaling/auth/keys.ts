/**
 * The key pair that signs tokens: Ed25519, made on first start in the data folder, readable by its
 * owner only. `./nhipcau token` beside a running core finds the same one, whichever of the two came
 * first.
 */

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type TokenKeys = { privateKey: KeyObject; publicKey: KeyObject }

const TOKEN_KEY_FILE = 'token-key.pem'

/** Writes a new key without ever showing a half-written one; an existing one wins. */
function createKeyFile(path: string): void {
  const { privateKey } = generateKeyPairSync('ed25519')
  const draft = `${path}.${process.pid}.${Date.now()}`
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  writeFileSync(draft, pem, { mode: 0o600, flag: 'wx', flush: true })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

/**
 * Reads the key of this data folder, making folder and key where missing. Throws when the folder is
 * not writable, the file holds no Ed25519 key, or others may read it.
 */
export function loadTokenKeys(dataDir: string): TokenKeys {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, TOKEN_KEY_FILE)
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode === undefined) createKeyFile(path)
  else if ((mode & 0o077) !== 0) {
    throw new Error(
      `${path} can be read by others: run chmod 600 on it, or remove it for a new key`,
    )
  }
  const privateKey = createPrivateKey(readFileSync(path))
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error(`${path} is not an Ed25519 key`)
  return { privateKey, publicKey: createPublicKey(privateKey) }
}
