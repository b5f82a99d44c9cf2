import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import { ROOT } from './source-tree.ts'

/** Each pair of files breaks one rule of biome.json once; Biome must say so by name. */
const OFFENCES: [rule: string, files: Record<string, string>][] = [
  [
    'noRestrictedImports',
    {
      'core/media/forward/a.ts': "import { b } from '../rtp/b.ts'\n\nexport const a = b\n",
      'core/media/rtp/b.ts': 'export const b = 1\n',
    },
  ],
  [
    'noImportCycles',
    {
      'core/io/a.ts': "import { b } from './b.ts'\n\nexport const a = (): unknown => b\n",
      'core/io/b.ts': "import { a } from './a.ts'\n\nexport const b = (): unknown => a\n",
    },
  ],
  ['noFloatingPromises', { 'core/io/a.ts': 'async function f(): Promise<void> {}\nf()\n' }],
  ['noMisusedPromises', { 'core/io/a.ts': '[1].forEach(async () => {})\n' }],
  [
    'useExhaustiveSwitchCases',
    {
      'core/io/a.ts':
        "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1\n  }\n  return 2\n}\n",
    },
  ],
  ['noEnum', { 'core/io/a.ts': 'export enum E {\n  A,\n}\n' }],
  ['noDefaultExport', { 'core/io/a.ts': 'export default 1\n' }],
  ['noExplicitAny', { 'core/io/a.ts': 'export const a: any = 1\n' }],
  ['noConsole', { 'core/io/a.ts': 'console.log(1)\n' }],
  ['useFilenamingConvention', { 'core/io/bigName.ts': 'export const a = 1\n' }],
  ['noUndeclaredDependencies', { 'core/io/a.ts': "import x from 'left-pad'\n\nx()\n" }],
  [
    'noExcessiveLinesPerFunction',
    { 'core/io/a.ts': `export function f(): number {\n${'  void 0\n'.repeat(75)}  return 1\n}\n` },
  ],
  ['format', { 'core/io/a.ts': 'export const a = "double"\n' }],
]

for (const [rule, files] of OFFENCES) {
  test(`red on purpose: ${rule}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nhipcau-lint-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    for (const file of ['biome.json', 'package.json', 'tsconfig.json', '.gitignore']) {
      cpSync(join(ROOT, file), join(folder, file))
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const { failed, output } = await biome(folder)
    t.true(failed)
    t.regex(output, new RegExp(`\\b${rule}\\b`))
  })
}

function biome(folder: string): Promise<{ failed: boolean; output: string }> {
  const command = join(ROOT, 'node_modules/.bin/biome')
  const args = ['check', '--error-on-warnings', '--vcs-enabled=false', '--colors=off', 'core']
  return new Promise((resolve) => {
    execFile(command, args, { cwd: folder }, (error, stdout, stderr) => {
      resolve({ failed: error !== null, output: stdout + stderr })
    })
  })
}
