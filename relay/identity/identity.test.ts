import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  ENROLMENT_CODES_MAX,
  RELAY_BOOK_LOCK_MS_MAX,
  RELAYS_ENROLLED_MAX,
} from '../../config/index.ts'
import type { Admission, Claim, Refusal } from '../control/index.ts'
import {
  enrolmentKeysOf,
  isRelayName,
  isUpstreamKey,
  loadNodeKey,
  nextEpoch,
  parseEnrolmentCode,
  pinUpstream,
  primitives,
  RelayBook,
  readUpstream,
  rememberUpstream,
} from './index.ts'

const HOUR_MS = 3_600_000
const NAME = 'Mường Nhé'
const folder = (): string => mkdtempSync(join(tmpdir(), 'nhipcau-identity-'))

type Setup = { dataDir: string; book: RelayBook; code: string; nodeKey: Uint8Array }

function setup(): Setup {
  const dataDir = folder()
  const nodeKey = loadNodeKey(dataDir).publicKey
  const book = new RelayBook(dataDir)
  const code = book.createCode({ name: NAME, nodeKey, ttlMs: HOUR_MS, wallMs: 0 })
  return { dataDir, book, code, nodeKey }
}

function claimOf(options: {
  code?: string
  key?: number
  epoch?: number
  instance?: number
}): Claim {
  const { code, key = 1, epoch = 1, instance = 1 } = options
  const parsed = code === undefined ? undefined : parseEnrolmentCode(code)
  return {
    nodeId: `n${'abcdef'[key]}`,
    name: 'relay',
    program: '0',
    epoch,
    instance: new Uint8Array(16).fill(instance),
    key: new Uint8Array(32).fill(key),
    code: parsed === undefined ? undefined : enrolmentKeysOf(parsed).id,
  }
}

const verdict = (answer: Admission | Refusal): string =>
  'reason' in answer ? answer.reason : answer.name

test('a code survives how people write it, and shows a slip of the pen', (t) => {
  const { code, nodeKey } = setup()
  const parsed = parseEnrolmentCode(code)
  t.regex(code, /^([0-9a-z]{4}-){8}[0-9a-z]{4}$/)
  t.deepEqual(parseEnrolmentCode(` ${code.toUpperCase().replaceAll('-', ' ')}\n`), parsed)
  t.deepEqual(parseEnrolmentCode(code.replaceAll('0', 'O').replaceAll('1', 'l')), parsed)
  for (let at = 0; at < code.length; at += 1) {
    if (code[at] === '-') continue
    const slip = `${code.slice(0, at)}${code[at] === 'x' ? 'y' : 'x'}${code.slice(at + 1)}`
    t.is(parseEnrolmentCode(slip), undefined, slip)
  }
  t.is(parseEnrolmentCode(code.slice(0, -1)), undefined)
  t.is(parseEnrolmentCode(''), undefined)
  t.is(parsed?.keyHash.length, 10)
  t.deepEqual(parsed?.keyHash, primitives.sha256(nodeKey).subarray(0, 10))
})

test('the book keeps nothing that would enrol anybody', (t) => {
  const { dataDir, code } = setup()
  const secret = parseEnrolmentCode(code)!.secret
  const text = readFileSync(join(dataDir, 'relays.json'), 'utf8')
  for (const form of ['hex', 'base64', 'base64url'] as const) {
    t.false(text.includes(Buffer.from(secret).toString(form)))
  }
  t.false(text.includes(code))
  t.is(statSync(join(dataDir, 'relays.json')).mode & 0o777, 0o600)
})

test('a code lets one relay in, once; afterwards its key is enough', (t) => {
  const { book, code } = setup()
  t.is(verdict(book.consider(claimOf({}), 1)), 'unknown-relay')
  const considered = book.consider(claimOf({ code }), 1)
  t.true('verifier' in considered)
  t.is(verdict(book.accept(claimOf({ code }), 1)), NAME)
  t.is(verdict(book.accept(claimOf({ code, key: 2 }), 2)), 'code-used')
  t.is(verdict(book.accept(claimOf({}), 3)), NAME)
  // The welcome was lost on its way: the relay still has the code, and may come again.
  t.is(verdict(book.accept(claimOf({ code }), 4)), NAME)
})

