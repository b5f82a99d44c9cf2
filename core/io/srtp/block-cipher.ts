/**
 * AES-128 over whole blocks, from memory to memory (FIPS 197, ECB as the building block of counter mode). Not a mode of
 * encryption for anything else.
 *
 * `cipher.update` returns a new Buffer each time: 4.7 us for 2 KB, most of it for the Buffer's birth
 * and death, where the AES itself takes 0.3. So OpenSSL, which Node carries, is called with our own
 * memory where koffi loads (docs/adr/0011-aes-into-our-memory.md).
 */
import { type Cipheriv, createCipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { loadKoffi } from '../koffi.ts'

/** One key. `close` wipes and frees it; afterwards `encrypt` throws. */
export interface BlockCipher {
  /** @hot Encrypts the first `bytes` (a multiple of 16) of `input` to the start of `output`. Neither may ever move. */
  encrypt(input: Uint8Array, bytes: number, output: Buffer): void
  close(): void
}

/** OpenSSL's where it can be reached, else Node's. */
export function createBlockCipher(key: KeyObject, kind?: 'native' | 'node'): BlockCipher {
  const native = kind === 'node' ? undefined : loadOpenSsl()
  if (native !== undefined) return new NativeCipher(native, key)
  if (kind === 'native') throw new Error('OpenSSL cannot be called on this machine')
  return new NodeCipher(key)
}

class NodeCipher implements BlockCipher {
  readonly #cipher: Cipheriv
  #closed = false

  constructor(key: KeyObject) {
    this.#cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  }

  encrypt(input: Uint8Array, bytes: number, output: Buffer): void {
    if (this.#closed) throw new Error('closed key')
    // The view costs little beside the Buffer that `update` makes.
    this.#cipher.update(input.subarray(0, bytes)).copy(output)
  }

  close(): void {
    this.#closed = true
  }
}

/** OpenSSL's functions, as EVP_EncryptInit(3) describes them; contexts are addresses. */
type OpenSsl = {
  create(key: Uint8Array): number
  encrypt(context: number, input: number, bytes: number, output: number): boolean
  free(context: number): void
  addressOf(bytes: Uint8Array): number
}

class NativeCipher implements BlockCipher {
  readonly #openSsl: OpenSsl
  #context: number
  #input: Uint8Array | undefined
  #inputAddress = 0
  #output: Uint8Array | undefined
  #outputAddress = 0

  constructor(openSsl: OpenSsl, key: KeyObject) {
    this.#openSsl = openSsl
    const raw = key.export()
    this.#context = openSsl.create(raw)
    raw.fill(0)
  }

  encrypt(input: Uint8Array, bytes: number, output: Buffer): void {
    // A freed context would be somebody else's memory; so would bytes behind the end of a buffer.
    if (this.#context === 0) throw new Error('closed key')
    if (bytes > input.length || bytes > output.length) throw new Error('too short a buffer')
    if (input !== this.#input) {
      this.#input = input
      this.#inputAddress = this.#openSsl.addressOf(input)
    }
    if (output !== this.#output) {
      this.#output = output
      this.#outputAddress = this.#openSsl.addressOf(output)
    }
    const isDone = this.#openSsl.encrypt(
      this.#context,
      this.#inputAddress,
      bytes,
      this.#outputAddress,
    )
    if (!isDone) throw new Error('OpenSSL refused to encrypt')
  }

  close(): void {
    if (this.#context !== 0) this.#openSsl.free(this.#context)
    this.#context = 0
  }
}

let openSsl: OpenSsl | false | undefined

function loadOpenSsl(): OpenSsl | undefined {
  openSsl ??= bindOpenSsl() ?? false
  return openSsl === false ? undefined : openSsl
}

function bindOpenSsl(): OpenSsl | undefined {
  const koffi = loadKoffi()
  if (typeof koffi === 'string') return undefined
  try {
    const node = koffi.load(null)
    const newContext = node.func('uintptr_t EVP_CIPHER_CTX_new()')
    const freeContext = node.func('void EVP_CIPHER_CTX_free(uintptr_t context)')
    const ecb = node.func('uintptr_t EVP_aes_128_ecb()')
    const init = node.func(
      'int EVP_EncryptInit_ex(uintptr_t context, uintptr_t type, void *engine, void *key, void *iv)',
    )
    const pad = node.func('int EVP_CIPHER_CTX_set_padding(uintptr_t context, int padded)')
    const update = node.func(
      'int EVP_EncryptUpdate(uintptr_t context, uintptr_t out, uintptr_t written, uintptr_t in, int bytes)',
    )
    const addressOf = (bytes: Uint8Array): number => Number(koffi.address(bytes))
    // Longer than what V8 keeps within its heap, where it would move.
    const written = new Uint8Array(128)
    const writtenAddress = addressOf(written)
    const bound: OpenSsl = {
      create: (key) => {
        const context = Number(newContext())
        if (context === 0) throw new Error('no memory for a cipher')
        if (init(context, ecb(), null, key, null) === 1 && pad(context, 0) === 1) return context
        freeContext(context)
        throw new Error('OpenSSL takes no such key')
      },
      encrypt: (context, input, bytes, output) =>
        // C has only the address of `written`: naming it here keeps it from being collected.
        update(context, output, writtenAddress, input, bytes) === 1 && written.length > 0,
      free: (context) => {
        freeContext(context)
      },
      addressOf,
    }
    return isRight(bound) ? bound : undefined
  } catch {
    return undefined
  }
}

/** FIPS 197, appendix C.1: whatever it was that we bound, it must be this cipher. */
function isRight(bound: OpenSsl): boolean {
  const key = createSecretKey(Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'))
  const input = Buffer.alloc(128)
  input.set(Buffer.from('00112233445566778899aabbccddeeff', 'hex'))
  const output = Buffer.alloc(128)
  const cipher = new NativeCipher(bound, key)
  cipher.encrypt(input, 16, output)
  cipher.close()
  return output.subarray(0, 16).toString('hex') === '69c4e0d86a7b0430d8cdb78070b4c55a'
}
