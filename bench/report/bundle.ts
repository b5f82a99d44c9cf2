/**
 * Puts the page's modules into one classic script, at the time when a page is written: a clean
 * install has no build step, and a page opened from a file cannot load modules. Types are stripped,
 * each file becomes a function that hands out its exports, `uplot` is its own script in front. Not
 * a bundler for anything else: what it does not know (default or renamed imports of our files,
 * cycles) is refused.
 */
import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const IMPORT = /^import\s+([^'"]*?)\s*from\s+'([^']+)'\s*$/gm
const EXPORT = /^export\s+((?:async\s+)?(?:function\*?|const|let|class)\s+([\w$]+))/gm
/** Packages that are a global of the page, from a script of their own. */
const GLOBALS: readonly string[] = ['uplot']

const require = createRequire(import.meta.url)

/** Source and style sheet of uPlot, as its package has them. */
export function plotLibrary(): { script: string; style: string } {
  const folder = dirname(require.resolve('uplot'))
  return {
    script: readFileSync(join(folder, 'uPlot.iife.min.js'), 'utf8'),
    style: readFileSync(join(folder, 'uPlot.min.css'), 'utf8'),
  }
}

/** One script of `entry` and all that it imports; throws on what it cannot put together. */
export function bundle(entry: string): string {
  const state: State = { parts: [], names: new Map() }
  collect(resolve(entry), state)
  return `(() => {\n'use strict'\n${state.parts.join('\n')}\n})()`
}

/** `names` has the variable of each file; undefined while its imports are collected. */
type State = { parts: string[]; names: Map<string, string | undefined> }

/** Adds what the file imports, then the file; says which variable holds its exports. */
function collect(file: string, state: State): string {
  if (state.names.has(file)) {
    const known = state.names.get(file)
    if (known === undefined) throw new Error(`${file} imports itself through others`)
    return known
  }
  state.names.set(file, undefined)
  const imported = stripTypeScriptTypes(readFileSync(file, 'utf8')).replace(
    IMPORT,
    (_, names: string, from: string) => {
      if (GLOBALS.includes(from)) return ''
      if (!from.startsWith('.')) throw new Error(`${file} imports ${from}, which no page has`)
      if (!names.startsWith('{') || /\bas\b/.test(names))
        throw new Error(`${file} imports ${names}: only plain names can be put together`)
      return `const ${names.replace(/\s+/g, ' ')} = ${collect(resolve(dirname(file), from), state)}`
    },
  )
  const exported: string[] = []
  const body = imported.replace(EXPORT, (_, declaration: string, name: string) => {
    exported.push(name)
    return declaration
  })
  if (/^\s*(import|export)\b/m.test(body)) throw new Error(`${file} has an import left over`)
  const variable = `module${state.parts.length}`
  state.names.set(file, variable)
  const code = body.replace(/^\s*\n/gm, '').trim()
  state.parts.push(`const ${variable} = (() => {\n${code}\nreturn { ${exported.join(', ')} }\n})()`)
  return variable
}
