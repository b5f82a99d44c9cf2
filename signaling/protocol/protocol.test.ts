import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { pack } from 'msgpackr'
import * as v from 'valibot'
import { MESSAGE_DEPTH_MAX, MESSAGE_VALUES_MAX } from '../../config/index.ts'
import { isPlainMessage } from '../../core/msgpack/index.ts'
import {
  CLIENT_MESSAGES,
  CODECS,
  codecFor,
  ERROR_CODES,
  parseClientMessage,
  SERVER_MESSAGES,
  type ServerMessage,
} from './index.ts'

const page = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8')

function sectionOf(title: string): string {
  const from = page.indexOf(title)
  const next = page.slice(from + title.length).search(/\n#{2,3} /)
  return page.slice(from, next < 0 ? undefined : from + title.length + next)
}

/**
 * Rows `| `type` | fields |` of a section's table: type to the field names in backticks before any
 * brace.
 */
function rowsOf(title: string): Map<string, Set<string>> {
  const rows = new Map<string, Set<string>>()
  for (const line of sectionOf(title).split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    const type = /^`([a-z-]+)`$/.exec(cells[1] ?? '')?.[1]
    if (type === undefined) continue
    const plain = (cells[2] ?? '').replace(/\([^)]*\)/g, '')
    // Between backticks: every second piece. Shapes such as `{mid, use}` are not names.
    const code = plain.split('`').filter((_piece, index) => index % 2 === 1)
    const names = code.filter((piece) => /^[a-zA-Z]+\??$/.test(piece))
    rows.set(type, new Set(names.map((name) => name.replace('?', ''))))
  }
  return rows
}

type Entries = Record<string, { entries: Record<string, unknown> }>

function compare(t: import('ava').ExecutionContext, title: string, schemas: Entries): void {
  const rows = rowsOf(title)
  t.deepEqual([...rows.keys()].sort(), Object.keys(schemas).sort())
  for (const [type, fields] of rows) {
    const known = Object.keys(schemas[type]?.entries ?? {}).filter(
      (name) => name !== 'type' && name !== 'ref',
    )
    t.deepEqual([...fields].sort(), known.sort(), `fields of ${type}`)
  }
}

test('PROTOCOL.md §1.1 and the client schemas name the same messages and fields', (t) => {
  compare(t, '### 1.1 Client to server', CLIENT_MESSAGES as unknown as Entries)
})

test('PROTOCOL.md §1.2 and the server schemas name the same messages and fields', (t) => {
  compare(t, '### 1.2 Server to client', SERVER_MESSAGES as unknown as Entries)
})

test('PROTOCOL.md §1.3 lists exactly the codes that exist', (t) => {
  const paragraph = sectionOf('### 1.3 Errors').split('Close codes')[0] ?? ''
  const codes = [...paragraph.matchAll(/`([a-z-]+)`/g)].map((hit) => hit[1])
  t.deepEqual([...new Set(codes)].sort(), [...ERROR_CODES].sort())
})

const OK: ServerMessage = { type: 'ok', ref: 7 }

for (const codec of CODECS) {
  const binary = codec.subprotocol.endsWith('msgpack')
  const frame = (value: unknown): Uint8Array =>
    binary ? pack(value) : Buffer.from(JSON.stringify(value))

  test(`${codec.subprotocol}: what is encoded decodes to the same`, (t) => {
    const encoded = codec.encode(OK)
    t.is(typeof encoded === 'string', !binary)
    t.deepEqual(codec.decode(Buffer.from(encoded as Uint8Array), binary), { ...OK })
  })

  test(`${codec.subprotocol}: the other kind of frame is no message`, (t) => {
    t.is(codec.decode(frame({ type: 'ping' }), !binary), undefined)
  })

  test(`${codec.subprotocol}: a field named __proto__ reaches no prototype`, (t) => {
    const hostile = binary
      ? Buffer.from(
          '82a474797065a470696e67a95f5f70726f746f5f5f81a6706f6973 6f6ec3'.replace(' ', ''),
          'hex',
        )
      : Buffer.from('{"type":"ping","__proto__":{"poison":true}}')
    const parsed = parseClientMessage(codec.decode(hostile, binary))
    t.true(parsed.ok)
    t.false('poison' in {})
    t.false(parsed.ok && 'poison' in parsed.message)
  })

  test(`${codec.subprotocol}: no client message survives the decoder that its schema refuses`, (t) => {
    t.notThrows(() =>
      fc.assert(
        fc.property(fc.object({ key: fc.constantFrom('type', 'ref', 'use', 'x') }), (value) => {
          const parsed = parseClientMessage(codec.decode(frame(value), binary))
          return !parsed.ok || v.is(CLIENT_MESSAGES[parsed.message.type], parsed.message)
        }),
        { numRuns: 500 },
      ),
    )
  })
}

