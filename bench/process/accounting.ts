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

/** What all processes of this machine and its host used of its cores, at one moment. */
export type MachineUsage = { busySeconds: number; atMs: number }

/** Time stolen by other guests of the host counts as busy: it is as lost to a measurement. */
export function readMachineUsage(): MachineUsage {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  const ticks = user + nice + system + irq + softirq + steal
  return { busySeconds: ticks / TICKS_PER_SECOND, atMs: performance.now() }
}