test('a code expires, and a made-up one is none', (t) => {
  const { book, code } = setup()
  t.is(verdict(book.consider(claimOf({ code }), HOUR_MS)), 'code-expired')
  t.is(verdict(book.consider(claimOf({ code }), HOUR_MS - 1)), NAME)
  const other = setup().code
  t.is(verdict(book.consider(claimOf({ code: other }), 1)), 'bad-code')
})

test('an older start is fenced, a newer one replaces it, a copy of the same start is fenced', (t) => {
  const { book, code } = setup()
  book.accept(claimOf({ code, epoch: 5 }), 1)
  t.is(verdict(book.accept(claimOf({ epoch: 5 }), 2)), NAME)
  t.is(verdict(book.accept(claimOf({ epoch: 5, instance: 2 }), 2)), 'fenced')
  t.is(verdict(book.accept(claimOf({ epoch: 4 }), 2)), 'fenced')
  t.is(verdict(book.accept(claimOf({ epoch: 6, instance: 2 }), 2)), NAME)
  t.is(verdict(book.accept(claimOf({ epoch: 5 }), 3)), 'fenced')
})

test('the epoch is known after a restart of the core too', (t) => {
  const { dataDir, book, code } = setup()
  book.accept(claimOf({ code, epoch: 5 }), 1)
  t.is(verdict(new RelayBook(dataDir).consider(claimOf({ epoch: 4 }), 2)), 'fenced')
})

test('what the command line writes, the running node reads: codes, and revocation', (t) => {
  const { dataDir, book: running, nodeKey } = setup()
  const line = new RelayBook(dataDir)
  const code = line.createCode({ name: 'Sìn Hồ', nodeKey, ttlMs: HOUR_MS, wallMs: 0 })
  t.is(verdict(running.accept(claimOf({ code }), 1)), 'Sìn Hồ')
  t.true(running.isGood(claimOf({}).key))
  line.refresh()
  line.revoke('Sìn Hồ', 2)
  t.true(running.refresh())
  t.false(running.refresh())
  t.false(running.isGood(claimOf({}).key))
  t.is(verdict(running.consider(claimOf({}), 3)), 'revoked')
  t.throws(() => line.revoke('Sín Hồ', 2), { message: /no relay is called Sín Hồ/ })
  const again = line.createCode({ name: 'Sìn Hồ', nodeKey, ttlMs: HOUR_MS, wallMs: 3 })
  t.is(verdict(running.accept(claimOf({ code: again, epoch: 2 }), 4)), 'Sìn Hồ')
})

test('a revoked name takes its waiting codes with it', (t) => {
  const { book, code } = setup()
  book.revoke(NAME, 1)
  t.is(verdict(book.consider(claimOf({ code }), 2)), 'bad-code')
})

test('a new machine under an old name ends the old key', (t) => {
  const { book, code, nodeKey } = setup()
  book.accept(claimOf({ code }), 1)
  const second = book.createCode({ name: NAME, nodeKey, ttlMs: HOUR_MS, wallMs: 2 })
  t.is(verdict(book.accept(claimOf({ code: second, key: 2 }), 3)), NAME)
  t.is(verdict(book.consider(claimOf({}), 4)), 'revoked')
})

test('codes are bounded', (t) => {
  const { book, nodeKey } = setup()
  const make = (): string => book.createCode({ name: 'x', nodeKey, ttlMs: 1, wallMs: 0 })
  for (let count = 1; count < ENROLMENT_CODES_MAX; count += 1) make()
  t.throws(make, { message: /256 codes already/ })
})

test('the book is bounded', (t) => {
  const { dataDir, book, code } = setup()
  const path = join(dataDir, 'relays.json')
  const pages = JSON.parse(readFileSync(path, 'utf8'))
  pages.relays = Array.from({ length: RELAYS_ENROLLED_MAX }, (_, index) => ({
    name: `relay ${index}`,
    key: String(index).padStart(43, 'A'),
    enrolledMs: 0,
    epoch: 1,
    instance: '',
    nodeId: 'n',
    revokedMs: null,
  }))
  writeFileSync(path, JSON.stringify(pages), { mode: 0o600 })
  t.is(verdict(book.accept(claimOf({ code }), 1)), 'overloaded')
  pages.relays.pop()
  writeFileSync(path, JSON.stringify(pages), { mode: 0o600 })
  t.is(verdict(book.accept(claimOf({ code }), 1)), NAME)
})

