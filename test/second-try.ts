/**
 * Which failed tests may be tried once more, and how AVA is asked for one of them: those with browsers and real
 * processes depend on time, and a foreign machine stalls now and then. What fails twice has failed. Pure.
 */
import { join, sep } from 'node:path'

/** More failures than this are no accident. */
export const SECOND_TRIES_MAX = 10

export type Failure = {
  what: string
  /** All that the failure said, line by line. */
  said: string[]
}

/** Where AVA put an end to more than this test: others were not run, and no second try makes up for them. */
const ENDED_THE_RUN = /Exited because no new tests completed|Exiting due to process\.exit\(\)/

/** Arguments that let AVA run that test alone; undefined where it is none, or may not be tried again. */
export function argumentsFor(
  { what, said }: Failure,
  { folder, files }: { folder: string; files: readonly string[] },
): string[] | undefined {
  if (said.some((line) => ENDED_THE_RUN.test(line))) return undefined
  for (const file of files) {
    // Of several files AVA prints titles behind the path that they do not share.
    const prefix = `${file.replace(/\.test\.ts$/, '').replaceAll(sep, ' › ')} › `
    if (!what.startsWith(prefix)) continue
    const title = what.slice(prefix.length).replaceAll('*', '\\*')
    return ['--match', title, join(folder, file)]
  }
  return undefined
}
