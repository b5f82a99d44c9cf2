/** Two trunk carriers under a virtual clock, with a network between them that the test rules. Not shipped. */
import { createHmacSha1, type SrtpMaster } from '../../core/io/carriers.ts'
import type { TrunkFlow } from '../media-port.ts'
import { PlainTrunkEnd } from './plain-trunk-end.fixture.ts'
import { TrunkCarrier } from './trunk-carrier.ts'
import type { FromThread } from './trunk-thread-protocol.ts'

export const CHILD = { address: '10.0.0.2', port: 5_000, family: 0 as const }
export const CORE = { address: '10.0.0.1', port: 41_000, family: 0 as const }
const CHILD_SSRC = 0xc0000001
const CORE_SSRC = 0xc0000002

export function masterOf(seed: number): SrtpMaster {
  return {
    profile: 'aes-cm',
    key: Uint8Array.from({ length: 16 }, (_, i) => (seed * 37 + i) & 255),
    salt: Uint8Array.from({ length: 14 }, (_, i) => (seed * 59 + i) & 255),
  }
}

/** Both ends of trunk 1, with fresh copies of the keys. */
export function flowsOf(remote: { address: string; port: number }): {
  child: TrunkFlow
  core: TrunkFlow
} {
  return {
    child: {
      trunkId: 1,
      send: { ssrc: CHILD_SSRC, master: masterOf(1) },
      receive: { ssrc: CORE_SSRC, master: masterOf(2) },
      remote: { address: remote.address, port: remote.port },
    },
    core: {
      trunkId: 1,
      send: { ssrc: CORE_SSRC, master: masterOf(2) },
      receive: { ssrc: CHILD_SSRC, master: masterOf(1) },
    },
  }
}

type Datagram = { bytes: Uint8Array; address: string; port: number }

/** One carrier; what it sends lies in `sent` until it is taken. */
export class Node {
  readonly sent: Datagram[] = []
  readonly told: FromThread[] = []
  readonly carrier: TrunkCarrier
  nowMs = 1_000
  #turnEndAsked = false

  constructor() {
    const socket = {
      send: (bytes: Uint8Array, port: number, address: string) => {
        this.sent.push({ bytes: bytes.slice(), port, address })
      },
      getSendQueueCount: () => 0,
    }
    this.carrier = new TrunkCarrier({
      clock: { nowMs: () => this.nowMs, wallMs: () => this.nowMs },
      hmac: createHmacSha1(),
      routes: [{ socket }],
      createEnd: (options) => new PlainTrunkEnd(options),
      randomUint32: () => 7,
      post: (message) => this.told.push(message),
      requestTurnEnd: () => {
        this.#turnEndAsked = true
      },
    })
  }

  /** Sends what waits; what went out since. */
  take(): Datagram[] {
    if (this.#turnEndAsked) this.carrier.onTurnEnd()
    this.#turnEndAsked = false
    return this.sent.splice(0)
  }

  takeTold<T extends FromThread['type']>(type: T): Extract<FromThread, { type: T }>[] {
    const found = this.told.filter((message) => message.type === type)
    for (const message of found) this.told.splice(this.told.indexOf(message), 1)
    return found as Extract<FromThread, { type: T }>[]
  }

  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    while (this.carrier.nextDeadlineMs() <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.carrier.nextDeadlineMs())
      this.carrier.onDeadline()
    }
    this.nowMs = untilMs
  }
}
