/**
 * Where children come in: takes the sockets of the path /trunk from the doors, lets each prove itself within
 * ten seconds, hands out the sessions, and cuts those whose relay the operator has revoked meanwhile.
 */
import {
  RELAY_BOOK_LOOK_MS,
  TRUNK_HANDSHAKE_MS_MAX,
  TRUNK_HANDSHAKES_MAX,
  TRUNK_HANDSHAKES_PER_ADDRESS_MAX,
  TRUNK_HEARTBEATS_PER_LEASE,
  TRUNK_TICK_MS,
  TRUNKS_MAX,
} from '../../config/index.ts'
import type { Clock, Log } from '../../core/io/index.ts'
import {
  type Accepted,
  type Claim,
  ControlSession,
  type FrameCarrier,
  ParentHandshake,
  type Refusal,
  type RefusalReason,
  type Signer,
  type TokenKeyJwk,
  type TrunkNumbers,
  type TrunkSession,
  type WelcomeTerms,
} from '../control/index.ts'
import { primitives, type RelayBook, TRUNK_PATH } from '../identity/index.ts'
import { type ChildSocket, type ChildSocketRoute, TRUNK_SUBPROTOCOL } from './child-socket.ts'
import type { ChildDoor, TrunkSelf } from './upstream-contract.ts'

export type ChildDoorOptions = {
  self: TrunkSelf
  signer: Signer
  book: RelayBook
  numbers: TrunkNumbers
  /** SHA-256 of the TLS certificate that relays see, lower-case hex; '' when the doors speak none. */
  fingerprint: () => string
  /** Where media flows go: `address` '' = the one that was dialled; port 0 = through the WebSocket only. */
  media: () => { address: string; port: number }
  tokenKeys: readonly TokenKeyJwk[]
  /** How long a trunk stands without a word, ms; told to children. */
  leaseMs: number
  clock: Clock
  log: Log
  /** Sets the session's callbacks before it returns. */
  onSession: (session: TrunkSession) => void
}

/** For the composition root: the door, what it hands to the doors of the node, and what it has counted. */
export interface OpenChildDoor extends ChildDoor {
  readonly route: ChildSocketRoute
  /** Refused dials by reason. */
  readonly refusals: ReadonlyMap<RefusalReason, number>
}

/** Ready at once; sockets come by `route`. */
export function openChildDoor(options: ChildDoorOptions): OpenChildDoor {
  return new TrunkDoor(options)
}

const REFUSALS_REMEMBERED_MAX = 1_024
/** Refusals of those who were enrolled here once. */
const PROVES_A_PAST: ReadonlySet<RefusalReason> = new Set(['revoked', 'fenced'])

/** One socket, before and after it has proven itself. */
type Child = {
  socket: ChildSocket
  handshake: ParentHandshake
  deadlineMs: number
  session: ControlSession | undefined
  key: Uint8Array
  instance: Uint8Array
}

class TrunkDoor implements OpenChildDoor {
  readonly refusals = new Map<RefusalReason, number>()
  readonly route: ChildSocketRoute
  readonly #options: ChildDoorOptions
  readonly #children = new Map<ChildSocket, Child>()
  readonly #sessions = new Set<TrunkSession>()
  readonly #ticker: NodeJS.Timeout
  readonly #told = new Set<string>()
  #lookMs = 0
  #path: readonly string[] = []
  #tokenKeys: readonly TokenKeyJwk[]
  #isClosed = false

  constructor(options: ChildDoorOptions) {
    this.#options = options
    this.#tokenKeys = options.tokenKeys
    this.#ticker = setInterval(() => this.#tick(), TRUNK_TICK_MS)
    this.#ticker.unref()
    this.route = {
      path: TRUNK_PATH,
      subprotocol: TRUNK_SUBPROTOCOL,
      hasPlaceFor: (remoteAddress) => this.#hasPlaceFor(remoteAddress),
      onOpen: (socket) => this.#onOpen(socket),
      onMessage: (socket, data, binary) => this.#onMessage(socket, data, binary),
      onClose: (socket) => this.#onClose(socket),
    }
  }

  get sessions(): ReadonlySet<TrunkSession> {
    return this.#sessions
  }

