/**
 * All handshakes of a node, on whatever thread it is put: routes datagrams to sessions, keeps the
 * bounds, and decides whose turn it is. Taking a command in is cheap; the expensive part is done
 * one step at a time by `work`, so that the shell can let new commands in between. No clock and no
 * sockets inside; not DTLS itself (session.ts).
 *
 * Whose turn: handshakes that the peer has answered come first, oldest first, since they need one step more. Then new
 * ClientHellos in order of arrival and established associations, taking turns. So a storm of joins completes one by
 * one in place of timing out together.
 */
import {
  DTLS_DATAGRAMS_QUEUED_ALL_MAX,
  DTLS_DATAGRAMS_QUEUED_MAX,
  DTLS_TRANSPORTS_MAX,
  HALF_OPEN_HANDSHAKES_MAX,
  HANDSHAKE_STORM_MS_MAX,
} from '../../../config/limits.ts'
import type { Fingerprint } from '../../media/control.ts'
import type { Association } from './association.ts'
import type {
  HandshakeCommand,
  HandshakeEvent,
  HandshakerStats,
  RecordDropReason,
  RefusedReason,
} from './handshake.ts'
import type { DtlsIdentity } from './identity.ts'
import { type ExpectedDigest, readFingerprints } from './proof.ts'
import { HandshakeSession } from './session.ts'
import { TurnQueue } from './turn-queue.ts'

/** One transport: expected (neither session nor association), half-open, established, or refused (muted). */
type Transport = {
  transportId: number
  expected: readonly ExpectedDigest[]
  session: HandshakeSession | undefined
  association: Association | undefined
  isRefused: boolean
  /** When its first datagram came; its handshake must be over HANDSHAKE_STORM_MS_MAX later. */
  firstAtMs: number
  waiting: Buffer[]
  /** In which queue it stands. */
  turn: Turn | undefined
}

type Turn = 'answered' | 'new' | 'established'

type HandshakerOptions = {
  identity: DtlsIdentity
  emit: (event: HandshakeEvent) => void
}

const REFUSED_REASONS: readonly RefusedReason[] = [
  'no-common-parameters',
  'unexpected-message',
  'malformed-message',
  'no-certificate',
  'fingerprint-mismatch',
  'unsupported-certificate',
  'bad-signature',
  'bad-finished',
  'timeout',
  'too-many-half-open',
  'flood',
  'internal-error',
]
const DROP_REASONS: readonly RecordDropReason[] = [
  'unknown-transport',
  'malformed',
  'content-type',
  'version',
  'epoch',
  'plaintext-alert',
  'after-handshake',
  'not-authentic',
  'duplicate',
  'too-large',
  'queue-full',
]

const zeroOf = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>

