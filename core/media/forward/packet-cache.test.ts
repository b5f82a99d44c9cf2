import test from 'ava'
import fc from 'fast-check'
import { CACHE_BYTES_MAX, CACHE_BYTES_MIN, CACHE_PACKETS } from '../../../config/limits.ts'
import { MediaPacket } from '../rtp/index.ts'
import { PacketCache } from './packet-cache.ts'

function createPacket(sequence: number, sizeBytes: number, epoch = 1): MediaPacket {
  const packet = new MediaPacket()
  packet.bytes = new Uint8Array(sizeBytes).fill(sequence & 0xff)
  packet.end = sizeBytes
  packet.sequence = sequence
  packet.epoch = epoch
  return packet
}

test('what is found is what was stored, for any sizes, growth and order', (t) => {
  const step = fc.tuple(
    fc.integer({ min: -20, max: 3 }),
    fc.integer({ min: 12, max: 1_400 }),
    fc.nat(99),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 800 }), (steps) => {
      const cache = new PacketCache()
      const sizes = new Map<number, number>()
      let sequence = 65_000
      for (const [ahead, sizeBytes, chance] of steps) {
        const number = sequence + (ahead === 0 ? 1 : ahead)
        sequence = Math.max(sequence, number)
        cache.store(createPacket(number, sizeBytes))
        sizes.set(number, sizeBytes)
        if (chance === 0) cache.fitRate(1_500_000)
        if (!cache.find(number, 1)) return false
      }
      for (const [number, sizeBytes] of sizes) {
        if (!cache.find(number, 1)) continue
        if (cache.end - cache.start !== sizeBytes) return false
        const kept = cache.bytes.subarray(cache.start, cache.end)
        if (!kept.every((byte) => byte === (number & 0xff))) return false
      }
      return true
    }),
    { numRuns: 60 },
  )
  t.pass()
})

test('it never holds more than its packets and bytes, however fast the layer', (t) => {
  const cache = new PacketCache()
  t.is(cache.sizeBytes, CACHE_BYTES_MIN)
  cache.fitRate(1e12)
  t.is(cache.sizeBytes, CACHE_BYTES_MAX)
  for (let i = 0; i < 2_000; i++) cache.store(createPacket(i, 20))
  t.true(cache.find(1_999, 1))
  t.true(cache.find(2_000 - CACHE_PACKETS, 1))
  t.false(cache.find(1_999 - CACHE_PACKETS, 1))
})

test('a new epoch forgets the old one', (t) => {
  const cache = new PacketCache()
  cache.store(createPacket(5, 20, 1))
  cache.store(createPacket(6, 20, 2))
  t.false(cache.find(5, 1))
  t.false(cache.find(5, 2))
  t.true(cache.find(6, 2))
})
