import test from 'ava'
import { RULES } from './rules.ts'
import { readSources, sourceFile } from './source-tree.ts'

const sources = readSources()

test('the tree holds the sources that the rules are about', (t) => {
  t.true(sources.length > 20)
  t.true(sources.some((file) => file.imports.length > 3))
})

for (const rule of RULES) {
  test(rule.name, (t) => {
    const complaints = sources.flatMap((file) => rule.complaints(file))
    t.deepEqual(complaints, [], complaints.join('\n'))
  })
}

/** One offender per rule: a rule that cannot go red guards nothing. */
const OFFENDERS: [path: string, text: string][] = [
  ['core/media/rtp/a.ts', "/** x */\nimport { a } from '../forward/index.ts'\n"],
  ['core/conference/a.ts', "/** x */\nimport { DatabaseSync } from 'node:sqlite'\n"],
  ['core/media/receive/a.ts', '/** x */\nconst now = Date.now()\n'],
  [
    'core/io/a.ts',
    '/** x */\n\n/** @hot */\nexport function f(): void {\n  const a = [1].map((x) => x)\n}\n',
  ],
  ['core/io/a.ts', `/** x */\n${'\n'.repeat(500)}`],
  ['core/io/a.ts', `/** x */\n// ${'x'.repeat(140)}\n`],
  [
    'core/io/a.ts',
    '/** x */\nif (a) {\n  for (;;) {\n    while (b) {\n      if (c) {\n      }\n    }\n  }\n}\n',
  ],
  ['core/io/a.ts', 'const a = 1\n'],
  ['core/io/a.ts', '/** x */\n\nexport function f(): void {}\n\nexport function g(): void {}\n'],
  ['core/io/utils.ts', '/** x */\n'],
  ['core/io/a.ts', '/** x */\n// TODO: later\n'],
]

RULES.forEach((rule, index) => {
  test(`red on purpose: ${rule.name}`, (t) => {
    const [path, text] = OFFENDERS[index] ?? ['', '']
    t.true(rule.complaints(sourceFile(path, text)).length > 0)
  })
})
