/**
 * Who runs first: on a busy machine an emulator that waits for a processor would look like a worse
 * line. Real-time where asked and allowed, else before ordinary processes, else as they do; it says
 * which.
 * A real-time process must not be pinned to one core: V8's own threads would starve behind the one that
 * waits for them, and it would spin.
 */
import { execFileSync } from 'node:child_process'
import { setPriority } from 'node:os'

const NICENESS = -15
const REALTIME_PRIORITY = '10'

export type Scheduling = 'realtime' | 'preferred' | 'ordinary'

/** Changes this process and returns what it got; never throws. */
export function claimProcessor(realtime: boolean): Scheduling {
  if (realtime && didRun('chrt', ['-a', '-f', '-p', REALTIME_PRIORITY, String(process.pid)]))
    return 'realtime'
  try {
    setPriority(NICENESS)
    return 'preferred'
  } catch {
    return 'ordinary'
  }
}

function didRun(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
