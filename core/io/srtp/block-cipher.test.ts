import { createCipheriv, createSecretKey } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { createBlockCipher } from './block-cipher.ts'

const KINDS = ['native', 'node'] as const
const INPUT_BYTES = 4096

for (const kind of KINDS) {
  test(`${kind}: FIPS 197, appendix B`, (t) => {
    const key = createSecretKey(Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex'))
    const input = Buffer.alloc(256)
    input.set(Buffer.from('3243f6a8885a308d313198a2e0370734', 'hex'))
    const output = Buffer.alloc(256)
    createBlockCipher(key, kind).encrypt(input, 16, output)
    t.is(output.toString('hex', 0, 16), '3925841d02dc09fbdc118597196a0b32')
    t.true(
      output.subarray(16).every((byte) => byte === 0),
      'nothing behind it was written',
    )
  })

  test(`${kind}: property: the same as Node's cipher, for any key and length, buffer after buffer`, (t) => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    const blocks = fc.array(fc.integer({ min: 1, max: INPUT_BYTES / 16 }), { maxLength: 5 })
    const property = fc.property(bytes(16), bytes(INPUT_BYTES), blocks, (raw, text, lengths) => {
      const key = createSecretKey(raw)
      const cipher = createBlockCipher(key, kind)
      const reference = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
      // Each length of two inputs: what is kept of one must not answer for the other.
      const inputs = [text, text.toReversed()]
      for (const [length, input] of lengths.flatMap((one) =>
        inputs.map((of) => [one, of] as const),
      )) {
        const output = Buffer.alloc(INPUT_BYTES)
        cipher.encrypt(input, length * 16, output)
        const expected = reference.update(input.subarray(0, length * 16))
        t.is(output.compare(expected, 0, expected.length, 0, expected.length), 0)
      }
      cipher.close()
    })
    fc.assert(property, { numRuns: 50 })
  })

  test(`${kind}: a closed key encrypts no more, and closes once`, (t) => {
    const cipher = createBlockCipher(createSecretKey(Buffer.alloc(16)), kind)
    cipher.close()
    cipher.close()
    t.throws(() => cipher.encrypt(Buffer.alloc(256), 16, Buffer.alloc(256)), {
      message: 'closed key',
    })
  })
}

test('native: buffers that are too short are refused before memory is touched', (t) => {
  const cipher = createBlockCipher(createSecretKey(Buffer.alloc(16)), 'native')
  t.throws(() => cipher.encrypt(Buffer.alloc(256), 512, Buffer.alloc(1024)))
  t.throws(() => cipher.encrypt(Buffer.alloc(1024), 512, Buffer.alloc(256)))
  cipher.close()
})

test('native: a hundred thousand keys leave no memory behind', (t) => {
  const key = createSecretKey(Buffer.alloc(16, 7))
  for (let i = 0; i < 5_000; i += 1) createBlockCipher(key, 'native').close()
  const before = process.memoryUsage.rss()
  for (let i = 0; i < 100_000; i += 1) createBlockCipher(key, 'native').close()
  const grownBytes = process.memoryUsage.rss() - before
  // Each context and key schedule takes some 500 bytes: 50 MB if they stayed.
  t.true(grownBytes < 30e6, `${grownBytes}`)
})
