/**
 * A million and more random and mutated datagrams through the record filter and the reassembler, and some thousand
 * through a whole session. Bounded by time: NHIPCAU_FUZZ_SECONDS (3). The seed of a failing run is in its message.
 */
import test from 'ava'
import { HANDSHAKE_BYTES_MAX } from '../../../config/limits.ts'
import { Adversary } from './adversary.ts'
import { createDtlsIdentity } from './identity.ts'
import { readFingerprints } from './proof.ts'
import { HandshakeReassembler } from './reassembly.ts'
import { CONTENT_HANDSHAKE, type DtlsRecord, splitRecords } from './records.ts'
import { HandshakeSession } from './session.ts'

const FUZZ_MS = 1_000 * Number(process.env.NHIPCAU_FUZZ_SECONDS ?? 3)
const INPUTS_WANTED = 1_200_000
const HANDSHAKES_WANTED = 5_000
const seed = Number(process.env.NHIPCAU_SEED ?? Date.now() % 2 ** 31)

/** xorshift32: fast, and the same everywhere. */
const createRandom = (start: number) => {
  let state = start | 1
  return (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const [ours, honest] = await Promise.all([createDtlsIdentity(), createDtlsIdentity()])

const createSession = () =>
  new HandshakeSession({
    identity: ours,
    expected: readFingerprints([honest.fingerprint]),
    nowMs: 0,
    onDrop: () => {},
  })

/** Genuine datagrams of one handshake, to be mutated. */
const genuine = (): Buffer[] => {
  const session = createSession()
  const client = new Adversary({ identity: honest })
  const datagrams = [client.hello()]
  session.receive(datagrams[0]!, 0)
  for (const answer of session.outbox.splice(0)) client.receive(answer)
  return [...datagrams, ...client.flight5()]
}

const mutate = (source: Buffer, scratch: Buffer, random: (below: number) => number): Buffer => {
  const length = random(8) === 0 ? random(source.length + 1) : source.length
  source.copy(scratch, 0, 0, length)
  const changes = random(4)
  // Most changes go where the lengths are.
  for (let i = 0; i < changes && length > 0; i++) {
    scratch[random(random(2) === 0 ? Math.min(26, length) : length)] = random(256)
  }
  return scratch.subarray(0, length)
}

test('records and fragments of any kind are taken or dropped within the bounds', (t) => {
  const random = createRandom(seed)
  const samples = genuine()
  const scratch = Buffer.alloc(2_048)
  const endMs = performance.now() + FUZZ_MS
  const records: DtlsRecord[] = []
  let reassembler = new HandshakeReassembler()
  let inputCount = 0
  let isWithinBounds = true
  while (inputCount < INPUTS_WANTED && (inputCount % 1_024 !== 0 || performance.now() < endMs)) {
    inputCount += 1
    const datagram = mutate(samples[random(samples.length)]!, scratch, random)
    records.length = 0
    splitRecords(datagram, records)
    for (const { contentType, body } of records) {
      if (contentType !== CONTENT_HANDSHAKE) continue
      const fate = reassembler.accept(body)
      isWithinBounds &&= reassembler.waitingBytes <= HANDSHAKE_BYTES_MAX
      const message = reassembler.take()
      if (message) isWithinBounds &&= message.bytes.readUIntBE(1, 3) === message.body.length
      if (fate === 'flood') reassembler = new HandshakeReassembler()
    }
  }
  t.log(`${inputCount} inputs, seed ${seed}`)
  t.true(isWithinBounds, `seed ${seed}`)
  t.true(inputCount > 0)
})

test('no session gives keys for mutated datagrams unless the genuine ones came too', (t) => {
  const random = createRandom(seed)
  const endMs = performance.now() + FUZZ_MS / 3
  const scratch = Buffer.alloc(2_048)
  let handshakeCount = 0
  while (handshakeCount < HANDSHAKES_WANTED && performance.now() < endMs) {
    handshakeCount += 1
    const session = createSession()
    const client = new Adversary({ identity: honest })
    session.receive(client.hello(), 0)
    for (const answer of session.outbox.splice(0)) client.receive(answer)
    // Certificate, key exchange and proof: without one of them nothing may pass.
    const flight = client.flight5()
    const missing = random(3)
    const rest = flight.filter((_, index) => index !== missing)
    for (let i = 0; i < 30; i++) {
      session.receive(mutate(rest[random(rest.length)]!, scratch, random), i)
    }
    for (const datagram of rest) session.receive(datagram, 31)
    if (session.result?.type === 'connected') t.fail(`keys without proof, seed ${seed}`)
  }
  t.log(`${handshakeCount} handshakes, seed ${seed}`)
  t.true(handshakeCount > 0)
})
