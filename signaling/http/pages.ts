/**
 * The built page as a fixed set of files. What is served is what a walk over the folder has found:
 * a request's path is looked up in a table and never reaches the file system, so there is nothing
 * to traverse.
 */

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { PAGE_CACHE_BYTES_MAX, PAGE_FILE_BYTES_MAX, PAGE_FILES_MAX } from '../../config/index.ts'
import type { DoorRequest, DoorResponse } from '../door.ts'

export type PageOptions = {
  /** Absolute path of the folder with index.html. */
  root: string
  /** URL prefix of files with a hash in their name. */
  hashedPrefix: string
  /** Paths besides / that show index.html. */
  route: RegExp
  /** Paths that show another document, such as `/operator` -> `/operator.html`. */
  documents?: Readonly<Record<string, string>>
  contentSecurityPolicy: string
  permissionsPolicy: string
}

type PageFile = { path: string; type: string; encodings: { name: string; path: string }[] }
type Content = { bytes: Uint8Array; etag: string }

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json; charset=utf-8',
  webmanifest: 'application/manifest+json; charset=utf-8',
  map: 'application/json; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  webp: 'image/webp',
  woff2: 'font/woff2',
  txt: 'text/plain; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  wasm: 'application/wasm',
}

/** Preferred first. */
const ENCODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const

function typeOf(path: string): string {
  return TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}

/** URL path to file, for every regular file below `root`. */
function walk(root: string): Map<string, PageFile> {
  const files = new Map<string, PageFile>()
  if (!existsSync(root)) return files
  const entries = readdirSync(root, { recursive: true, withFileTypes: true })
  for (const entry of entries.slice(0, PAGE_FILES_MAX)) {
    if (!entry.isFile() || /\.(br|gz)$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    if (statSync(path).size > PAGE_FILE_BYTES_MAX) continue
    const url = `/${relative(root, path).split(sep).map(encodeURIComponent).join('/')}`
    const encodings = ENCODINGS.map(({ name, suffix }) => ({ name, path: path + suffix }))
    const existing = encodings.filter((encoding) => existsSync(encoding.path))
    files.set(url, { path, type: typeOf(path), encodings: existing })
  }
  return files
}

/** The files of the built page; the folder is walked once, at construction. */
export class Pages {
  readonly #options: PageOptions
  readonly #files: Map<string, PageFile>
  readonly #contents = new Map<string, Content>()
  #cachedBytes = 0

  constructor(options: PageOptions) {
    this.#options = options
    this.#files = walk(options.root)
  }

  /** The answer to a GET or HEAD, undefined when there is no such file. */
  answer(request: DoorRequest): DoorResponse | undefined {
    const isIndex = request.path === '/' || this.#options.route.test(request.path)
    const { documents = {} } = this.#options
    const named = Object.hasOwn(documents, request.path) ? documents[request.path] : undefined
    const url = isIndex ? '/index.html' : (named ?? request.path)
    const file = this.#files.get(url)
    if (file === undefined) return undefined
    const accepted = (request.headers['accept-encoding'] ?? '').toLowerCase()
    const encoding = file.encodings.find(({ name }) => accepted.includes(name))
    const content = this.#read(encoding?.path ?? file.path)
    if (content === undefined) return undefined
    const headers: Record<string, string> = {
      'content-type': file.type,
      etag: content.etag,
      'cache-control': url.startsWith(this.#options.hashedPrefix)
        ? 'public, max-age=31536000, immutable'
        : 'no-cache',
      'content-security-policy': this.#options.contentSecurityPolicy,
      'permissions-policy': this.#options.permissionsPolicy,
      'cross-origin-opener-policy': 'same-origin',
      vary: 'accept-encoding',
    }
    if (encoding !== undefined) headers['content-encoding'] = encoding.name
    const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim())
    if (known?.includes(content.etag)) return { status: 304, headers }
    return { status: 200, headers, body: content.bytes }
  }

  #read(path: string): Content | undefined {
    const cached = this.#contents.get(path)
    if (cached !== undefined) return cached
    try {
      const bytes = readFileSync(path)
      const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
      const content = { bytes, etag: `"${hash}"` }
      if (this.#cachedBytes + bytes.length <= PAGE_CACHE_BYTES_MAX) {
        this.#cachedBytes += bytes.length
        this.#contents.set(path, content)
      }
      return content
    } catch {
      // Removed or rebuilt since the walk: as if it had never been there.
      return undefined
    }
  }
}
