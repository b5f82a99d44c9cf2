/**
 * Public keys of other nodes whose tokens are good here: a relay pins those that its upstream told (design §6), in a
 * file of its data folder, so that tokens are checked while nothing above can be asked.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { TOKEN_KEYS_MAX } from '../../config/index.ts'

const ISSUERS_FILE = 'issuers.json'
/** RFC 8037 §2. */
const jwk = v.object({ kty: v.literal('OKP'), crv: v.literal('Ed25519'), x: v.string() })
const file = v.pipe(v.string(), v.parseJson(), v.array(jwk), v.maxLength(TOKEN_KEYS_MAX))

export type IssuerJwk = v.InferOutput<typeof jwk>

/** A public key as it is told to other nodes. */
export function issuerJwk(key: KeyObject): IssuerJwk {
  return v.parse(jwk, key.export({ format: 'jwk' }))
}

/** Empty until something is pinned. */
export class PinnedIssuers {
  readonly #path: string
  #jwks: readonly IssuerJwk[] = []
  #keys: readonly KeyObject[] = []
  /** Grows with each change: what was checked before it must be checked again. */
  revision = 0

  /** Reads what was pinned before. A damaged file counts as none: the upstream tells the keys again. */
  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    this.#path = join(dataDir, ISSUERS_FILE)
    const known = v.safeParse(file, readIfThere(this.#path))
    if (known.success) this.#take(known.output)
  }

  get keys(): readonly KeyObject[] {
    return this.#keys
  }

  get jwks(): readonly IssuerJwk[] {
    return this.#jwks
  }

  /**
   * From now on these and no others. Throws when one is no Ed25519 key or the disk refuses; nothing is changed then.
   */
  replace(jwks: readonly IssuerJwk[]): void {
    const plain = jwks.map(({ x }): IssuerJwk => ({ kty: 'OKP', crv: 'Ed25519', x }))
    if (JSON.stringify(plain) === JSON.stringify(this.#jwks)) return
    const text = JSON.stringify(plain)
    for (const key of plain) createPublicKey({ key, format: 'jwk' })
    const draft = `${this.#path}.${process.pid}.${Date.now()}`
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(draft, this.#path)
    this.#take(plain)
  }

  #take(jwks: readonly IssuerJwk[]): void {
    this.#keys = jwks.map((key) => createPublicKey({ key, format: 'jwk' }))
    this.#jwks = jwks
    this.revision += 1
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