export class Handshaker {
  readonly #options: HandshakerOptions
  readonly #transports = new Map<number, Transport>()
  /** Transports with a datagram taken in and no end yet, oldest first. */
  readonly #halfOpen = new Map<number, Transport>()
  readonly #turns: Record<Turn, TurnQueue<Transport>> = {
    answered: new TurnQueue(),
    new: new TurnQueue(),
    established: new TurnQueue(),
  }
  #isEstablishedNext = false
  #queuedCount = 0
  #connectedCount = 0
  #establishedCount = 0
  readonly #refused = zeroOf(REFUSED_REASONS)
  readonly #dropped = zeroOf(DROP_REASONS)

  constructor(options: HandshakerOptions) {
    this.#options = options
  }

  /** Takes a command in; emits at most a goodbye or a displacement. Cost: a map access and a copy by reference. */
  command(command: HandshakeCommand, nowMs: number): void {
    switch (command.type) {
      case 'open':
        this.#open(command.transportId, command.fingerprints)
        return
      case 'datagram':
        this.#datagram(command.transportId, command.bytes, nowMs)
        return
      case 'close':
        this.#close(command.transportId)
    }
  }

  /** Does one step for the transport whose turn it is: up to about 1 ms. False when nobody waits. */
  work(nowMs: number): boolean {
    const transport = this.#nextTurn()
    if (transport === undefined) return false
    transport.turn = undefined
    const datagram = transport.waiting.shift()
    if (datagram === undefined) return true
    this.#queuedCount -= 1
    if (transport.association !== undefined) this.#workAssociation(transport, datagram, nowMs)
    else if (!transport.isRefused) this.#workSession(transport, datagram, nowMs)
    this.#queue(transport)
    return true
  }

  /** Repetitions and timeouts. Returns when it wants to be called again, infinite when no handshake is under way. */
  tick(nowMs: number): number {
    let deadlineMs = Number.POSITIVE_INFINITY
    for (const transport of [...this.#halfOpen.values()]) {
      const { session } = transport
      const stormEndMs = transport.firstAtMs + HANDSHAKE_STORM_MS_MAX
      // When its datagram waits for us, the peer is not late, and repeating ourselves would only add to the storm.
      const isOurTurn = transport.turn !== undefined || session === undefined
      const endMs = isOurTurn ? stormEndMs : Math.min(stormEndMs, session.endMs)
      if (nowMs >= endMs) {
        this.#refuse(transport, 'timeout')
        continue
      }
      if (isOurTurn) {
        deadlineMs = Math.min(deadlineMs, endMs)
        continue
      }
      if (nowMs >= session.deadlineMs) {
        session.tick(nowMs)
        this.#drain(transport, session)
      }
      deadlineMs = Math.min(deadlineMs, endMs, session.deadlineMs)
    }
    return deadlineMs
  }

  /** Handshakes under way: as long as there are any, `tick` wants to be called. */
  get halfOpenCount(): number {
    return this.#halfOpen.size
  }

  /** Totals since start. */
  stats(): HandshakerStats {
    return {
      connected: this.#connectedCount,
      refused: { ...this.#refused },
      halfOpen: this.#halfOpen.size,
      established: this.#establishedCount,
      recordsDropped: { ...this.#dropped },
    }
  }

  #open(transportId: number, fingerprints: readonly Fingerprint[]): void {
    if (this.#transports.has(transportId)) return
    if (this.#transports.size >= DTLS_TRANSPORTS_MAX) {
      this.#refused['too-many-half-open'] += 1
      this.#options.emit({ type: 'refused', transportId, reason: 'too-many-half-open' })
      return
    }
    this.#transports.set(transportId, {
      transportId,
      expected: readFingerprints(fingerprints),
      session: undefined,
      association: undefined,
      isRefused: false,
      firstAtMs: 0,
      waiting: [],
      turn: undefined,
    })
  }

  #datagram(transportId: number, bytes: Uint8Array, nowMs: number): void {
    const transport = this.#transports.get(transportId)
    if (transport === undefined || transport.isRefused) {
      this.#dropped['unknown-transport'] += 1
      return
    }
    const datagram = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (this.#isRepeated(transport, datagram)) {
      this.#dropped.duplicate += 1
      return
    }
    const isFull = transport.waiting.length >= DTLS_DATAGRAMS_QUEUED_MAX
    if (isFull || this.#queuedCount >= DTLS_DATAGRAMS_QUEUED_ALL_MAX) {
      this.#dropped['queue-full'] += 1
      return
    }
    if (transport.association === undefined && !this.#halfOpen.has(transportId)) {
      this.#makeRoom()
      transport.firstAtMs = nowMs
      this.#halfOpen.set(transportId, transport)
    }
    transport.waiting.push(datagram)
    this.#queuedCount += 1
    this.#queue(transport)
  }

  /** A peer that waits for its turn repeats itself: the same ClientHello need not be looked at twice. */
  #isRepeated(transport: Transport, datagram: Buffer): boolean {
    const sameMessage = datagram.subarray(13)
    return (
      transport.session === undefined &&
      transport.waiting.some((waiting) => waiting.subarray(13).equals(sameMessage))
    )
  }

  /** Displaces the oldest that has answered nothing; if all have, the oldest of all. */
  #makeRoom(): void {
    if (this.#halfOpen.size < HALF_OPEN_HANDSHAKES_MAX) return
    let victim: Transport | undefined
    for (const transport of this.#halfOpen.values()) {
      victim ??= transport
      if (transport.session?.hasAnswered) continue
      victim = transport
      break
    }
    if (victim !== undefined) this.#refuse(victim, 'too-many-half-open')
  }

  #queue(transport: Transport): void {
    if (transport.waiting.length === 0 || transport.turn !== undefined) return
    transport.turn = turnOf(transport)
    this.#turns[transport.turn].push(transport)
  }

  #nextTurn(): Transport | undefined {
    const { answered, new: fresh, established } = this.#turns
    const urgent = answered.shift()
    if (urgent !== undefined) return urgent
    this.#isEstablishedNext = !this.#isEstablishedNext
    const [first, second] = this.#isEstablishedNext ? [established, fresh] : [fresh, established]
    return first.shift() ?? second.shift()
  }

  #workSession(transport: Transport, datagram: Buffer, nowMs: number): void {
    transport.session ??= new HandshakeSession({
      identity: this.#options.identity,
      expected: transport.expected,
      nowMs,
      onDrop: this.#onDrop,
    })
    transport.session.receive(datagram, nowMs)
    this.#drain(transport, transport.session)
  }

  #workAssociation(transport: Transport, datagram: Buffer, nowMs: number): void {
    const association = transport.association!
    const meaning = association.receive(datagram, nowMs, this.#onDrop)
    const { transportId } = transport
    if (meaning === 'repeat') this.#send(transportId, association.lastFlight())
    if (meaning !== 'closed') return
    this.#send(transportId, association.closeNotify())
    this.#forget(transport)
    this.#options.emit({ type: 'closed', transportId })
  }

  readonly #onDrop = (reason: RecordDropReason): void => {
    this.#dropped[reason] += 1
  }

  #drain(transport: Transport, session: HandshakeSession): void {
    const { transportId } = transport
    for (const bytes of session.outbox.splice(0)) this.#send(transportId, bytes)
    const { result } = session
    if (result === undefined) return
    if (result.type === 'refused') {
      this.#refuse(transport, result.reason)
      return
    }
    this.#halfOpen.delete(transportId)
    transport.session = undefined
    transport.expected = []
    transport.association = result.association
    this.#connectedCount += 1
    this.#establishedCount += 1
    this.#options.emit({ type: 'connected', transportId, keys: result.keys })
  }

  #refuse(transport: Transport, reason: RefusedReason): void {
    const { transportId } = transport
    this.#halfOpen.delete(transportId)
    transport.session = undefined
    transport.isRefused = true
    this.#dropWaiting(transport)
    this.#refused[reason] += 1
    this.#options.emit({ type: 'refused', transportId, reason })
  }

  #close(transportId: number): void {
    const transport = this.#transports.get(transportId)
    if (transport === undefined) return
    if (transport.association !== undefined) {
      this.#send(transportId, transport.association.closeNotify())
    }
    this.#forget(transport)
  }

  #forget(transport: Transport): void {
    if (transport.association !== undefined) this.#establishedCount -= 1
    this.#transports.delete(transport.transportId)
    this.#halfOpen.delete(transport.transportId)
    this.#dropWaiting(transport)
    transport.isRefused = true
    transport.session = undefined
    transport.association = undefined
  }

  #dropWaiting(transport: Transport): void {
    this.#queuedCount -= transport.waiting.length
    transport.waiting = []
  }

  #send(transportId: number, bytes: Buffer): void {
    this.#options.emit({ type: 'send', transportId, bytes: new Uint8Array(bytes) })
  }
}

const turnOf = (transport: Transport): Turn => {
  if (transport.association !== undefined) return 'established'
  return transport.session?.hasGreeted ? 'answered' : 'new'
}
