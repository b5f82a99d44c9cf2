/** The shell of the link emulator: sockets, the clock, the command line. */
export { linkCommand } from './command.ts'
export {
  createEmulator,
  type Emulator,
  type EmulatorOptions,
  type EmulatorRow,
  type EmulatorSummary,
  type MappingOptions,
} from './emulator.ts'
export { type Endpoint, parseEndpoint } from './endpoint.ts'
export { LINK_BENCH_USAGE, LINK_USAGE } from './options.ts'
export { claimProcessor } from './scheduling.ts'

/** `bench link`; loaded when it is asked for. */
export async function linkBenchCommand(args: string[]): Promise<number> {
  return (await import('./measure.ts')).linkBenchCommand(args)
}
