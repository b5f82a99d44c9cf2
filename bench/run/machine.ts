/** What a report says of where it was made, and of what. */
import { execFileSync } from 'node:child_process'
import { cpus, hostname, release, totalmem, type } from 'node:os'
import type { RunReport } from '../report/index.ts'

export function machineReport(othersCores: number): RunReport['machine'] {
  const processors = cpus()
  return {
    name: hostname(),
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    othersCores,
  }
}

/** Of the checkout at `root`; `unknown` where there is no git. Changes outside of git's sight do not count. */
export function commitOf(root: string): RunReport['commit'] {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', root, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim()
    return { hash: git('rev-parse', 'HEAD'), dirty: git('status', '--porcelain') !== '' }
  } catch {
    return { hash: 'unknown', dirty: false }
  }
}
