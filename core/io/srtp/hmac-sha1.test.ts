import { createHmac } from 'node:crypto'
import test from 'ava'
import { SRTP_KEYS_PER_WORKER_MAX } from '../../../config/index.ts'
import { createHmacSha1, hmacBlocks, SLAB, SLOT_BYTES } from './hmac-sha1.ts'

for (const kind of ['simd', 'hash'] as const) {
  test(`${kind}: every length, in one to four lanes of different keys, is what node:crypto gives`, (t) => {
    const hmac = createHmacSha1(kind)
    const keys = [1, 2, 3, 4].map((n) => Buffer.alloc(20, n))
    const numbers = keys.map((key) => hmac.addKey(key))
    for (let bytes = 16; bytes <= 1_504; bytes += 1) {
      const count = 1 + (bytes % 4)
      const expected: string[] = []
      for (let lane = 0; lane < count; lane += 1) {
        // Lanes may differ in length while they have equally many blocks.
        const length = hmacBlocks(bytes - lane) === hmacBlocks(bytes) ? bytes - lane : bytes
        const at = SLAB + lane * SLOT_BYTES
        for (let i = 0; i < length; i += 1) hmac.slab[at + i] = (i * 7 + lane + bytes) & 255
        const message = hmac.slab.slice(at, at + length)
        const digest = createHmac('sha1', keys[lane] as Buffer)
          .update(message)
          .digest('hex')
        expected.push(digest.slice(0, 20))
        hmac.setLane(lane, numbers[lane] as number, at, length)
      }
      hmac.tags(count, 4)
      const given = expected.map((_, lane) => {
        const length = hmacBlocks(bytes - lane) === hmacBlocks(bytes) ? bytes - lane : bytes
        const at = SLAB + lane * SLOT_BYTES + length - 4
        return Buffer.from(hmac.slab.subarray(at, at + 10)).toString('hex')
      })
      if (given.join() !== expected.join()) t.deepEqual(given, expected, `${bytes} bytes`)
    }
    t.pass()
  })

  test(`${kind}: keys end at the bound, and a removed one makes room`, (t) => {
    const hmac = createHmacSha1(kind)
    const key = Buffer.alloc(20, 1)
    for (let i = 0; i < SRTP_KEYS_PER_WORKER_MAX; i += 1) hmac.addKey(key)
    t.is(hmac.addKey(key), -1)
    hmac.removeKey(5)
    t.is(hmac.addKey(key), 5)
  })
}

test('the best kind is chosen where SIMD is there', (t) => {
  t.is(createHmacSha1().kind, 'simd')
})
