/**
 * The network half of one peer: ICE-lite credentials, the 5-tuples that it proved, and when it was last heard
 * (RFC 8445 §7.3, RFC 7675). Pure state with `nowMs` handed in. Not DTLS, not SRTP.
 */
import { createSecretKey } from 'node:crypto'
import {
  DTLS_DATAGRAMS_PER_S_MAX,
  TUPLE_SILENT_MS,
  TUPLES_PER_TRANSPORT_MAX,
} from '../../config/index.ts'
import type { IceCredentials } from '../media/control.ts'
import type { IceIdentity } from './stun/index.ts'
import type { Tuple } from './udp-mux-tuple.ts'

/** What a valid check leads to beside an answer. */
export type HeardCheck = { nominated: boolean; nowMs: number }

/** Made and forgotten by the mux; its owner reads it. */
export class MuxTransport {
  readonly transportId: number
  /** The owner's small integer for this transport; the mux only carries it. */
  readonly token: number
  readonly openedMs: number
  identity: IceIdentity
  /** Where we send; undefined until the first valid check. */
  selected: Tuple | undefined = undefined
  /** All tuples from which datagrams are taken, at most TUPLES_PER_TRANSPORT_MAX. */
  readonly tuples: Tuple[] = []
  /** DTLS is done and SRTP keys stand. */
  connected = false
  /** Monotonic time of the last authenticated datagram: STUN, SRTP or SRTCP. */
  lastHeardMs: number
  #dtlsSecond = 0
  #dtlsCount = 0

  constructor(open: MuxOpen, nowMs: number) {
    this.transportId = open.transportId
    this.token = open.token
    this.identity = createIdentity(open.iceLocal, open.iceRemote)
    this.openedMs = nowMs
    this.lastHeardMs = nowMs
  }

  /** True when one more DTLS datagram may go to the handshaker in this second. */
  takeDtlsAllowance(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#dtlsSecond) {
      this.#dtlsSecond = second
      this.#dtlsCount = 0
    }
    return ++this.#dtlsCount <= DTLS_DATAGRAMS_PER_S_MAX
  }

  /**
   * A valid check came from `tuple`, which is in `tuples`: nominated, or first, or the one in use has fallen silent
   * (a roamed peer that does not nominate again).
   */
  heardCheck(tuple: Tuple, { nominated, nowMs }: HeardCheck): void {
    const { selected } = this
    if (selected !== undefined && selected !== tuple && !nominated) {
      if (nowMs - selected.lastHeardMs < TUPLE_SILENT_MS) return
    }
    this.selected = tuple
  }

  /** The tuple that must go before one more may come, or undefined while there is room. Never the selected one. */
  tupleToEvict(): Tuple | undefined {
    if (this.tuples.length < TUPLES_PER_TRANSPORT_MAX) return undefined
    let oldest: Tuple | undefined
    for (const tuple of this.tuples) {
      if (tuple === this.selected) continue
      if (oldest === undefined || tuple.lastHeardMs < oldest.lastHeardMs) oldest = tuple
    }
    return oldest
  }

  removeTuple(tuple: Tuple): void {
    const at = this.tuples.indexOf(tuple)
    if (at >= 0) this.tuples.splice(at, 1)
    if (this.selected === tuple) this.selected = undefined
  }
}

export type MuxOpen = {
  transportId: number
  token: number
  iceLocal: IceCredentials
  iceRemote: IceCredentials
}

/** Credentials as the STUN judge wants them; the password becomes a KeyObject once. */
export function createIdentity(local: IceCredentials, remote: IceCredentials): IceIdentity {
  return {
    localUfrag: local.usernameFragment,
    remoteUfrag: remote.usernameFragment,
    key: createSecretKey(local.password, 'utf8'),
  }
}