  setPath(path: readonly string[]): void {
    this.#path = path
    for (const { session } of this.#children.values()) session?.tellPath(this.#pathToTop())
  }

  setTokenKeys(keys: readonly TokenKeyJwk[]): void {
    this.#tokenKeys = keys
    for (const session of this.#sessions) session.send({ type: 'token-keys', keys: [...keys] })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#ticker)
    for (const { session, socket } of [...this.#children.values()]) {
      if (session === undefined) socket.terminate()
      else session.close('closed')
    }
  }

  #pathToTop(): string[] {
    return [this.#options.self.nodeId, ...this.#path]
  }

  #hasPlaceFor(remoteAddress: string): boolean {
    if (this.#isClosed) return false
    let all = 0
    let fromThere = 0
    for (const { session, socket } of this.#children.values()) {
      if (session !== undefined) continue
      all += 1
      if (socket.remoteAddress === remoteAddress) fromThere += 1
    }
    const isLoopback = remoteAddress === '::1' || remoteAddress.startsWith('127.')
    return (
      all < TRUNK_HANDSHAKES_MAX && (isLoopback || fromThere < TRUNK_HANDSHAKES_PER_ADDRESS_MAX)
    )
  }

  #onOpen(socket: ChildSocket): void {
    const { self, signer, clock, fingerprint } = this.#options
    const child: Child = {
      socket,
      handshake: new ParentHandshake({
        primitives,
        self,
        signer,
        fingerprint: fingerprint(),
        path: this.#path,
        consider: (claim) => this.#ask((wallMs) => this.#options.book.consider(claim, wallMs)),
        accept: (claim, admission) => this.#accept(claim, admission.name),
      }),
      deadlineMs: clock.nowMs() + TRUNK_HANDSHAKE_MS_MAX,
      session: undefined,
      key: new Uint8Array(),
      instance: new Uint8Array(),
    }
    this.#children.set(socket, child)
  }

  #onMessage(socket: ChildSocket, data: Uint8Array, binary: boolean): void {
    const child = this.#children.get(socket)
    if (child === undefined) return
    if (!binary) this.#refused(child, { reason: 'malformed', detail: 'text on a trunk' })
    else if (child.session !== undefined) child.session.onFrame(data, this.#options.clock.nowMs())
    else this.#onHandshake(child, data)
  }

  #onHandshake(child: Child, data: Uint8Array): void {
    const step = child.handshake.onFrame(data)
    // What is accepted stands before its welcome leaves: the child's first message may follow at once.
    if (step.kind === 'accepted') this.#welcome(child, step.accepted, step.frames)
    else for (const frame of step.frames) child.socket.send(frame, false)
    if (step.kind === 'refused') this.#refused(child, step)
  }

  /** The book is a file: when the disk does not give it, nobody comes in, and nothing else happens. */
  #ask<T>(question: (wallMs: number) => T | Refusal): T | Refusal {
    try {
      return question(this.#options.clock.wallMs())
    } catch (error) {
      this.#options.log.error({ err: error }, 'the book of relays cannot be used')
      return { reason: 'overloaded', detail: 'the book of relays cannot be used' }
    }
  }

  #accept(claim: Claim, name: string): WelcomeTerms | Refusal {
    const { nodeId, key } = claim
    for (const { session, key: otherKey } of this.#children.values()) {
      const isAnother = session?.peer.nodeId === nodeId && Buffer.compare(otherKey, key) !== 0
      if (isAnother) {
        return { reason: 'duplicate-node', detail: `${session.peer.name} has the same node id` }
      }
    }
    if (this.#sessions.size >= TRUNKS_MAX) {
      return { reason: 'overloaded', detail: `${TRUNKS_MAX} trunks are open` }
    }
    const entered = this.#ask((wallMs) => this.#options.book.accept(claim, wallMs))
    if ('reason' in entered) return entered
    this.#options.log.debug({ name, nodeId }, 'a relay has proven itself')
    return {
      media: this.#options.media(),
      ssrcs: this.#options.numbers.takeSsrcs(),
      leaseMs: this.#options.leaseMs,
      heartbeatMs: this.#options.leaseMs / TRUNK_HEARTBEATS_PER_LEASE,
      tokenKeys: [...this.#tokenKeys],
      path: this.#pathToTop(),
    }
  }

  #welcome(child: Child, accepted: Accepted, frames: readonly Uint8Array[]): void {
    const { claim, name, terms, media } = accepted
    this.#replace(claim, name)
    const { numbers, clock, self, log, onSession } = this.#options
    const { up, down } = terms.ssrcs
    const session = new ControlSession({
      carrier: carrierOf(child.socket),
      selfId: self.nodeId,
      peer: { nodeId: claim.nodeId, name, program: claim.program },
      direction: 'down',
      flow: {
        trunkId: numbers.takeTrunkId(),
        send: { ssrc: down, master: media.down },
        receive: { ssrc: up, master: media.up },
      },
      path: [],
      tokenKeys: [],
      leaseMs: this.#options.leaseMs,
      heartbeatMs: this.#options.leaseMs / TRUNK_HEARTBEATS_PER_LEASE,
      nowMs: clock.nowMs(),
    })
    Object.assign(child, { session, key: claim.key, instance: claim.instance })
    this.#sessions.add(session)
    const { remoteAddress } = child.socket
    this.#told.clear()
    const told = { event: 'child', relay: name, nodeId: claim.nodeId, epoch: claim.epoch }
    log.info({ ...told, program: claim.program, remoteAddress }, 'a relay has connected')
    for (const frame of frames) child.socket.send(frame, false)
    onSession(session)
  }

