/** One line about a run while it goes on, and where it is written: over and over in a terminal, every 5 s elsewhere. */
import type { LoadProgress } from '../load/index.ts'

/** The moment as the runner sees it. */
export type Status = {
  name: string
  phase: 'start' | 'join' | 'steady' | 'faults' | 'end'
  atS: number
  durationS: number
  load: Pick<LoadProgress, 'planned' | 'joined' | 'failed' | 'lossRatio'> | undefined
  /** Share of one core, by process; `others` among them when it is worth telling. */
  cpu: ReadonlyMap<string, number>
}

const PLAIN_EVERY_MS = 5_000
const OTHERS_WORTH_TELLING = 0.15

/** Such as `storm-1000  join  12/60 s, 48 s left  joined 640/1000, 2 failed  loss 0.12 %  cpu core 93 %, load 71 %`. */
export function statusText({ name, phase, atS, durationS, load, cpu }: Status): string {
  const left = phase === 'end' ? '' : `, ${timeText(Math.max(0, durationS - atS))} left`
  const processes = [...linksTogether(cpu)]
    .filter(([id, share]) => id !== 'others' || share >= OTHERS_WORTH_TELLING)
    .map(([id, share]) => `${id} ${(share * 100).toFixed(0)} %`)
  const parts = [
    name,
    phase,
    `${Math.floor(atS)}/${durationS} s${left}`,
    ...(load === undefined ? [] : [joinedText(load), `loss ${percentText(load.lossRatio)}`]),
    ...(processes.length === 0 ? [] : [`cpu ${processes.join(', ')}`]),
  ]
  return parts.join('  ')
}

/** Several lines are one number: there may be twenty. */
function linksTogether(cpu: Status['cpu']): Map<string, number> {
  const links = [...cpu].filter(([id]) => id.startsWith('link.'))
  if (links.length < 2) return new Map(cpu)
  const together = links.reduce((sum, [, share]) => sum + share, 0)
  return new Map(
    [...cpu].flatMap(([id, share]) => {
      if (!id.startsWith('link.')) return [[id, share] as const]
      return id === links[0]?.[0] ? [['links', together] as const] : []
    }),
  )
}

function joinedText({ joined, planned, failed }: NonNullable<Status['load']>): string {
  return `joined ${joined}/${planned}${failed > 0 ? `, ${failed} failed` : ''}`
}

function percentText(ratio: number): string {
  const percent = ratio * 100
  return `${percent === 0 || percent >= 10 ? percent.toFixed(0) : percent.toPrecision(2)} %`
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds)
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** What progress is written to: standard error. */
export type ProgressStream = {
  isTTY?: boolean
  columns?: number
  write: (text: string) => unknown
}

/** Lines that stay and one line that is drawn over. */
export class ProgressWriter {
  readonly #stream: ProgressStream
  #drawn = false
  #saidAtMs = Number.NEGATIVE_INFINITY

  constructor(stream: ProgressStream) {
    this.#stream = stream
  }

  /**
   * The line about now; in a terminal cut to its width, elsewhere left out unless it is news or 5 s have passed since
   * the last.
   */
  status(text: string, { nowMs, isNews = false }: { nowMs: number; isNews?: boolean }): void {
    if (this.#stream.isTTY === true) {
      this.#stream.write(`\r\x1b[2K${text.slice(0, (this.#stream.columns ?? 80) - 1)}`)
      this.#drawn = true
    } else if (isNews || nowMs - this.#saidAtMs >= PLAIN_EVERY_MS) {
      this.#saidAtMs = nowMs
      this.#stream.write(`${text}\n`)
    }
  }

  /** A line that stays. */
  say(text: string): void {
    this.clear()
    this.#stream.write(`${text}\n`)
  }

  /** Takes the drawn line away. */
  clear(): void {
    if (this.#drawn) this.#stream.write('\r\x1b[2K')
    this.#drawn = false
  }
}
