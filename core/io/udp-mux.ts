/**
 * All peers of a worker behind one UDP port: tells STUN, DTLS and SRTP apart by the first byte (RFC 7983), binds
 * 5-tuples by authenticated STUN alone, and ends who is no longer there (RFC 7675). No sockets, no clock, no timers:
 * datagrams and `nowMs` come in, events and answers go out. A stranger gets silence and a counter.
 */
import {
  CONSENT_MS,
  HALF_OPEN_TRANSPORTS_MAX,
  MEDIA_DATAGRAM_BYTES_MAX,
  TRANSPORT_CONNECT_MS,
  TRANSPORTS_PER_WORKER_MAX,
  TUPLE_SILENT_MS,
} from '../../config/index.ts'
import type { IceCredentials } from '../media/control.ts'
import { DROP_CODE, type DropReason } from '../media/rtp/index.ts'
import { parseIpOctets } from './ip-address.ts'
import { answerBinding, judgeBinding, localUfragOf, parseStun, StunMessage } from './stun/index.ts'
import { createIdentity, type MuxOpen, MuxTransport } from './udp-mux-transport.ts'
import { Tuple, type TupleSource, TupleTable } from './udp-mux-tuple.ts'

const SWEEP_MS = 1_000
const DROP_EMPTY = DROP_CODE['datagram-empty']
const DROP_UNKNOWN_CLASS = DROP_CODE['datagram-class-unknown']
const DROP_UNBOUND_MEDIA = DROP_CODE['media-unbound']
const DROP_NOT_CONNECTED = DROP_CODE['media-before-keys']
const DROP_TOO_LARGE = DROP_CODE['media-too-large']

/** What the mux tells its owner; called synchronously from `onDatagram`, `onDeadline` and `close`. */
export interface MuxEvents {
  /** @hot An SRTP or SRTCP datagram of a connected transport, not yet authenticated. The owner may write into it. */
  onMedia(tuple: Tuple, bytes: Uint8Array, nowMs: number): void
  /** A DTLS datagram of a bound 5-tuple. Copy it if it must outlive the call. */
  onDtls(transport: MuxTransport, bytes: Uint8Array): void
  /** A STUN answer to the authenticated sender; at most 1,280 bytes, owned by the callee. */
  onAnswer(to: TupleSource, bytes: Uint8Array): void
  /** `transport.selected` has changed. */
  onRoute(transport: MuxTransport): void
  /** The mux has given this transport up and forgotten it. */
  onExpired(transport: MuxTransport, cause: 'never-connected' | 'consent-expired'): void
}

export type OpenOutcome = 'opened' | 'too-many-transports' | 'too-many-half-open' | 'ufrag-in-use'

/** One per worker. Never throws on what comes from outside. */
export class UdpMux {
  readonly #drops: Uint32Array
  /** STUN answers sent: success and error. */
  answers = 0
  /** How often a transport moved to another 5-tuple. */
  roams = 0
  readonly #events: MuxEvents
  readonly #tuples = new TupleTable()
  readonly #byUfrag = new Map<string, MuxTransport>()
  readonly #byId = new Map<number, MuxTransport>()
  readonly #message = new StunMessage()
  #halfOpen = 0
  #sweepAtMs = Number.POSITIVE_INFINITY

  /** `drops` is indexed by DropReason code; it is counted into, never read. */
  constructor(events: MuxEvents, drops: Uint32Array) {
    this.#events = events
    this.#drops = drops
  }

  get transportCount(): number {
    return this.#byId.size
  }

  get halfOpenCount(): number {
    return this.#halfOpen
  }

  get tupleCount(): number {
    return this.#tuples.count
  }

  /** The transport with this id while it lives. */
  transport(transportId: number): MuxTransport | undefined {
    return this.#byId.get(transportId)
  }

