/**
 * What one direction of a link does to packets, as one table: key, range, meaning. The type, the
 * check, the parser of `key=value` and docs/LINK.md are made from it.
 */

/** Gilbert-Elliott: two states with a loss each; probabilities per packet. */
export type BurstLoss = {
  goodToBad: number
  badToGood: number
  lossRatioGood: number
  lossRatioBad: number
}

/** What one direction does to packets. */
export type LinkSettings = {
  /** 0 = unlimited. Counts payload plus overheadBytes. */
  rateBps: number
  /**
   * Tail-drop bound of the queue in front of the rate; 0 = none. A rate needs this bound or
   * `queueMs`.
   */
  queueBytes: number
  /** The same bound as waiting time; 0 = none. Where both are given the smaller decides. */
  queueMs: number
  /** Headers that each packet costs on the wire (IPv4 + UDP = 28). */
  overheadBytes: number
  delayMs: number
  /** Uniform 0..jitterMs added to the delay. */
  jitterMs: number
  /** True: jitter may deliver packets out of order; false: it only stretches gaps. */
  reorder: boolean
  /** Independent loss, 0..1. */
  lossRatio: number
  burstLoss?: BurstLoss | undefined
  duplicateRatio: number
  /** Larger payloads are dropped; 0 = no bound. */
  mtuBytes: number
  /** False: everything is dropped, what is on its way too. */
  up: boolean
}

/** A link that changes nothing. */
export const PERFECT: LinkSettings = {
  rateBps: 0,
  queueBytes: 0,
  queueMs: 0,
  overheadBytes: 28,
  delayMs: 0,
  jitterMs: 0,
  reorder: false,
  lossRatio: 0,
  duplicateRatio: 0,
  mtuBytes: 0,
  up: true,
}

/** One settable key: `max` is inclusive; `number` keys take the suffixes k and M. */
export type LinkSettingRow = { key: string; max: number; doc: string }

/** Keys with a number from 0 to `max`. */
export const NUMBER_SETTINGS = [
  { key: 'rateBps', max: 10e9, doc: 'bits per second, headers included; 0 = unlimited' },
  { key: 'queueBytes', max: 64e6, doc: 'tail-drop bound of the queue before the rate; 0 = none' },
  { key: 'queueMs', max: 60_000, doc: 'the same bound as waiting time; the smaller decides' },
  { key: 'overheadBytes', max: 200, doc: 'headers that each packet costs beside its payload' },
  { key: 'delayMs', max: 60_000, doc: 'one-way delay' },
  { key: 'jitterMs', max: 60_000, doc: 'added to the delay, uniform between 0 and this' },
  { key: 'lossRatio', max: 1, doc: 'independent loss, 0 to 1' },
  { key: 'duplicateRatio', max: 1, doc: 'share of packets that arrive twice' },
  { key: 'mtuBytes', max: 65_535, doc: 'larger payloads are dropped; 0 = no bound' },
] as const satisfies readonly (LinkSettingRow & { key: keyof LinkSettings })[]

/** The other keys, for messages and documentation. */
export const OTHER_SETTINGS = [
  { key: 'reorder', allowed: 'true or false', doc: 'whether jitter may change the order' },
  {
    key: 'burstLoss',
    allowed: 'none, or goodToBad/badToGood/lossRatioGood/lossRatioBad, each 0 to 1',
    doc: 'loss in bursts (Gilbert-Elliott), probabilities per packet',
  },
] as const

const RATIO_SETTINGS: readonly string[] = ['lossRatio', 'duplicateRatio']
const SUFFIXES: Record<string, number> = { k: 1e3, M: 1e6, G: 1e9 }

/** What a person may write for a key, or undefined when there is no such key. */
export function allowedFor(key: string): string | undefined {
  const row = NUMBER_SETTINGS.find((setting) => setting.key === key)
  if (row === undefined) return OTHER_SETTINGS.find((setting) => setting.key === key)?.allowed
  return RATIO_SETTINGS.includes(key) ? '0 to 1' : `0 to ${row.max}, such as 1500, 64k or 2M`
}

/** All keys, for messages. */
export const SETTING_KEYS: readonly string[] = [
  ...NUMBER_SETTINGS.map(({ key }) => key),
  ...OTHER_SETTINGS.map(({ key }) => key),
]

/**
 * The value of a key from text or YAML; undefined when it is not allowed. `burstLoss: none` gives
 * `null`.
 */
export function parseSetting(
  key: string,
  value: unknown,
): number | boolean | BurstLoss | null | undefined {
  if (key === 'reorder') return parseFlag(value)
  if (key === 'burstLoss') return parseBurstLoss(value)
  const row = NUMBER_SETTINGS.find((setting) => setting.key === key)
  const number = row === undefined ? undefined : parseNumber(value)
  return number !== undefined && number <= (row?.max ?? 0) ? number : undefined
}

/** `change` laid over `settings`; throws a RangeError when the whole cannot be. */
export function mergeSettings(settings: LinkSettings, change: Partial<LinkSettings>): LinkSettings {
  const merged = { ...settings, ...change }
  const { rateBps, queueBytes, queueMs, burstLoss } = merged
  const bursts = Object.values(burstLoss ?? {}).every((ratio) => ratio >= 0 && ratio <= 1)
  const ranges = NUMBER_SETTINGS.every(({ key, max }) => merged[key] >= 0 && merged[key] <= max)
  if (bursts && ranges && (rateBps === 0 || queueBytes > 0 || queueMs > 0)) return merged
  throw new RangeError('link settings: ratios are 0..1, sizes >= 0, a rate needs a queue')
}

function parseNumber(value: unknown): number | undefined {
  const match = /^(\d+(?:\.\d+)?(?:e\d{1,2})?)([kMG]?)$/.exec(String(value))
  if (match === null) return undefined
  return Number(match[1]) * (SUFFIXES[match[2] ?? ''] ?? 1)
}

function parseFlag(value: unknown): boolean | undefined {
  if (value === true || value === 'true') return true
  return value === false || value === 'false' ? false : undefined
}

function parseBurstLoss(value: unknown): BurstLoss | null | undefined {
  if (value === null || value === 'none') return null
  const given =
    typeof value === 'object'
      ? ['goodToBad', 'badToGood', 'lossRatioGood', 'lossRatioBad'].map(
          (key) => (value as Record<string, unknown>)[key],
        )
      : String(value).split('/')
  const ratios = given.map((ratio) => parseNumber(ratio) ?? Number.NaN)
  if (ratios.length !== 4 || !ratios.every((ratio) => ratio >= 0 && ratio <= 1)) return undefined
  const [goodToBad = 0, badToGood = 0, lossRatioGood = 0, lossRatioBad = 0] = ratios
  return { goodToBad, badToGood, lossRatioGood, lossRatioBad }
}
