/** CPU time and memory of a process from the kernel's own books (Linux /proc). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** CPU seconds used by all threads, and resident memory, at one moment. */
export type Usage = { cpuSeconds: number; residentBytes: number; atMs: number }

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const PAGE_BYTES = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }))

/** Throws when the process is gone. */
export function readUsage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in brackets may hold anything: fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    residentBytes: pages * PAGE_BYTES,
    atMs: performance.now(),
  }
}

/** Share of one core between two readings, 0..n. */
export function cpuShare(before: Usage, after: Usage): number {
  return (after.cpuSeconds - before.cpuSeconds) / ((after.atMs - before.atMs) / 1000)
}
