/**
 * The rules of the house that Biome cannot see, each a pure function from a source file to complaints. What Biome
 * sees (format, folder doors, cycles, enums, floating promises ...) is in biome.json.
 */
import type { SourceFile } from './source-tree.ts'

export type Rule = { name: string; complaints: (file: SourceFile) => string[] }

const FILE_LINES_MAX = 440
/** A test file is a list; it is read from its titles. */
const TEST_LINES_MAX = 500
const LINE_COLUMNS_MAX = 100
const NESTING_MAX = 3

/** Lower may not import higher. Longest prefix decides. */
const LEVELS: [prefix: string, level: number][] = [
  ['config/', 0],
  ['core/media/rtp/', 10],
  ['core/media/rtcp/', 11],
  ['core/media/receive/', 12],
  ['core/media/forward/', 13],
  ['core/media/bandwidth/', 14],
  ['core/media/engine/', 15],
  ['core/media/', 16],
  ['core/conference/', 16],
  ['core/store/', 17],
  ['core/io/', 18],
  ['core/msgpack/', 1],
  ['core/', 19],
  ['relay/', 20],
  ['signaling/', 30],
  ['web/', 35],
  ['bench/', 40],
  ['docs/', 50],
  ['test/', 60],
  ['public-url.ts', 90],
  ['open-node.ts', 95],
  ['main.ts', 100],
]

/** Contracts that every folder of core/media speaks. */
const MEDIA_CONTRACTS = new Set(['core/media/control.ts', 'core/media/sink.ts'])

/** Siblings that must not know each other, whatever their level. */
const STRANGERS: [string, string][] = [
  ['core/media/', 'core/conference/'],
  ['core/media/', 'core/store/'],
  ['core/io/', 'core/conference/'],
  ['core/io/', 'core/store/'],
  ['web/', 'signaling/'],
  ['web/', 'core/'],
]

const ONLY_IMPORTERS: Record<string, RegExp> = {
  werift: /^core\/io\/|^bench\//,
  'uWebSockets.js': /^signaling\/io\//,
  ws: /^signaling\/io\/|^relay\/io\/|^bench\//,
  'node:sqlite': /^core\/(store|keeper\/io)\//,
}

const PURE_FOLDERS =
  /^(core\/media\/|core\/conference\/|bench\/link\/(?!io)|relay\/(?!io|identity))/
const FORBIDDEN_IN_PURE =
  /\b(Date\.now|new Date\(\)|performance\.now|setTimeout|setInterval|setImmediate|queueMicrotask|Math\.random|process\.|console\.)/