test('only the two subprotocols are spoken', (t) => {
  t.truthy(codecFor('nhipcau.1.msgpack'))
  t.truthy(codecFor('nhipcau.1.json'))
  t.is(codecFor('nhipcau.2.json'), undefined)
  t.is(codecFor('constructor'), undefined)
})

test('the guard refuses extensions, foreign keys, short and trailing bytes', (t) => {
  const refused = {
    empty: '',
    'not a map': '93010203',
    'undefined by extension': '81a161d40000',
    timestamp: '81a161d6ff00000000',
    'never used byte': '81a161c1',
    'bin value': '81a161c40100',
    'number as key': '810101',
    'cut text': '81a161a5',
    'cut number': '81a161cd01',
    'missing value': '81a161',
    'trailing byte': '81a1610100',
    'array that claims 4 billion values': '81a161ddffffffff',
    'map that claims 4 billion pairs': 'dfffffffff',
  }
  for (const [name, hex] of Object.entries(refused)) {
    t.false(isPlainMessage(Buffer.from(hex, 'hex')), name)
  }
  t.true(isPlainMessage(Buffer.from('81a16101', 'hex')))
  t.true(isPlainMessage(Buffer.from('80', 'hex')))
})

test('the guard holds the bounds of depth and number of values', (t) => {
  const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) })
  t.true(isPlainMessage(pack(nested(MESSAGE_DEPTH_MAX - 1))))
  t.false(isPlainMessage(pack(nested(MESSAGE_DEPTH_MAX))))
  const many = (count: number): object => ({ a: new Array(count).fill(1) })
  t.true(isPlainMessage(pack(many(MESSAGE_VALUES_MAX - 3))))
  t.false(isPlainMessage(pack(many(MESSAGE_VALUES_MAX - 2))))
})

test('what the guard lets through, msgpackr reads without throwing', (t) => {
  const codec = codecFor('nhipcau.1.msgpack')
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
      bytes[0] = 0x80 | ((bytes[0] ?? 0) & 0x03)
      return !isPlainMessage(bytes) || typeof codec?.decode(bytes, true) === 'object'
    }),
    { numRuns: 5_000 },
  )
  t.pass()
})

const REFUSED: Record<string, unknown> = {
  'no type': {},
  'type from the prototype': { type: 'toString' },
  'unknown type': { type: 'launch' },
  'text of 2001': { type: 'chat', text: 'x'.repeat(2001) },
  'empty text': { type: 'chat', text: '' },
  'text with NUL': { type: 'chat', text: 'a\0b' },
  'text with ANSI escape': { type: 'chat', text: '\u001b[2J' },
  'mid of 17': { type: 'offer', sdp: '', sections: [{ mid: 'x'.repeat(17), use: 'main' }] },
  'mid with CRLF': { type: 'offer', sdp: '', sections: [{ mid: 'a\r\nb', use: 'main' }] },
  '65 sections': {
    type: 'offer',
    sdp: '',
    sections: Array.from({ length: 65 }, (_, i) => ({ mid: String(i), use: 'tile' })),
  },
  'limit 101': { type: 'roster', limit: 101 },
  'limit 0': { type: 'chat-history', limit: 0 },
  'limit 1.5': { type: 'roster', limit: 1.5 },
  'negative pixels': { type: 'view', slots: [{ mid: '1', widthPx: -1, heightPx: 1 }] },
  'NaN pixels': { type: 'view', slots: [{ mid: '1', widthPx: Number.NaN, heightPx: 1 }] },
  'ref beyond 32 bits': { type: 'ping', ref: 2 ** 32 },
  'token of 4097': { type: 'join', token: 'x'.repeat(4097) },
  'array as message': [],
  'null as message': null,
}

for (const [name, value] of Object.entries(REFUSED)) {
  test(`refused: ${name}`, (t) => {
    t.false(parseClientMessage(value).ok)
  })
}

test('a refused message still tells its ref, and names the bad field', (t) => {
  t.deepEqual(parseClientMessage({ type: 'lock', ref: 9, locked: 1 }), {
    ok: false,
    ref: 9,
    problem: 'lock.locked',
  })
})

test('unknown fields are dropped, so that newer clients are understood', (t) => {
  const parsed = parseClientMessage({ type: 'ping', ref: 1, future: true })
  t.deepEqual(parsed, { ok: true, message: { type: 'ping', ref: 1 } })
})
