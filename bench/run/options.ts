/** The command line of `bench run`, read and judged as a whole. */
import { parseArgs } from 'node:util'
import { BENCH_REPEAT_MAX, SCENARIO_DURATION_S_MAX } from '../../config/limits.ts'

export const RUN_USAGE = `bench run NAME|file.yaml    a scenario against real processes (./nhipcau bench list)
  --seed N                instead of the scenario's: 0 to 4294967295
  --duration S            ends it after so many seconds, for a look; what its timetable has later must not exist
  --out DIR               where the report goes (default reports/NAME-TIME)
  --repeat N              so many runs, one report each (default: the scenario's)
  --against DIR|COMMIT    the servers of another checkout or commit in turns with these: A B A B, for compare;
                          the load is always this checkout's

  Exit code: 0 all criteria passed, 1 one did not or the run failed, 2 wrong use or scenario,
  3 void (the load or the machine was too slow), 130 interrupted (a partial report is left).
  Ctrl-C ends a run with a partial report, a second one at once.`

export type RunCommandOptions = {
  scenario: string
  seed: number | undefined
  durationS: number | undefined
  outFolder: string | undefined
  repeat: number | undefined
  against: string | undefined
}

/** Wrong use: exit code 2. */
export class RunUsageError extends Error {
  readonly code = 'ERR_PARSE_ARGS_RUN'
}

const OPTIONS = {
  seed: { type: 'string' },
  duration: { type: 'string' },
  out: { type: 'string' },
  repeat: { type: 'string' },
  against: { type: 'string' },
} as const

/** Throws a RunUsageError with one line per complaint. */
export function parseRunOptions(args: readonly string[]): RunCommandOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
  })
  const problems: string[] = []
  const number = (
    name: 'seed' | 'repeat' | 'duration',
    { min, max }: { min: number; max: number },
  ) => {
    const text = values[name]
    if (text === undefined) return undefined
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max))
      problems.push(`--${name} ${text}; allowed: ${min} to ${max}`)
    return value
  }
  const seed = number('seed', { min: 0, max: 0xffff_ffff })
  const durationS = number('duration', { min: 1, max: SCENARIO_DURATION_S_MAX })
  const repeat = number('repeat', { min: 1, max: BENCH_REPEAT_MAX })
  if (positionals.length !== 1)
    problems.push(`one scenario, by name or file; given: ${positionals.join(' ') || 'none'}`)
  for (const name of ['out', 'against'] as const)
    if (values[name] === '') problems.push(`--${name} is empty`)
  if (problems.length > 0) throw new RunUsageError(`${problems.join('\n')}\n\n${RUN_USAGE}`)
  const [scenario = ''] = positionals
  return { scenario, seed, durationS, repeat, outFolder: values.out, against: values.against }
}