test('a lock that a dead process left is outlived; a damaged book is told, not overwritten', (t) => {
  const { dataDir, book, nodeKey } = setup()
  const lock = join(dataDir, 'relays.json.lock')
  writeFileSync(lock, '')
  const old = Date.now() / 1_000 - RELAY_BOOK_LOCK_MS_MAX / 1_000 - 1
  utimesSync(lock, old, old)
  t.notThrows(() => book.createCode({ name: 'x', nodeKey, ttlMs: 1, wallMs: 0 }))
  t.false(existsSync(lock))
  writeFileSync(join(dataDir, 'relays.json'), '{"version":1,')
  t.throws(() => new RelayBook(dataDir), { message: /not a book of relays/ })
  t.throws(() => book.createCode({ name: 'x', nodeKey, ttlMs: 1, wallMs: 0 }))
  t.is(readFileSync(join(dataDir, 'relays.json'), 'utf8'), '{"version":1,')
})

test('the node key is made once, for its owner only', (t) => {
  const dataDir = join(folder(), 'data')
  const first = loadNodeKey(dataDir)
  t.deepEqual(loadNodeKey(dataDir).publicKey, first.publicKey)
  const path = join(dataDir, 'node-key.pem')
  t.is(statSync(path).mode & 0o777, 0o600)
  chmodSync(path, 0o644)
  t.throws(() => loadNodeKey(dataDir), { message: /chmod 600/ })
})

test('a relay remembers where it hangs, and whose key it expects', (t) => {
  const { code, nodeKey } = setup()
  const dataDir = folder()
  t.throws(() => rememberUpstream(dataDir, {}), { message: /which upstream/ })
  t.throws(() => rememberUpstream(dataDir, { url: 'wss://hop.vn' }), { message: /--enrol CODE/ })
  t.throws(() => rememberUpstream(dataDir, { url: 'wss://hop.vn', code: 'x' }), { message: /slip/ })
  rememberUpstream(dataDir, { url: 'wss://hop.vn', code })
  const before = readUpstream(dataDir)!
  t.is(before.url, 'wss://hop.vn/trunk')
  t.true(isUpstreamKey(before, nodeKey))
  t.false(isUpstreamKey(before, new Uint8Array(32)))
  pinUpstream(dataDir, nodeKey)
  const after = readUpstream(dataDir)!
  t.is(after.code, null)
  t.true(isUpstreamKey(after, nodeKey))
  rememberUpstream(dataDir, { url: 'wss://other.vn:8443/x' })
  t.like(readUpstream(dataDir), { url: 'wss://other.vn:8443/x', key: after.key })
})

test('only TLS goes to other machines', (t) => {
  const { code } = setup()
  const urls = ['ws://hop.vn', 'ws://10.0.0.1', 'http://localhost', 'wss://a:b@hop.vn', 'hop.vn']
  for (const url of urls) t.throws(() => rememberUpstream(folder(), { url, code }), undefined, url)
  for (const url of ['ws://localhost:8080', 'ws://127.0.0.1:1', 'ws://[::1]:1', 'wss://hop.vn']) {
    t.notThrows(() => rememberUpstream(folder(), { url, code }), url)
  }
})

test('each start has a higher number', (t) => {
  const dataDir = folder()
  t.deepEqual([nextEpoch(dataDir), nextEpoch(dataDir)], [1, 2])
})

test('names of relays are names', (t) => {
  for (const name of [NAME, 'a', 'Sìn Hồ 2', 'x'.repeat(64)]) t.true(isRelayName(name), name)
  for (const name of ['', ' a', 'a\n', 'x'.repeat(65), 'a\u202eb', '<b>'])
    t.false(isRelayName(name))
})
