/**
 * A session over whatever carries frames: tells messages from tunnelled datagrams, keeps the lease, measures
 * the round trip, and ends once. Time comes in by `tick` and `onFrame`; sockets are relay/io's.
 */
import {
  TRUNK_BUFFERED_BYTES_HIGH,
  TRUNK_BUFFERED_BYTES_MAX,
  TRUNK_DEPTH_MAX,
} from '../../config/limits.ts'
import type { TrunkFlow } from '../media-port.ts'
import type { TokenKeyJwk, TrunkMessage } from './messages.ts'
import { type AnyMessage, parseMessage, writeMessage } from './parse-message.ts'
import { REFUSAL_REASONS, type RefusalReason } from './refusals.ts'
import type { SessionEnd, TrunkPeer, TrunkSession } from './session.ts'

/** First byte of a frame that is a media datagram; no msgpack map begins with it. */
const DATAGRAM = 0
/** A lease is at least so many round trips; and media stretches it so many times at most. */
const LEASE_ROUND_TRIPS = 6
const LEASE_STRETCH = 4
const RTT_GAIN = 1 / 8

/** What carries the frames of one session. None of it throws. */
export type FrameCarrier = {
  send: (frame: Uint8Array, compress: boolean) => void
  bufferedBytes: () => number
  /** In order: what was sent before arrives. */
  close: (reason: string) => void
}

export type ControlSessionOptions = {
  carrier: FrameCarrier
  selfId: string
  peer: TrunkPeer
  direction: 'up' | 'down'
  flow: TrunkFlow
  path: readonly string[]
  tokenKeys: readonly TokenKeyJwk[]
  leaseMs: number
  heartbeatMs: number
  nowMs: number
}

/** The TrunkSession, and what feeds it. */
export class ControlSession implements TrunkSession {
  readonly peer: TrunkPeer
  readonly direction: 'up' | 'down'
  readonly flow: TrunkFlow
  readonly leaseMs: number
  path: readonly string[]
  tokenKeys: readonly TokenKeyJwk[]
  rttMs = 0
  /** Messages of types that only a newer program knows. */
  unknownCount = 0
  onMessage: (message: TrunkMessage) => void = () => {}
  onDatagram: (bytes: Uint8Array) => void = () => {}
  onClosed: (reason: SessionEnd) => void = () => {}
  /** For the owner: the way to the top has changed. */
  onPath: (path: readonly string[]) => void = () => {}
  readonly #carrier: FrameCarrier
  readonly #selfId: string
  readonly #heartbeatMs: number
  #heardMs: number
  #mediaHeardMs = Number.NEGATIVE_INFINITY
  #pingMs: number
  #pingCount = 0
  #isPingOut = false
  #isSlow = false
  #end: SessionEnd | undefined

  constructor(options: ControlSessionOptions) {
    this.peer = options.peer
    this.direction = options.direction
    this.flow = options.flow
    this.leaseMs = options.leaseMs
    this.path = options.path
    this.tokenKeys = options.tokenKeys
    this.#carrier = options.carrier
    this.#selfId = options.selfId
    this.#heartbeatMs = options.heartbeatMs
    this.#heardMs = options.nowMs
    this.#pingMs = Number.NEGATIVE_INFINITY
  }

