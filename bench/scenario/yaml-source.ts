/**
 * YAML with the place of everything in it: plain values out, and line and column for each path.
 * Aliases and tags are not taken: a scenario says itself what it means.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, Scalar } from 'yaml'

export type Path = readonly (string | number)[]

/** Lines and columns count from 1. */
export type Place = { line: number; column: number }

export type YamlSource = {
  /** Plain values; undefined when the text is no YAML. */
  value: unknown
  problems: (Place & { problem: string })[]
  /**
   * Of the value at the path; of the nearest thing around it where there is none. `column` is one
   * of a text's own.
   */
  placeOf: (path: Path, column?: number) => Place
  /** Of the key that the path ends with. */
  placeOfKey: (path: Path) => Place
}

/** Never throws. */
export function readYaml(text: string): YamlSource {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true })
  const place = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problems = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    ...place(pos[0]),
    problem: message,
  }))
  const root = document.contents
  return {
    value: problems.length === 0 ? plain(document, problems) : undefined,
    problems,
    placeOf: (path, column = 1) => {
      const { key, value } = find(root, path)
      if (value === null) return place(key?.range?.[0] ?? 0)
      return place((value.range?.[0] ?? 0) + offsetOf({ text, value, column }))
    },
    placeOfKey: (path) => {
      const { key, value } = find(root, path)
      return place((key ?? value)?.range?.[0] ?? 0)
    },
  }
}

function plain(
  document: ReturnType<typeof parseDocument>,
  problems: YamlSource['problems'],
): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (error) {
    problems.push({ line: 1, column: 1, problem: (error as Error).message })
    return undefined
  }
}

type Found = { key: Node | undefined; value: Node | null }

/** As deep as the path leads: a missing key is placed at the mapping that it misses. */
function find(root: Node | null, path: Path): Found {
  let found: Found = { key: undefined, value: root }
  for (const [index, step] of path.entries()) {
    const next = child(found.value, step)
    const isMissing = next === undefined && index === path.length - 1
    if (isMissing && found.key !== undefined) return { key: found.key, value: null }
    if (next === undefined) return found
    found = next
  }
  return found
}

function child(node: Node | null, step: string | number): Found | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(step)] as Node | undefined
    return item === undefined ? undefined : { key: item, value: item }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
  return pair === undefined
    ? undefined
    : { key: pair.key as Node, value: pair.value as Node | null }
}

/**
 * Where a column of a text stands in the file; the text's beginning when it was escaped or folded.
 */
function offsetOf({ text, value, column }: { text: string; value: Node; column: number }): number {
  if (!isScalar(value) || value.range == null || typeof value.value !== 'string') return 0
  const opening = value.type === Scalar.PLAIN ? 0 : 1
  const from = value.range[0] + opening
  return text.startsWith(value.value, from) ? opening + column - 1 : 0
}
