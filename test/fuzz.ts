/**
 * One fuzz loop for every parser of bytes: random and mutated inputs from a printed seed, a million
 * or as many as fit into NHIPCAU_FUZZ_SECONDS (default 3), whichever comes first, and said so. Each
 * input is parsed twice, between two different surroundings: a result that differs means that the
 * parser read outside of what it was given. Not a coverage-guided fuzzer.
 */

const GUARD_BYTES = 64
const INPUT_BYTES_MAX = 1_500
/** Enough of one parser; below it the clock has ended the run. */
export const FUZZ_INPUTS = 1_000_000
/** Longest run of one fuzz loop. */
export const FUZZ_MS = 1_000 * Number(process.env.NHIPCAU_FUZZ_SECONDS ?? 3)

export type FuzzTarget = {
  /** Valid inputs to mutate. */
  samples: readonly Uint8Array[]
  /**
   * Parses bytes[start, end) and returns a number (or string) that depends on all that it
   * understood.
   */
  parse: (bytes: Uint8Array, start: number, end: number) => number | string
  /** True: it is handed a copy, so there are no surroundings to read, and once is enough. */
  copies?: boolean
}

export type FuzzResult = {
  count: number
  /** How many inputs were not refused (nonzero result), so that a fuzz of nothing is seen. */
  accepted: number
  seed: number
  /**
   * For the log: how many, whether it was the million or the clock that ended it, and from which
   * seed.
   */
  summary: string
}

/** Throws with seed and input in hex when the target throws or reads outside. */
export function fuzz(target: FuzzTarget): FuzzResult {
  const seed = Number(process.env.NHIPCAU_FUZZ_SEED ?? (performance.now() * 1_000) & 0x7fffffff)
  const random = createRandom(seed)
  const low = new Uint8Array(INPUT_BYTES_MAX + 2 * GUARD_BYTES)
  const high = new Uint8Array(INPUT_BYTES_MAX + 2 * GUARD_BYTES).fill(0xff)
  const startedMs = performance.now()
  const endMs = startedMs + FUZZ_MS
  let count = 0
  let accepted = 0
  while (count < FUZZ_INPUTS && (count % 1_024 !== 0 || performance.now() < endMs)) {
    const length = produce(low, target.samples, random)
    const end = GUARD_BYTES + length
    low.fill(0, end, end + GUARD_BYTES)
    for (let index = GUARD_BYTES; index < end; index++) high[index] = low[index]!
    high.fill(0xff, end, end + GUARD_BYTES)
    try {
      const result = target.parse(low, GUARD_BYTES, end)
      if (target.copies !== true && result !== target.parse(high, GUARD_BYTES, end))
        throw new Error('read outside')
      if (result !== 0) accepted += 1
    } catch (cause) {
      const shown = Buffer.from(low.subarray(GUARD_BYTES, end)).toString('hex')
      throw new Error(`seed ${seed}, input ${count}: ${shown}`, { cause })
    }
    count += 1
  }
  const summary = `${fuzzed(count, startedMs)}, ${accepted} accepted, seed ${seed}`
  return { count, accepted, seed, summary }
}

/** What was reached, in words: `1,000,000 inputs in 3.1 s`, or how many until the time was up. */
export function fuzzed(count: number, startedMs: number): string {
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  const end = count >= FUZZ_INPUTS ? `in ${seconds} s` : `when the ${FUZZ_MS / 1_000} s were over`
  return `${count.toLocaleString('en')} inputs ${end}`
}

/** xorshift32: numbers 0..2^32-1. */
function createRandom(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/**
 * Puts an input at GUARD_BYTES of `out` and returns its length: a quarter random, the rest mutated
 * samples.
 */
function produce(out: Uint8Array, samples: readonly Uint8Array[], random: () => number): number {
  const sample = samples[random() % samples.length]
  if (sample === undefined || random() % 4 === 0) {
    const length = random() % 64
    for (let index = 0; index < length; index++) out[GUARD_BYTES + index] = random()
    return length
  }
  out.set(sample, GUARD_BYTES)
  let length = sample.length
  for (let turns = random() % 4; turns >= 0; turns--) {
    const at = GUARD_BYTES + (random() % Math.max(1, length))
    const kind = random() % 5
    if (kind === 0) out[at] = random()
    else if (kind === 1) out[at] = out[at]! ^ (1 << (random() % 8))
    else if (kind === 2) out[at] = [0x00, 0x01, 0x7f, 0x80, 0xff][random() % 5]!
    else if (kind === 3) length = random() % (length + 1)
    else length = grow(out, length, random)
  }
  return length
}

/** Up to eight more bytes. */
function grow(out: Uint8Array, length: number, random: () => number): number {
  const grown = Math.min(INPUT_BYTES_MAX, length + (random() % 8))
  for (let index = length; index < grown; index++) out[GUARD_BYTES + index] = random()
  return grown
}