  get bufferedBytes(): number {
    return this.#carrier.bufferedBytes()
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  /** Why it is over; undefined while it is not. */
  get end(): SessionEnd | undefined {
    return this.#end
  }

  send(message: TrunkMessage): void {
    this.#say(message)
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (this.#end !== undefined || this.bufferedBytes > TRUNK_BUFFERED_BYTES_HIGH) return false
    const frame = new Uint8Array(bytes.length + 1)
    frame[0] = DATAGRAM
    frame.set(bytes, 1)
    this.#carrier.send(frame, false)
    return true
  }

  /** Tells a child that its way to the top has changed. */
  tellPath(path: readonly string[]): void {
    this.#say({ type: 'path', path: [...path] })
  }

  close(reason: SessionEnd): void {
    if (this.#end !== undefined) return
    this.#say({ type: 'end', reason })
    this.#finish(reason)
    this.#carrier.close(reason)
  }

  /** The connection is gone. */
  onLost(): void {
    this.#finish('lost')
  }

  onFrame(frame: Uint8Array, nowMs: number): void {
    if (this.#end !== undefined) return
    this.#heardMs = nowMs
    if (frame[0] === DATAGRAM && frame.length > 1) {
      this.onDatagram(frame.subarray(1))
      return
    }
    const parsed = parseMessage(frame)
    if (parsed.kind === 'malformed') this.close('malformed')
    else if (parsed.kind === 'unknown') this.unknownCount += 1
    else this.#onMessage(parsed.message, nowMs)
  }

  /** Call about four times a heartbeat. */
  tick(nowMs: number): void {
    if (this.#end !== undefined) return
    if (this.#isSlow) this.close('slow-reader')
    else if (this.#isOver(nowMs)) this.close('lease')
    else if (this.direction === 'up' && nowMs - this.#pingMs >= this.#heartbeatMs) this.#ping(nowMs)
  }

  noteMedia(nowMs: number): void {
    this.#mediaHeardMs = nowMs
  }

  /**
   * A long way takes longer to be missed; and while media comes the link is not cut, however long TCP waits for its
   * lost segments: up to LEASE_STRETCH leases.
   */
  #isOver(nowMs: number): boolean {
    const leaseMs = Math.max(this.leaseMs, LEASE_ROUND_TRIPS * this.rttMs)
    const silentMs = nowMs - this.#heardMs
    if (silentMs <= leaseMs) return false
    return nowMs - this.#mediaHeardMs > leaseMs || silentMs > LEASE_STRETCH * leaseMs
  }

  #ping(nowMs: number): void {
    this.#pingMs = nowMs
    this.#pingCount += 1
    this.#isPingOut = true
    this.#say({ type: 'ping', n: this.#pingCount, rttMs: this.rttMs })
  }

  #onMessage(message: AnyMessage, nowMs: number): void {
    switch (message.type) {
      case 'ping':
        // The child measures, and tells: one question serves both.
        if (this.direction === 'down') this.rttMs = message.rttMs
        this.#say({ type: 'pong', n: message.n })
        return
      case 'pong':
        this.#onPong(message.n, nowMs)
        return
      case 'path':
        if (this.direction === 'up') this.#onPath(message.path)
        return
      case 'end':
        this.#onEnd(message.reason)
        return
      case 'token-keys':
        if (this.direction === 'down') return
        this.tokenKeys = message.keys
        this.onMessage(message)
        return
      default:
        this.onMessage(message)
    }
  }

  #onPong(n: number, nowMs: number): void {
    if (n !== this.#pingCount || !this.#isPingOut) return
    this.#isPingOut = false
    const sampleMs = Math.max(0, nowMs - this.#pingMs)
    this.rttMs = this.rttMs === 0 ? sampleMs : this.rttMs + RTT_GAIN * (sampleMs - this.rttMs)
  }

  #onPath(path: readonly string[]): void {
    if (path[0] !== this.peer.nodeId) this.close('malformed')
    else if (path.includes(this.#selfId)) this.close('loop')
    else if (path.length + 1 > TRUNK_DEPTH_MAX) this.close('too-deep')
    else {
      this.path = path
      this.onPath(path)
    }
  }

  #onEnd(reason: string): void {
    const refusal = REFUSAL_REASONS.find((known) => known === reason)
    this.#finish(refusal ?? (reason === 'replaced' ? 'replaced' : 'ended'))
    this.#carrier.close('')
  }

  #say(message: AnyMessage): void {
    if (this.#end !== undefined) return
    for (const frame of writeMessage(message)) this.#carrier.send(frame, true)
    // Ended by the next tick: the caller may be in the middle of something.
    if (this.bufferedBytes > TRUNK_BUFFERED_BYTES_MAX) this.#isSlow = true
  }

  #finish(reason: SessionEnd | RefusalReason): void {
    if (this.#end !== undefined) return
    this.#end = reason
    this.onClosed(reason)
  }
}
