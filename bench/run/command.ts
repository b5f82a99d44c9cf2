/** `./nhipcau bench run`: one run or several in turns, each with a report; Ctrl-C; what is said in the end. */
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { ROOT } from '../process/processes.ts'
import { type RunReport, writeRunReport } from '../report/index.ts'
import { loadScenario, type Scenario, ScenarioError } from '../scenario/index.ts'
import { type Checkout, openCheckout } from './checkout.ts'
import type { Ledger } from './ledger.ts'
import { missingNeeds } from './needs.ts'
import { parseRunOptions, RUN_USAGE, type RunCommandOptions, RunUsageError } from './options.ts'
import { ProgressWriter } from './progress.ts'
import { type RunOptions, runScenario } from './run.ts'
import { runRival } from './run-rival.ts'
import { exitCodeOf, verdictText, worstExitCode } from './verdict.ts'

/** One of the runs that were asked for. */
type Turn = { label: string; serverRoot: string; outFolder: string }

const INTERRUPTED = 130

/** Resolves with the exit code. Throws for wrong use and wrong scenarios, before anything is started. */
export async function runCommand(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args[0] === 'help') {
    console.log(RUN_USAGE)
    return 0
  }
  const options = parseRunOptions(args)
  const scenario = scenarioFor(options.scenario, options.durationS)
  const interrupt = catchInterrupts()
  const other = options.against === undefined ? undefined : openCheckout(options.against)
  try {
    const turns = turnsOf(options, { scenario, other })
    const codes: number[] = []
    for (const turn of turns) {
      if (interrupt.signal.aborted) break
      if (turns.length > 1) console.error(`run ${turn.label} of ${turns.length}`)
      codes.push(await play(turn, { options, scenario, interrupt }))
    }
    if (turns.length > 1) console.log(compareText(turns))
    return interrupt.signal.aborted ? INTERRUPTED : worstExitCode(codes)
  } finally {
    other?.close()
    interrupt.close()
  }
}

/** Throws a RunUsageError, too, for what this build or machine cannot run. */
function scenarioFor(nameOrFile: string, durationS: number | undefined): Scenario {
  try {
    const scenario = shortened(loadScenario(nameOrFile), durationS)
    const missing = missingNeeds(scenario)
    if (missing.length === 0) return scenario
    throw new RunUsageError(`${scenario.name} cannot run here: ${missing.join('; ')}`)
  } catch (error) {
    if (error instanceof ScenarioError) throw new RunUsageError(error.message)
    throw error
  }
}

/** The same, over sooner. What would happen later has no meaning then: it is refused, and windows end with the run. */
function shortened(scenario: Scenario, durationS = scenario.durationS): Scenario {
  if (durationS >= scenario.durationS) return scenario
  const late = [
    ...scenario.faults.map((fault) => fault.atS),
    ...scenario.links.flatMap(({ changes }) => changes.map(({ atMs }) => atMs / 1000)),
    ...scenario.windows.map(({ fromS }) => fromS),
    ...scenario.sites.map(({ join }) => join.atS),
  ].filter((atS) => atS >= durationS)
  if (late.length > 0) {
    const lastS = Math.max(...late)
    throw new RunUsageError(
      `--duration ${durationS}: something happens at ${lastS} s; allowed: more than that`,
    )
  }
  const windows = scenario.windows.map((one) => ({
    ...one,
    untilS: Math.min(one.untilS, durationS),
  }))
  const http = scenario.http.map((one) => ({ ...one, untilS: Math.min(one.untilS, durationS) }))
  return { ...scenario, durationS, windows, http }
}

type Interrupt = ReturnType<typeof catchInterrupts>

async function play(
  { serverRoot, outFolder }: Turn,
  {
    options,
    scenario,
    interrupt,
  }: { options: RunCommandOptions; scenario: Scenario; interrupt: Interrupt },
): Promise<number> {
  const writer = new ProgressWriter(process.stderr)
  const run: RunOptions = {
    scenario,
    seed: options.seed ?? scenario.seed,
    outFolder,
    serverRoot,
    writer,
    signal: interrupt.signal,
    onLedger: interrupt.setLedger,
  }
  const hasRival = scenario.nodes.some(({ kind }) => kind === 'rival')
  const report = await (hasRival ? runRival : runScenario)(run)
  const { jsonFile, pageFile } = writeRunReport(outFolder, report)
  tell(report, [jsonFile, pageFile])
  return exitCodeOf(report)
}

function tell(report: RunReport, files: readonly string[]): void {
  console.log(verdictText(report))
  for (const file of files) console.log(relative(process.cwd(), file))
}

function turnsOf(
  { outFolder, repeat }: RunCommandOptions,
  { scenario, other }: { scenario: Scenario; other: Checkout | undefined },
): Turn[] {
  const out = resolve(outFolder ?? defaultFolder(scenario.name))
  const rounds = repeat ?? scenario.repeat
  const numbers = Array.from({ length: rounds }, (_, index) => index + 1)
  if (other !== undefined)
    return numbers.flatMap((number) => [
      { label: `A${number}`, serverRoot: ROOT, outFolder: join(out, `A${number}`) },
      { label: `B${number}`, serverRoot: other.root, outFolder: join(out, `B${number}`) },
    ])
  if (rounds === 1) return [{ label: '1', serverRoot: ROOT, outFolder: out }]
  return numbers.map((number) => ({
    label: String(number),
    serverRoot: ROOT,
    outFolder: join(out, String(number)),
  }))
}

/** `reports/hello-20261122-131500`, with a number behind it when that is taken. */
function defaultFolder(name: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  const folder = join('reports', `${name}-${time}`)
  let number = 1
  while (existsSync(number === 1 ? folder : `${folder}-${number}`)) number += 1
  return number === 1 ? folder : `${folder}-${number}`
}

function compareText(turns: readonly Turn[]): string {
  const folders = turns.map(({ outFolder }) => relative(process.cwd(), outFolder))
  return `./nhipcau bench compare ${folders.join(' ')}`
}

/** The first signal ends the run with what there is, the second at once; neither leaves a process behind. */
function catchInterrupts() {
  const controller = new AbortController()
  let ledger: Ledger | undefined
  const stop = (): void => {
    if (controller.signal.aborted) {
      ledger?.close()
      process.exit(INTERRUPTED)
    }
    console.error('\nending the run; once more ends it at once')
    controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, stop)
  return {
    signal: controller.signal,
    setLedger: (it: Ledger | undefined): void => {
      ledger = it
    },
    close: (): void => {
      for (const name of signals) process.off(name, stop)
    },
  }
}
