/**
 * One WebSocket as the sessions see it: decoding with bounds, rate, and what happens when the peer
 * does not read. It knows nothing of rooms.
 */

import {
  MESSAGE_BYTES_MAX,
  MESSAGES_BURST_MAX,
  MESSAGES_PER_S_MAX,
  REFUSALS_PER_MIN_MAX,
  SESSION_BUFFERED_BYTES_MAX,
  STATISTICS_BUFFERED_BYTES_MAX,
} from '../../config/index.ts'
import type { DoorSocket } from '../door.ts'
import {
  CLOSE_OVERLOADED,
  type ClientMessage,
  type Codec,
  closeCodeFor,
  type ErrorCode,
  parseClientMessage,
  type Refusal,
  type ServerMessage,
} from '../protocol/index.ts'
import type { DoorCounters } from './counters.ts'
import { Outgoing } from './outgoing.ts'
import { Bucket } from './rate-limit.ts'
import { type ConnectionState, mayAsk } from './states.ts'

export type ConnectionOptions = {
  /** Unique within a run. */
  id: number
  socket: DoorSocket
  codec: Codec
  counters: DoorCounters
  nowMs: number
}

/** Owned by the hub from open to close. */
export class Connection {
  readonly id: number
  readonly openedMs: number
  state: ConnectionState = 'waiting-join'
  /** Requests that wait for an answer of the conference. */
  inFlight = 0
  readonly #socket: DoorSocket
  readonly #codec: Codec
  readonly #counters: DoorCounters
  readonly #bucket: Bucket
  /** What may still be refused before the connection ends: a long session with a slip now and then goes on. */
  readonly #patience: Bucket

  constructor({ id, socket, codec, counters, nowMs }: ConnectionOptions) {
    this.id = id
    this.openedMs = nowMs
    this.#socket = socket
    this.#codec = codec
    this.#counters = counters
    this.#bucket = new Bucket({ perS: MESSAGES_PER_S_MAX, burst: MESSAGES_BURST_MAX }, nowMs)
    this.#patience = new Bucket(
      { perS: REFUSALS_PER_MIN_MAX / 60, burst: REFUSALS_PER_MIN_MAX },
      nowMs,
    )
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress
  }

  /** Sends unless closed. A slow reader loses statistics first, then the connection. */
  send(out: Outgoing | ServerMessage): void {
    if (this.state === 'closed') return
    const outgoing = out instanceof Outgoing ? out : new Outgoing(out)
    const bufferedBytes = this.#socket.bufferedBytes()
    if (bufferedBytes > SESSION_BUFFERED_BYTES_MAX) {
      this.#counters.slowReaders++
      this.close(CLOSE_OVERLOADED, 'slow reader')
      return
    }
    if (outgoing.isStatistics && bufferedBytes > STATISTICS_BUFFERED_BYTES_MAX) {
      this.#counters.statisticsDropped++
      return
    }
    this.#counters.messagesOut++
    this.#socket.send(outgoing.frame(this.#codec))
  }

  /** A refusal of one request. `fatal` only announces; closing is `end`. */
  refuse(ref: number | undefined, refusal: Refusal, fatal = false): void {
    this.#counters.refused(refusal.code)
    const { code, message } = refusal
    this.send({ type: 'error', ...(ref === undefined ? {} : { ref }), code, message, fatal })
  }

  /** Says why, then closes. */
  end(code: ErrorCode, message: string): void {
    this.send({ type: 'bye', code, message })
    this.close(closeCodeFor(code), code)
  }

  /** Closes without a word. */
  close(code: number, reason: string): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#socket.close(code, reason)
  }

  /**
   * A frame from the peer as a message that may be asked now; undefined when it was refused here.
   * Too many refused ones end the connection.
   */
  receive(data: Uint8Array, binary: boolean, nowMs: number): ClientMessage | undefined {
    if (this.state === 'closed') return undefined
    this.#counters.messagesIn++
    if (!this.#bucket.take(nowMs)) {
      this.#refuseOften({ code: 'rate-limited', message: 'too many messages' }, nowMs)
      return undefined
    }
    const parsed = parseClientMessage(this.#codec.decode(data, binary))
    if (!parsed.ok) {
      this.#refuseOften({ code: 'bad-message', message: parsed.problem }, nowMs, parsed.ref)
      return undefined
    }
    const { message } = parsed
    if (data.byteLength > MESSAGE_BYTES_MAX && message.type !== 'offer') {
      this.end('too-large', 'only an offer may be this large')
      return undefined
    }
    if (!mayAsk(this.state, message.type)) {
      this.#refuseOften(
        { code: 'bad-state', message: `not while ${this.state}` },
        nowMs,
        message.ref,
      )
      return undefined
    }
    return message
  }

  #refuseOften(refusal: Refusal, nowMs: number, ref?: number): void {
    if (this.#patience.take(nowMs)) this.refuse(ref, refusal)
    else this.end(refusal.code, refusal.message)
  }
}
