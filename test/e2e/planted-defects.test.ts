import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { readReport } from '../../bench/report/index.ts'
import { NHIPCAU, ROOT } from './core-process.ts'

/**
 * A bench that could not fail is worthless: builds of the core with one defect each, and the
 * criterion that must find it.
 */

const SCENARIO = join(import.meta.dirname, 'fixtures/planted.yaml')
/** What a server is made of; the load is always this tree's. */
const SERVER_PARTS = [
  'main.ts',
  'open-node.ts',
  'public-url.ts',
  'nhipcau',
  'package.json',
  'config',
  'core',
  'relay',
  'signaling',
  'web',
]
const RUN_MS_MAX = 150_000

/** One line of the source and what stands behind it in the defective build. */
type Defect = { file: string; after: string; insert: string }

const FAN_OUT = {
  file: 'core/media/engine/fan-out.ts',
  after: '    if (subscribers.length === 0) return\n',
}

const DEFECTS: { title: string; finds: string; defect: Defect }[] = [
  {
    title: 'drops one audio packet in a hundred',
    finds: 'loss.audio.ratio < 0.5%',
    defect: {
      ...FAN_OUT,
      insert: `if (layer.kind === 'audio' && packet.sequence % 100 === 0) return`,
    },
  },
  {
    title: 'leaks a megabyte a second',
    finds: 'process.core.residentSlopeBytesPerS < 300KB / 1s',
    defect: { ...FAN_OUT, insert: `(globalThis.leak ??= []).push(Buffer.alloc(12_000, 1))` },
  },
  {
    title: 'freezes the upper layer after a second',
    finds: 'frozen.ratio < 30%',
    defect: {
      ...FAN_OUT,
      insert: `if (layer.spatialLayer === 1 && (layer.seen = (layer.seen ?? 0) + 1) > 100) return`,
    },
  },
]

test.serial('the build as it is passes', async (t) => {
  t.deepEqual(await failedCriteria(t, SCENARIO), [])
})

for (const { title, finds, defect } of DEFECTS) {
  test.serial(`a build that ${title} fails the criterion for it, and no other`, async (t) => {
    const build = buildWith(t, defect)
    const text = readFileSync(SCENARIO, 'utf8')
    const program = relative(ROOT, join(build, 'nhipcau'))
    const plain = '  core: { kind: core }\n'
    t.true(text.includes(plain))
    const scenario = join(build, 'planted.yaml')
    writeFileSync(scenario, text.replace(plain, `  core: { kind: core, program: "${program}" }\n`))
    t.deepEqual(await failedCriteria(t, scenario), [finds])
  })
}

/** A copy of the server's source with the defect in it; throws when the line is not there any more. */
function buildWith(t: ExecutionContext, { file, after, insert }: Defect): string {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-planted-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const part of SERVER_PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const path = join(folder, file)
  const source = readFileSync(path, 'utf8')
  const parts = source.split(after)
  t.is(parts.length, 2, `${file} has this line once: ${after}`)
  writeFileSync(path, parts.join(`${after}${insert}\n`))
  return folder
}

/** Runs a scenario with `bench run`; which criteria did not pass. The run must be complete and valid. */
async function failedCriteria(t: ExecutionContext, scenario: string): Promise<string[]> {
  const outFolder = mkdtempSync(join(tmpdir(), 'nhipcau-planted-report-'))
  t.teardown(() => rmSync(outFolder, { recursive: true, force: true }))
  const args = ['bench', 'run', scenario, '--out', outFolder]
  const run = promisify(execFile)(NHIPCAU, args, { cwd: ROOT, timeout: RUN_MS_MAX })
  const { code = 0, stderr = '' } = await run.then(
    () => ({}) as { code?: number; stderr?: string },
    (error: { code?: number; stderr?: string }) => error,
  )
  t.true(code === 0 || code === 1, `exit code ${code}: ${stderr}`)
  const { ended, validity, criteria } = readReport(outFolder)
  t.is(ended, 'completed')
  t.deepEqual(validity.reasons, [])
  for (const { text, measured } of criteria) t.log(text, JSON.stringify(measured))
  return criteria.filter(({ verdict }) => verdict !== 'pass').map(({ text }) => text)
}
