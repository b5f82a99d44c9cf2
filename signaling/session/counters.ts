/**
 * What the doors count, as plain numbers; io/metrics.ts turns them into Prometheus series.
 */

import { ERROR_CODES, type ErrorCode } from '../protocol/index.ts'

/** Grows only; read by whoever scrapes. */
export class DoorCounters {
  messagesIn = 0
  messagesOut = 0
  statisticsDropped = 0
  slowReaders = 0
  joins = 0
  resumes = 0
  readonly refusals: Record<ErrorCode, number>

  constructor() {
    this.refusals = Object.fromEntries(ERROR_CODES.map((code) => [code, 0])) as Record<
      ErrorCode,
      number
    >
  }

  refused(code: ErrorCode): void {
    this.refusals[code]++
  }
}
