import test from 'ava'
import fc from 'fast-check'
import {
  HANDSHAKE_BYTES_MAX,
  HANDSHAKE_FRAGMENTS_MAX,
  HANDSHAKE_MESSAGES_AHEAD_MAX,
} from '../../../config/limits.ts'
import { fragmentMessage } from './flight.ts'
import { buildMessage, CLIENT_HELLO, HandshakeReassembler } from './reassembly.ts'

/** Bytes `from`..`to` of a message's body as a fragment. */
const slice = (message: Buffer, from: number, to: number): Buffer => {
  const header = Buffer.from(message.subarray(0, 12))
  header.writeUIntBE(from, 6, 3)
  header.writeUIntBE(to - from, 9, 3)
  return Buffer.concat([header, message.subarray(12 + from, 12 + to)])
}

const hello = buildMessage(CLIENT_HELLO, 0, Buffer.from(Array.from({ length: 1_400 }, (_, i) => i)))

test("a browser's ClientHello in two datagrams is whole in either order", (t) => {
  const fragments = fragmentMessage(hello.bytes)
  t.is(fragments.length, 2)
  for (const order of [fragments, [...fragments].reverse()]) {
    const reassembler = new HandshakeReassembler()
    t.is(reassembler.accept(order[0]!), 'taken')
    t.is(reassembler.take(), undefined)
    t.is(reassembler.accept(order[1]!), 'taken')
    t.deepEqual(reassembler.take()?.bytes, hello.bytes)
    t.is(reassembler.waitingBytes, 0)
  }
})

test('any cover of a message by fragments, in any order, gives the message', (t) => {
  const cut = fc.tuple(fc.nat(299), fc.integer({ min: 1, max: 300 }))
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 300, maxLength: 300 }), fc.array(cut), (body, cuts) => {
      const { bytes } = buildMessage(11, 0, body)
      const pieces = cuts.map(([from, size]) => slice(bytes, from, Math.min(300, from + size)))
      const reassembler = new HandshakeReassembler()
      for (const piece of pieces) reassembler.accept(piece)
      reassembler.accept(slice(bytes, 150, 300))
      reassembler.accept(slice(bytes, 0, 200))
      return reassembler.take()?.bytes.equals(bytes) ?? false
    }),
  )
  t.pass()
})

test('bytes that came first stay, whatever overlaps them later', (t) => {
  const reassembler = new HandshakeReassembler()
  const lie = buildMessage(CLIENT_HELLO, 0, Buffer.alloc(1_400, 255)).bytes
  reassembler.accept(slice(hello.bytes, 0, 700))
  reassembler.accept(slice(lie, 0, 700))
  reassembler.accept(slice(hello.bytes, 600, 1_400))
  t.deepEqual(reassembler.take()?.bytes, hello.bytes)
})

test('messages are given out by number, and one given out is old', (t) => {
  const reassembler = new HandshakeReassembler()
  const messages = [0, 1, 2].map((messageSeq) => buildMessage(16, messageSeq, Buffer.from([1])))
  t.is(reassembler.accept(Buffer.concat([messages[2]!.bytes, messages[1]!.bytes])), 'taken')
  t.is(reassembler.take(), undefined)
  t.is(reassembler.accept(messages[0]!.bytes), 'taken')
  t.deepEqual(
    [0, 1, 2].map(() => reassembler.take()?.messageSeq),
    [0, 1, 2],
  )
  t.is(reassembler.accept(messages[1]!.bytes), 'old')
})

test('a message without a body is whole at once', (t) => {
  const reassembler = new HandshakeReassembler()
  reassembler.accept(buildMessage(14, 0, Buffer.alloc(0)).bytes)
  t.is(reassembler.take()?.messageType, 14)
})

test('fragments that lie about themselves are malformed', (t) => {
  const lies: ((fragment: Buffer) => void)[] = [
    (fragment) => fragment.writeUIntBE(2_000, 9, 3),
    (fragment) => fragment.writeUIntBE(1_399, 6, 3),
    (fragment) => fragment.writeUIntBE(5, 1, 3),
  ]
  for (const lie of lies) {
    const fragment = Buffer.from(hello.bytes)
    lie(fragment)
    t.is(new HandshakeReassembler().accept(fragment), 'malformed')
  }
  t.is(new HandshakeReassembler().accept(hello.bytes.subarray(0, 11)), 'malformed')
  t.is(new HandshakeReassembler().accept(slice(hello.bytes, 5, 5)), 'malformed')
})

test('a fragment that contradicts the first of its message is malformed', (t) => {
  const reassembler = new HandshakeReassembler()
  reassembler.accept(slice(hello.bytes, 0, 10))
  const otherType = slice(hello.bytes, 10, 20)
  otherType[0] = 11
  const otherLength = slice(hello.bytes, 10, 20)
  otherLength.writeUIntBE(1_401, 1, 3)
  t.is(reassembler.accept(otherType), 'malformed')
  t.is(reassembler.accept(otherLength), 'malformed')
})

test('announced bytes are bounded over all messages together', (t) => {
  const reassembler = new HandshakeReassembler()
  const half = buildMessage(11, 0, Buffer.alloc(HANDSHAKE_BYTES_MAX / 2 - 12)).bytes
  const next = buildMessage(11, 1, Buffer.alloc(HANDSHAKE_BYTES_MAX / 2 - 11)).bytes
  const small = buildMessage(11, 2, Buffer.alloc(HANDSHAKE_BYTES_MAX / 2 - 12)).bytes
  t.is(reassembler.accept(slice(half, 0, 1)), 'taken')
  t.is(reassembler.accept(slice(next, 0, 1)), 'too-large')
  t.is(reassembler.accept(slice(small, 0, 1)), 'taken')
  t.is(reassembler.waitingBytes, HANDSHAKE_BYTES_MAX)
})

test('messages too far ahead are not kept', (t) => {
  const reassembler = new HandshakeReassembler()
  const at = (messageSeq: number) => buildMessage(11, messageSeq, Buffer.from([1])).bytes
  t.is(reassembler.accept(at(HANDSHAKE_MESSAGES_AHEAD_MAX - 1)), 'taken')
  t.is(reassembler.accept(at(HANDSHAKE_MESSAGES_AHEAD_MAX)), 'too-large')
  t.is(reassembler.accept(at(65_535)), 'too-large')
})

test('more fragments than a handshake needs are a flood', (t) => {
  const reassembler = new HandshakeReassembler()
  const one = slice(hello.bytes, 0, 1)
  for (let i = 0; i < HANDSHAKE_FRAGMENTS_MAX; i++) t.is(reassembler.accept(one), 'taken')
  t.is(reassembler.accept(one), 'flood')
})
