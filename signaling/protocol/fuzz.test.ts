import test from 'ava'
import { pack } from 'msgpackr'
import { CODECS, parseClientMessage } from './index.ts'

const FRAMES = 1_000_000
const SECONDS = Number(process.env.NHIPCAU_FUZZ_SECONDS ?? 3)

/** xorshift32: the failing frame can be made again from its seed. */
function generator(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

// JSON.parse throws for every frame that is none: without stack traces that is five times as fast.
Error.stackTraceLimit = 0

const SAMPLES = [
  { type: 'ping', ref: 1 },
  { type: 'join', token: 'x.y.z', resume: { session: 's', secret: 't' } },
  { type: 'view', main: null, slots: [{ mid: '4', widthPx: 640, heightPx: 360 }] },
  { type: 'offer', sdp: 'v=0\r\n', sections: [{ mid: '0', use: 'microphone' }] },
  { type: 'chat', text: 'chào các bạn' },
]

function mutate(sample: Buffer, scratch: Buffer, next: () => number): Uint8Array {
  const random = next()
  if (random % 4 === 0) {
    const length = next() % 48
    for (let i = 0; i < length; i++) scratch[i] = next()
    return scratch.subarray(0, length)
  }
  sample.copy(scratch)
  const flips = 1 + (random % 3)
  for (let i = 0; i < flips; i++) scratch[next() % sample.length] = next()
  return scratch.subarray(0, sample.length - (random % 7 === 0 ? next() % sample.length : 0))
}

for (const codec of CODECS) {
  const binary = codec.subprotocol.endsWith('msgpack')
  test(`${codec.subprotocol}: random and mutated frames never throw and pollute nothing`, (t) => {
    const samples = SAMPLES.map((sample) =>
      binary ? Buffer.from(pack(sample)) : Buffer.from(JSON.stringify(sample)),
    )
    const scratch = Buffer.alloc(512)
    const next = generator(0x4e43)
    const deadlineMs = performance.now() + (SECONDS * 1000) / CODECS.length
    let frames = 0
    let understood = 0
    while (frames < FRAMES && (frames % 1024 !== 0 || performance.now() < deadlineMs)) {
      const sample = samples[frames % samples.length] as Buffer
      const value = codec.decode(mutate(sample, scratch, next), binary)
      if (value !== undefined && parseClientMessage(value).ok) understood++
      frames++
    }
    t.log(`${frames} frames, ${understood} still well-formed messages`)
    t.true(frames >= 10_000)
    t.true(understood > 0 && understood < frames)
    t.deepEqual(Object.keys(Object.prototype), [])
  })
}