  /** All that live, in the order of opening; a copy, so that they may be closed on the way. */
  transports(): MuxTransport[] {
    return [...this.#byId.values()]
  }

  /** Admits one peer: from now on STUN for its ufrag is answered. Refuses beyond the bounds. */
  open(open: MuxOpen, nowMs: number): OpenOutcome {
    if (this.#byId.size >= TRANSPORTS_PER_WORKER_MAX) return 'too-many-transports'
    if (this.#halfOpen >= HALF_OPEN_TRANSPORTS_MAX) return 'too-many-half-open'
    if (this.#byUfrag.has(open.iceLocal.usernameFragment)) return 'ufrag-in-use'
    if (this.#byId.has(open.transportId)) return 'ufrag-in-use'
    const transport = new MuxTransport(open, nowMs)
    this.#byId.set(transport.transportId, transport)
    this.#byUfrag.set(transport.identity.localUfrag, transport)
    this.#halfOpen++
    this.#sweepAtMs = Math.min(this.#sweepAtMs, nowMs + SWEEP_MS)
    return 'opened'
  }

  /** ICE restart: new credentials, same 5-tuples until the peer proves a new one. False when the id is unknown. */
  restart(transportId: number, local: IceCredentials, remote: IceCredentials): boolean {
    const transport = this.#byId.get(transportId)
    if (transport === undefined) return false
    const owner = this.#byUfrag.get(local.usernameFragment)
    if (owner !== undefined && owner !== transport) return false
    this.#byUfrag.delete(transport.identity.localUfrag)
    transport.identity = createIdentity(local, remote)
    this.#byUfrag.set(local.usernameFragment, transport)
    return true
  }

  /** SRTP keys stand: media is let through, and the bound on half-open transports no longer counts this one. */
  markConnected(transport: MuxTransport): void {
    if (transport.connected || !this.#byId.has(transport.transportId)) return
    transport.connected = true
    this.#halfOpen--
  }

  /** Forgets a transport with its 5-tuples, route and ufrag. Idempotent. */
  close(transportId: number): void {
    const transport = this.#byId.get(transportId)
    if (transport === undefined) return
    this.#byId.delete(transportId)
    this.#byUfrag.delete(transport.identity.localUfrag)
    if (!transport.connected) this.#halfOpen--
    for (const tuple of transport.tuples) this.#tuples.remove(tuple)
    transport.tuples.length = 0
    transport.selected = undefined
    this.#events.onRoute(transport)
  }

  /** @hot The owner has authenticated a media datagram of this 5-tuple. */
  heard(tuple: Tuple, nowMs: number): void {
    tuple.lastHeardMs = nowMs
    tuple.transport.lastHeardMs = nowMs
  }

  /** The peer has proved itself otherwise: by the end of DTLS. */
  heardPeer(transport: MuxTransport, nowMs: number): void {
    transport.lastHeardMs = nowMs
  }

  /** @hot One datagram as the socket gave it. `bytes` must stay untouched by the caller during the call. */
  onDatagram(bytes: Uint8Array, source: TupleSource, nowMs: number): void {
    const length = bytes.length
    if (length === 0) {
      this.#drops[DROP_EMPTY]!++
      return
    }
    const first = bytes[0]!
    if (first >= 128 && first <= 191) {
      const tuple = this.#tuples.find(source.address, source.port)
      if (tuple === undefined) this.#drops[DROP_UNBOUND_MEDIA]!++
      else if (!tuple.transport.connected) this.#drops[DROP_NOT_CONNECTED]!++
      else if (length > MEDIA_DATAGRAM_BYTES_MAX) this.#drops[DROP_TOO_LARGE]!++
      else this.#events.onMedia(tuple, bytes, nowMs)
    } else if (first <= 3) {
      this.#onStun(bytes, source, nowMs)
    } else if (first >= 20 && first <= 63) {
      this.#onDtls(bytes, source, nowMs)
    } else {
      this.#drops[DROP_UNKNOWN_CLASS]!++
    }
  }

  /** When `onDeadline` wants to be called next; Infinity while there is no transport. */
  nextDeadlineMs(): number {
    return this.#sweepAtMs
  }

  /** Ends transports that never connected or whose consent ran out, and forgets silent spare 5-tuples. */
  onDeadline(nowMs: number): void {
    if (nowMs < this.#sweepAtMs) return
    for (const transport of this.#byId.values()) this.#sweep(transport, nowMs)
    this.#sweepAtMs = this.#byId.size === 0 ? Number.POSITIVE_INFINITY : nowMs + SWEEP_MS
  }

  #sweep(transport: MuxTransport, nowMs: number): void {
    const cause = transport.connected ? 'consent-expired' : 'never-connected'
    const sinceMs = transport.connected ? transport.lastHeardMs : transport.openedMs
    if (nowMs - sinceMs >= (transport.connected ? CONSENT_MS : TRANSPORT_CONNECT_MS)) {
      this.close(transport.transportId)
      this.#events.onExpired(transport, cause)
      return
    }
    if (transport.tuples.length < 2) return
    for (const tuple of [...transport.tuples]) {
      const silent = nowMs - tuple.lastHeardMs >= TUPLE_SILENT_MS
      if (silent && tuple !== transport.selected) this.#unbind(tuple)
    }
  }

  #onDtls(bytes: Uint8Array, source: TupleSource, nowMs: number): void {
    const tuple = this.#tuples.find(source.address, source.port)
    if (tuple === undefined) this.#drop('dtls-unbound')
    else if (!tuple.transport.takeDtlsAllowance(nowMs)) this.#drop('dtls-flood')
    else this.#events.onDtls(tuple.transport, bytes)
  }

  #onStun(bytes: Uint8Array, source: TupleSource, nowMs: number): void {
    const reason = this.#takeStun(bytes, source, nowMs)
    if (reason !== undefined) this.#drop(reason)
  }

  /** Answers and binds, or says why the message goes no further; an error answer is both. */
  #takeStun(bytes: Uint8Array, source: TupleSource, nowMs: number): DropReason | undefined {
    const message = this.#message
    if (!parseStun(bytes, message)) return 'stun-malformed'
    const transport = this.#byUfrag.get(localUfragOf(message))
    if (transport === undefined) return 'stun-unknown-user'
    // Port 0 cannot be answered: dgram would throw.
    const octets = source.port === 0 ? undefined : parseIpOctets(source.address)
    if (octets === undefined) return 'source-unanswerable'
    const { key } = transport.identity
    const verdict = judgeBinding(message, transport.identity)
    const answer = answerBinding(message, verdict, { mapped: { octets, port: source.port }, key })
    if (verdict === 'accepted') this.#bind(transport, source, nowMs)
    if (answer !== undefined) {
      this.answers++
      this.#events.onAnswer(source, answer)
    }
    return verdict === 'accepted' ? undefined : `stun-${verdict}`
  }

  /** A valid check proves that the peer is behind this 5-tuple, whoever was there before. */
  #bind(transport: MuxTransport, source: TupleSource, nowMs: number): void {
    let tuple = this.#tuples.find(source.address, source.port)
    if (tuple !== undefined && tuple.transport !== transport) {
      this.#unbind(tuple)
      tuple = undefined
    }
    if (tuple === undefined) {
      const evicted = transport.tupleToEvict()
      if (evicted !== undefined) this.#unbind(evicted)
      tuple = new Tuple(source, transport, nowMs)
      transport.tuples.push(tuple)
      this.#tuples.add(tuple)
    }
    const before = transport.selected
    transport.heardCheck(tuple, { nominated: this.#message.useCandidate, nowMs })
    if (before !== undefined && transport.selected !== before) this.roams++
    if (transport.selected !== before) this.#events.onRoute(transport)
    this.heard(tuple, nowMs)
  }

  #unbind(tuple: Tuple): void {
    this.#tuples.remove(tuple)
    const { transport } = tuple
    const before = transport.selected
    transport.removeTuple(tuple)
    if (transport.selected !== before) this.#events.onRoute(transport)
  }

  #drop(reason: DropReason): void {
    this.#drops[DROP_CODE[reason]]!++
  }
}