const FORBIDDEN_WHEN_HOT =
  /=>|\.\.\.|`|new (Map|Set|Error|Promise)\b|\.emit\(|\blog(ger)?\.|\bawait\b|\basync\b|\bPromise\b|\.(map|filter|forEach|slice|concat|split)\(/
const DUMP_NAMES = /(^|\/)(utils?|helpers?|common|shared|types|misc)(\/|\.tsx?$)/
/** An address, a long text, or a line that is one literal. */
const UNBREAKABLE = /https?:|'[^']{60,}'|`|^\s*(\w+=)?(["']|\/[^/*])/
const OPENING = /^\/\*\*/
const EXPORT = /^export (?:async )?(?:function\*?|class|interface) (\w+)/

export function levelOf(path: string): number | undefined {
  const hit = LEVELS.filter(([prefix]) => path.startsWith(prefix)).sort(
    (a, b) => b[0].length - a[0].length,
  )[0]
  return hit?.[1]
}

export const RULES: Rule[] = [
  {
    name: 'imports go from higher folders to lower ones',
    complaints: (file) =>
      file.forTests ? [] : file.imports.flatMap((entry) => wrongWay(file, entry)),
  },
  {
    name: 'a package with one home is imported only there',
    complaints: (file) =>
      file.imports.flatMap(({ specifier, line }) => {
        const home = ONLY_IMPORTERS[specifier]
        if (home === undefined || file.forTests || home.test(file.path)) return []
        return [`${file.path}:${line} imports ${specifier}`]
      }),
  },
  {
    name: 'pure folders know no clock, timer, chance, console or node module',
    complaints: (file) => {
      if (file.forTests || !PURE_FOLDERS.test(file.path)) return []
      const modules = file.imports.filter(({ specifier }) => specifier.startsWith('node:'))
      return [
        ...modules.map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`),
        ...linesMatching(file, FORBIDDEN_IN_PURE),
      ]
    },
  },
  {
    name: 'functions marked @hot allocate nothing and wait for nothing',
    complaints: (file) =>
      file.forTests ? [] : hotBodies(file).flatMap((body) => forbiddenWhenHot(file, body)),
  },
  {
    name: `files have at most ${FILE_LINES_MAX} lines`,
    complaints: (file) =>
      file.lines.length > (file.forTests ? TEST_LINES_MAX : FILE_LINES_MAX)
        ? [`${file.path} has ${file.lines.length} lines`]
        : [],
  },
  {
    name: `lines have at most ${LINE_COLUMNS_MAX} columns`,
    complaints: (file) =>
      file.lines.flatMap((line, index) =>
        [...line].length > LINE_COLUMNS_MAX + 20 && !UNBREAKABLE.test(line)
          ? [`${file.path}:${index + 1} has ${[...line].length} columns`]
          : [],
      ),
  },
  {
    name: `blocks nest at most ${NESTING_MAX} deep in a function`,
    complaints: (file) => (file.path.endsWith('.tsx') || file.forTests ? [] : deepBlocks(file)),
  },
  {
    name: 'a file opens with what it is',
    complaints: (file) =>
      file.forTests || /^(#!|\/\*\*|\/\/)/.test(file.text)
        ? []
        : [`${file.path} has no opening comment`],
  },
  {
    name: 'every exported function and class has a sentence of contract',
    complaints: (file) => {
      if (file.forTests || file.path.endsWith('index.ts')) return []
      const bare = file.lines.flatMap((line, index) => {
        const name = EXPORT.exec(line)?.[1]
        if (name === undefined || documented(file.lines, index)) return []
        return [`${file.path}:${index + 1} exports ${name} without a comment`]
      })
      // The one thing that a file is about is described by the file's own opening.
      return bare.length === 1 && OPENING.test(file.text) ? [] : bare
    },
  },
  {
    name: 'no dump of things without a noun',
    complaints: (file) =>
      DUMP_NAMES.test(file.path) ? [`${file.path} is named after nothing`] : [],
  },
  {
    name: 'nothing is left to do later',
    complaints: (file) =>
      file.path.startsWith('test/tidy/') ? [] : linesMatching(file, /\b(TODO:|FIXME|XXX|HACK)/),
  },
]

function wrongWay(file: SourceFile, entry: SourceFile['imports'][number]): string[] {
  const { resolved } = entry
  if (resolved === undefined || MEDIA_CONTRACTS.has(resolved)) return []
  const from = levelOf(file.path)
  const to = levelOf(resolved)
  const strangers = STRANGERS.some(([a, b]) => file.path.startsWith(a) && resolved.startsWith(b))
  const upward = from !== undefined && to !== undefined && to > from
  return strangers || upward ? [`${file.path}:${entry.line} imports ${resolved}`] : []
}

function linesMatching(file: SourceFile, pattern: RegExp): string[] {
  return file.lines.flatMap((line, index) => {
    const code = line.replace(/^\s*(\/\*\*?|\*|\/\/).*$/, '')
    const found = pattern.exec(pattern.source.includes('TODO') ? line : code)
    return found === null ? [] : [`${file.path}:${index + 1} has ${found[0]}`]
  })
}

function documented(lines: string[], index: number): boolean {
  return /\*\/\s*$|^\s*\/\//.test(lines[index - 1] ?? '')
}

type Body = { start: number; end: number }

/** Line ranges of functions whose doc comment says @hot; formatted code closes a body at its own indent. */
function hotBodies(file: SourceFile): Body[] {
  const bodies: Body[] = []
  file.lines.forEach((line, index) => {
    if (!/@hot\b/.test(line) || !/^\s*(\/\*\*|\*)/.test(line)) return
    let start = index
    while (start < file.lines.length && !/\*\//.test(file.lines[start] ?? '')) start += 1
    start += 1
    const indent = /^\s*/.exec(file.lines[start] ?? '')?.[0] ?? ''
    let open = start
    while (/[^{;]$/.test(file.lines[open] ?? '') && !/^\s*\/\*\*/.test(file.lines[open] ?? '')) {
      open += 1
    }
    if (!(file.lines[open] ?? '').endsWith('{')) return
    let end = open
    while (end < file.lines.length && !(file.lines[end] ?? '').startsWith(`${indent}}`)) end += 1
    bodies.push({ start: open, end })
  })
  return bodies
}

function forbiddenWhenHot(file: SourceFile, body: Body): string[] {
  const complaints: string[] = []
  for (let index = body.start + 1; index < body.end; index += 1) {
    const code = (file.lines[index] ?? '')
      .replace(/^\s*(\/\*\*?|\*).*$|\/\/.*$/, '')
      .replace(/'[^']*'/g, "''")
    const found = FORBIDDEN_WHEN_HOT.exec(code)
    if (found !== null) complaints.push(`${file.path}:${index + 1} is hot and has ${found[0]}`)
  }
  return complaints
}

/** Counts blocks opened by if/for/while/switch/try inside each other, by the indent that Biome gives. */
function deepBlocks(file: SourceFile): string[] {
  const complaints: string[] = []
  const open: number[] = []
  file.lines.forEach((line, index) => {
    const indent = /^ */.exec(line)?.[0].length ?? 0
    if (line.trim() === '') return
    while (open.length > 0 && indent <= (open.at(-1) ?? 0) && !/^\s*[})\]]/.test(line)) open.pop()
    const opens = /^\s*(\} )?(if|for|while|switch|try|do)\b.*\{$/.test(line)
    const continues = /^\s*\} (else|catch|finally)\b.*\{$/.test(line)
    if (!opens || continues) return
    while (open.length > 0 && indent <= (open.at(-1) ?? 0)) open.pop()
    open.push(indent)
    if (open.length > NESTING_MAX)
      complaints.push(`${file.path}:${index + 1} nests ${open.length} deep`)
  })
  return complaints
}
