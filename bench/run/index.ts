/** The runner: `./nhipcau bench run`. Starts what a scenario says, does to it what it says, and leaves one report. */
export { runCommand } from './command.ts'
export type { Leftover } from './ledger.ts'
export { missingNeeds } from './needs.ts'
export type { NodeStart, RunningNode } from './node.ts'
export { RUN_USAGE } from './options.ts'
