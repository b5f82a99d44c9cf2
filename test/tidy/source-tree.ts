/**
 * The source files of the house as text, with their resolved imports: what the tidy tests look at. Not a parser:
 * regular expressions over formatted code (Biome formats it), which is enough for rules about lines and names.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

export type SourceFile = {
  /** Path from the root, with `/`. */
  path: string
  text: string
  lines: string[]
  /** True for tests, benchmarks beside the code and their fixtures. */
  forTests: boolean
  imports: { specifier: string; line: number; resolved: string | undefined }[]
}

export const ROOT = join(import.meta.dirname, '../..')

/** Every tracked or new source file that git does not ignore. */
export function readSources(root = ROOT): SourceFile[] {
  const listing = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.ts', '*.tsx'],
    { cwd: root, encoding: 'utf8' },
  )
  const paths = [...new Set(listing.split('\n').filter(Boolean))].sort()
  return paths.flatMap((path) => {
    const text = readIfPresent(join(root, path))
    return text === undefined ? [] : [sourceFile(path, text)]
  })
}

export function sourceFile(path: string, text: string): SourceFile {
  const forTests =
    /\.(test|bench|fixture)\.tsx?$/.test(path) ||
    path.startsWith('test/') ||
    /\/(test|fixtures)\//.test(path)
  return { path, text, lines: text.split('\n'), forTests, imports: importsOf(path, text) }
}

function importsOf(path: string, text: string): SourceFile['imports'] {
  const found: SourceFile['imports'] = []
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*'([^']+)'|import\s*\(?\s*'([^']+)'/g
  for (const match of text.matchAll(pattern)) {
    const specifier = match[1] ?? match[2] ?? ''
    const resolved = specifier.startsWith('.')
      ? normalize(join(dirname(path), specifier)).replaceAll('\\', '/')
      : undefined
    found.push({ specifier, line: text.slice(0, match.index).split('\n').length, resolved })
  }
  return found
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
