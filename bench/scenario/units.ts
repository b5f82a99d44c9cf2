/**
 * Units of criteria: what may stand behind a number, and what a figure's name says about its own.
 * An amount is held in base units (ms, bytes, bits, plain numbers), so that 12ms can be compared
 * with a figure in seconds. Not a physics library: three dimensions are all that a report has.
 */

/** Exponents; all 0: a plain number (counts, ratios, counts per second). */
export type Dimension = { time: number; bytes: number; bits: number }

/** How much one of it is in base units. */
export type Unit = { dimension: Dimension; scale: number }

const PLAIN: Dimension = { time: 0, bytes: 0, bits: 0 }
const TIME: Dimension = { time: 1, bytes: 0, bits: 0 }
const BYTES: Dimension = { time: 0, bytes: 1, bits: 0 }
const BIT_RATE: Dimension = { time: -1, bytes: 0, bits: 1 }
const BYTE_RATE: Dimension = { time: -1, bytes: 1, bits: 0 }

/**
 * What may follow a number without a blank. K, M and G are powers of 1000, Ki, Mi and Gi of 1024.
 */
export const UNITS: Readonly<Record<string, Unit>> = {
  us: { dimension: TIME, scale: 1e-3 },
  ms: { dimension: TIME, scale: 1 },
  s: { dimension: TIME, scale: 1e3 },
  m: { dimension: TIME, scale: 60e3 },
  h: { dimension: TIME, scale: 3600e3 },
  B: { dimension: BYTES, scale: 1 },
  KB: { dimension: BYTES, scale: 1e3 },
  MB: { dimension: BYTES, scale: 1e6 },
  GB: { dimension: BYTES, scale: 1e9 },
  KiB: { dimension: BYTES, scale: 1024 },
  MiB: { dimension: BYTES, scale: 1024 ** 2 },
  GiB: { dimension: BYTES, scale: 1024 ** 3 },
  // Per millisecond, the base of time.
  bps: { dimension: BIT_RATE, scale: 1e-3 },
  kbps: { dimension: BIT_RATE, scale: 1 },
  Mbps: { dimension: BIT_RATE, scale: 1e3 },
  '%': { dimension: PLAIN, scale: 0.01 },
  k: { dimension: PLAIN, scale: 1e3 },
  M: { dimension: PLAIN, scale: 1e6 },
}

/** Ends of names, longest first: the unit stands last, before Max, Min or Mean. */
const ENDINGS: readonly [RegExp, Unit][] = [
  [/(?:BytesPerS|bytesPerS)$/, { dimension: BYTE_RATE, scale: 1e-3 }],
  [/BytesPerHour$/, { dimension: BYTE_RATE, scale: 1 / 3600e3 }],
  [/(?:PerCpuSecond|PerSecond|PerS)$/i, { dimension: PLAIN, scale: 1 }],
  [/(?:Bps|^bps)$/, { dimension: BIT_RATE, scale: 1e-3 }],
  [/(?:Bytes|^bytes)$/, { dimension: BYTES, scale: 1 }],
  [/(?:Ms|^ms)$/, { dimension: TIME, scale: 1 }],
  [/(?:Us|^us)$/, { dimension: TIME, scale: 1e-3 }],
  [/(?:Seconds|^seconds|[a-z0-9]S)$/, { dimension: TIME, scale: 1e3 }],
]

/**
 * The unit that a figure's name ends with: `latency.audio.p99Ms` is milliseconds; none: a plain
 * number.
 */
export function unitOfFigure(name: string): Unit {
  const last = (name.split('.').at(-1) ?? '').replace(/(?:Max|Min|Mean)$/, '')
  return ENDINGS.find(([ending]) => ending.test(last))?.[1] ?? { dimension: PLAIN, scale: 1 }
}

/** True when amounts of both can be compared and added. */
export function isSameDimension(a: Dimension, b: Dimension): boolean {
  return a.time === b.time && a.bytes === b.bytes && a.bits === b.bits
}

/** Of a product (`sign` 1) or of a quotient (-1). */
export function combineDimensions(a: Dimension, b: Dimension, sign: 1 | -1): Dimension {
  return {
    time: a.time + sign * b.time,
    bytes: a.bytes + sign * b.bytes,
    bits: a.bits + sign * b.bits,
  }
}

/** In words with an example, for complaints: `a time (such as 12ms)`. */
export function describeDimension(dimension: Dimension): string {
  const known: [Dimension, string][] = [
    [PLAIN, 'a plain number'],
    [TIME, 'a time (such as 12ms)'],
    [BYTES, 'a size (such as 150KB)'],
    [BIT_RATE, 'a bit rate (such as 512kbps)'],
    [BYTE_RATE, 'bytes over time (such as 1MB / 1h)'],
  ]
  const found = known.find(([one]) => isSameDimension(one, dimension))
  if (found !== undefined) return found[1]
  const powers = Object.entries(dimension).filter(([, power]) => power !== 0)
  return powers.map(([name, power]) => `${name}^${power}`).join(' ')
}
