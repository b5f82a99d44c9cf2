/** A seeded source of chance (xoshiro128**, seeded by splitmix32). Not for secrets. */
export type Random = {
  /** Uniform in [0, 1). */
  next: () => number
}

/** The same 32-bit seed gives the same sequence on every machine. */
export function createRandom(seed: number): Random {
  const state = new Uint32Array(4)
  let mix = seed >>> 0
  for (let index = 0; index < 4; index += 1) {
    mix = (mix + 0x9e3779b9) >>> 0
    let word = mix
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad)
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
    state[index] = (word ^ (word >>> 15)) >>> 0
  }
  return { next: () => step(state) / 4_294_967_296 }
}

function step(state: Uint32Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = state
  const product = Math.imul(b, 5)
  const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
  state[1] = b ^ (c ^ a)
  state[0] = a ^ (d ^ b)
  state[2] = c ^ a ^ (b << 9)
  state[3] = rotate(d ^ b, 11)
  return result
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
