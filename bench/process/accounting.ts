/** CPU time and memory of a process from the kernel's own books (Linux /proc). */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

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

/** One process as the kernel's table has it. */
export type TableRow = {
  pid: number
  parentPid: number
  cpuSeconds: number
  residentBytes: number
  threads: number
}

/** All processes of this machine, by pid; one small file each. */
export function readProcessTable(): Map<number, TableRow> {
  const table = new Map<number, TableRow>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!(pid > 0)) continue
    const fields = statFields(pid)
    if (fields === undefined) continue
    table.set(pid, {
      pid,
      parentPid: Number(fields[1]),
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      residentBytes: Number(fields[21]) * PAGE_BYTES,
      threads: Number(fields[17]),
    })
  }
  return table
}

/** Fields of /proc/PID/stat behind the name, the state first; undefined when the process is gone. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** Open file descriptors; 0 when the process is gone or not ours. */
export function countHandles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0
  }
}

/**
 * What all processes of this machine and its host used of its cores, at one moment; `stealSeconds`
 * is the host's part.
 */
export type MachineUsage = { busySeconds: number; stealSeconds: number; atMs: number }

/** Time stolen by other guests of the host counts as busy: it is as lost to a measurement. */
export function readMachineUsage(): MachineUsage {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  const ticks = user + nice + system + irq + softirq + steal
  return {
    busySeconds: ticks / TICKS_PER_SECOND,
    stealSeconds: steal / TICKS_PER_SECOND,
    atMs: performance.now(),
  }
}
