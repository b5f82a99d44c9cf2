/**
 * What a relay knows of its upstream and of itself: `upstream.json` (where it dials, whose key it expects, the
 * code that is yet to be used) and `epoch.json` (how often it was started), in the data folder.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { isCodeOf, parseEnrolmentCode } from './enrolment-code.ts'
import { readPrivateFile, replaceFile } from './private-file.ts'

const UPSTREAM_FILE = 'upstream.json'
const EPOCH_FILE = 'epoch.json'
/** Where children come in, unless the URL names another path. */
export const TRUNK_PATH = '/trunk'

const upstreamSchema = v.object({
  url: v.string(),
  /** The upstream's Ed25519 key in base64url; null before the first welcome. */
  key: v.nullable(v.pipe(v.string(), v.length(43))),
  /** The enrolment code as long as it was not used; it says which key to expect. */
  code: v.nullable(v.string()),
})
const epochSchema = v.object({ epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) })

export type UpstreamRecord = v.InferOutput<typeof upstreamSchema>

/** Thrown to the command line, in words. */
export class UpstreamError extends Error {}

/** The URL that is dialled, or why it cannot be: `wss:` anywhere, `ws:` to this machine only. */
export function parseUpstreamUrl(text: string): { url: string } | { problem: string } {
  if (!URL.canParse(text)) return { problem: `${text} is not a URL` }
  const url = new URL(text)
  const isLoopback = ['localhost', '[::1]'].includes(url.hostname) || /^127\./.test(url.hostname)
  if (url.protocol === 'ws:' && !isLoopback) {
    return { problem: 'ws:// goes to this machine only: use wss:// to another' }
  }
  if (url.protocol !== 'wss:' && url.protocol !== 'ws:') {
    return { problem: 'an upstream is reached by wss://HOST[:PORT]' }
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return { problem: 'an upstream has neither user, query nor fragment' }
  }
  if (url.pathname === '/') url.pathname = TRUNK_PATH
  return { url: url.href }
}

/** Undefined when this node was never told of an upstream. Throws UpstreamError when the file is none. */
export function readUpstream(dataDir: string): UpstreamRecord | undefined {
  return readRecord(join(dataDir, UPSTREAM_FILE), upstreamSchema)
}

/**
 * Keeps where this relay hangs and with which code it will enrol itself. Throws UpstreamError for a bad URL or
 * code.
 */
export function rememberUpstream(dataDir: string, given: { url?: string; code?: string }): void {
  const before = readUpstream(dataDir)
  const text = given.url ?? before?.url
  if (text === undefined) {
    throw new UpstreamError('which upstream? --upstream wss://HOST[:PORT] --enrol CODE, once')
  }
  const parsed = parseUpstreamUrl(text)
  if ('problem' in parsed) throw new UpstreamError(`--upstream: ${parsed.problem}`)
  if (given.code !== undefined && parseEnrolmentCode(given.code) === undefined) {
    throw new UpstreamError('--enrol: not an enrolment code, or a slip in it')
  }
  const code = given.code ?? before?.code ?? null
  // A new code may be of another core; an address may change while the core stays the same.
  const key = given.code === undefined ? (before?.key ?? null) : null
  if (code === null && key === null) {
    throw new UpstreamError(
      '--enrol CODE is missing: ./nhipcau enrol --name NAME on the upstream prints it',
    )
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeUpstream(dataDir, { url: parsed.url, key, code })
}

/** Whether a key is the upstream's: the pinned one, or before that the one that the code was made for. */
export function isUpstreamKey(record: UpstreamRecord, key: Uint8Array): boolean {
  if (record.key !== null) return record.key === Buffer.from(key).toString('base64url')
  const code = parseEnrolmentCode(record.code ?? '')
  return code !== undefined && isCodeOf(code, key)
}

/** The first welcome: pins the key and forgets the code. */
export function pinUpstream(dataDir: string, key: Uint8Array): UpstreamRecord {
  const before = readUpstream(dataDir)
  if (before === undefined) throw new UpstreamError('no upstream to pin')
  const record = { ...before, key: Buffer.from(key).toString('base64url'), code: null }
  writeUpstream(dataDir, record)
  return record
}

/** The number of this start, on disk before it is told to anybody. */
export function nextEpoch(dataDir: string): number {
  const path = join(dataDir, EPOCH_FILE)
  const epoch = (readRecord(path, epochSchema)?.epoch ?? 0) + 1
  replaceFile(path, `${JSON.stringify({ epoch })}\n`)
  return epoch
}

function writeUpstream(dataDir: string, record: UpstreamRecord): void {
  replaceFile(join(dataDir, UPSTREAM_FILE), `${JSON.stringify(record, null, 2)}\n`)
}

function readRecord<T>(path: string, schema: v.GenericSchema<unknown, T>): T | undefined {
  const text = readPrivateFile(path)
  if (text === undefined) return undefined
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text)
  if (!result.success)
    throw new UpstreamError(`${path} is damaged: remove it and enrol this relay again`)
  return result.output
}
