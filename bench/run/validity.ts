/** Whether a run may blame a server at all. Pure. */
import type { RunReport } from '../report/index.ts'
import type { LineResult } from './line-process.ts'
import type { Shares } from './process-book.ts'

/**
 * Above these the machine, not the server, was measured. Cores beside the run's own processes;
 * `scenario` means over the run.
 */
const OTHERS_CORES_MAX = 0.15
const STEAL_CORES_MAX = 0.1
/** An emulator that is later than this at one packet of a hundred is a worse line than asked for. */
const LINE_LATE_P99_MS_MAX = 20
/** Of what a scenario allows the load: 25 ms, its default, is 20 ms for a line. */
const LINE_PART = 0.8

export type ValidityFacts = {
  shares: Shares
  /** Cores that others may take, when the run says so itself. */
  othersCoresMax?: number | undefined
  /** The same of lateness of its own processes; of lines it counts where it is more than their usual bound. */
  ownLatenessMsMax?: number | undefined
  /** What each load says of itself. */
  loads: readonly RunReport['validity'][]
  lines: ReadonlyMap<string, Pick<LineResult, 'lateP99Ms' | 'emulatorFull'>>
  /** Loads or lines that ended without a word. */
  lost: readonly string[]
}

/** Not valid when there is any reason. */
export function judgeValidity(facts: ValidityFacts): RunReport['validity'] {
  const { shares, loads, lines, lost, othersCoresMax = OTHERS_CORES_MAX } = facts
  const lineLateMsMax = Math.max(LINE_LATE_P99_MS_MAX, (facts.ownLatenessMsMax ?? 0) * LINE_PART)
  const reasons = [...lost, ...loads.flatMap((load) => load.reasons)]
  if (shares.othersCores > othersCoresMax)
    reasons.push(
      `other processes took ${shares.othersCores.toFixed(2)} cores meanwhile, ${othersCoresMax} at most`,
    )
  if (shares.stealCores > Math.max(STEAL_CORES_MAX, othersCoresMax - OTHERS_CORES_MAX))
    reasons.push(
      `the host took ${shares.stealCores.toFixed(2)} cores away meanwhile, ${STEAL_CORES_MAX} at most`,
    )
  for (const [id, { lateP99Ms, emulatorFull }] of lines) {
    if (lateP99Ms > lineLateMsMax)
      reasons.push(
        `the emulator of ${id} was itself late: p99 ${lateP99Ms.toFixed(1)} ms, ${lineLateMsMax} at most`,
      )
    if (emulatorFull > 0)
      reasons.push(`the emulator of ${id} dropped ${emulatorFull} packets at a bound of its own`)
  }
  const isValid = reasons.length === 0 && loads.every((load) => load.valid)
  return { valid: isValid, reasons }
}