  /** The same relay is here again: its former session ends. Another start of it is told that it is fenced. */
  #replace(claim: Claim, name: string): void {
    for (const { session, key, instance } of [...this.#children.values()]) {
      if (session?.isOpen !== true || Buffer.compare(key, claim.key) !== 0) continue
      const isSameStart = Buffer.compare(instance, claim.instance) === 0
      if (!isSameStart) {
        const told = { event: 'fenced', relay: name, nodeId: claim.nodeId, epoch: claim.epoch }
        this.#options.log.warn(told, 'a relay was started again: the former one is fenced')
      }
      this.#end(session, isSameStart ? 'replaced' : 'fenced')
    }
  }

  #end(session: ControlSession, reason: 'replaced' | 'fenced' | 'revoked'): void {
    this.#sessions.delete(session)
    session.close(reason)
  }

  #refused(child: Child, { reason, detail, byPeer }: Refusal & { byPeer?: boolean }): void {
    const { session, socket } = child
    if (session !== undefined) {
      session.close('malformed')
      return
    }
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1)
    const { name, nodeId, epoch } = child.handshake.claim ?? {}
    const { remoteAddress } = socket
    const told = { event: 'trunk-refused', reason, detail, name, nodeId, epoch, remoteAddress }
    const text = byPeer === true ? 'a relay refuses us' : 'a relay is refused'
    // What anybody may say of himself makes no second line.
    const who = PROVES_A_PAST.has(reason) ? nodeId : ''
    if (this.#isNews(`${remoteAddress} ${who} ${reason}`)) this.#options.log.warn(told, text)
    else this.#options.log.debug(told, text)
    socket.close(4000, reason)
  }

  /** A relay tries again every ten seconds for ever; the same refusal is one line. */
  #isNews(refusal: string): boolean {
    if (this.#told.has(refusal)) return false
    if (this.#told.size >= REFUSALS_REMEMBERED_MAX) this.#told.clear()
    this.#told.add(refusal)
    return true
  }

  #onClose(socket: ChildSocket): void {
    const child = this.#children.get(socket)
    this.#children.delete(socket)
    const session = child?.session
    if (session === undefined) return
    const { receive, send } = session.flow
    this.#options.numbers.release({ up: receive.ssrc, down: send.ssrc })
    this.#sessions.delete(session)
    session.onLost()
    const { name, nodeId } = session.peer
    this.#options.log.info({ event: 'child-gone', relay: name, nodeId }, 'a relay has gone')
  }

  #tick(): void {
    const nowMs = this.#options.clock.nowMs()
    for (const child of [...this.#children.values()]) {
      child.session?.tick(nowMs)
      if (child.session === undefined && nowMs >= child.deadlineMs) {
        this.#refused(child, { reason: 'timeout', detail: 'the handshake took too long' })
        child.socket.terminate()
      }
    }
    if (nowMs - this.#lookMs < RELAY_BOOK_LOOK_MS) return
    this.#lookMs = nowMs
    this.#cutRevoked()
  }

  #cutRevoked(): void {
    const { book, log } = this.#options
    const hasChanged = this.#ask(() => book.refresh())
    if (hasChanged !== true) return
    for (const { session, key } of [...this.#children.values()]) {
      if (session?.isOpen !== true || book.isGood(key)) continue
      log.warn({ event: 'revoked', relay: session.peer.name }, 'a relay was revoked and is cut off')
      this.#end(session, 'revoked')
    }
  }
}

function carrierOf(socket: ChildSocket): FrameCarrier {
  return {
    send: (frame, compress) => socket.send(frame, compress),
    bufferedBytes: () => socket.bufferedBytes(),
    close: (reason) => socket.close(1000, reason),
  }
}
