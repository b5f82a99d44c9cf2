/**
 * The trunk thread without its thread: UDP and WebSocket datagrams in and out under SRTP, all `TrunkEnd`s, the router
 * between them and the rings to the media workers, with one deadline for all. Clock, sockets and the way to the main
 * thread are handed in. What a datagram must be to be heard: an SSRC of ours, a right tag, an index that is new; all
 * others are counted and change nothing.
 */
import { MEDIA_DATAGRAM_BYTES_MAX, TRUNK_SILENT_MS, TRUNKS_MAX } from '../../config/limits.ts'
import {
  type Clock,
  createSrtpReceiver,
  type HmacSha1,
  parseIpOctets,
  type SendRoute,
  type SrtpReceiver,
  socketAddress,
  type TupleSource,
} from '../../core/io/carriers.ts'
import type { MediaReport } from '../../core/media/control.ts'
import { createDropCounters, DROP_CODE } from '../../core/media/rtp/index.ts'
import type { FromTrunkThread, ToTrunkThread, TrunkFlow } from '../media-port.ts'
import { Router } from '../router/index.ts'
import type { TrunkEnd, TrunkEndOptions } from '../trunk/contract.ts'
import { Flow } from './trunk-flow.ts'
import { Sealing } from './trunk-sealing.ts'
import type { FromThread, NoteFields, ToThread } from './trunk-thread-protocol.ts'
import { WorkerWays } from './trunk-workers.ts'

const DROP_UNKNOWN = DROP_CODE['trunk-unknown']
const DROP_EMPTY = DROP_CODE['datagram-empty']
const DROP_TOO_LARGE = DROP_CODE['media-too-large']
const AUTH_FAILED = -DROP_CODE['srtp-auth-failed']
const REPORT_MS = 1_000
const HEARD_CHECK_MS = 500
/** RTP header, a tag, and something between. */
const DATAGRAM_BYTES_MIN = 23

export type TrunkCarrierOptions = {
  clock: Clock
  hmac: HmacSha1
  /** IPv4, then IPv6 where there is any. */
  routes: readonly SendRoute[]
  createEnd: (options: TrunkEndOptions) => TrunkEnd
  /** Uniform unsigned 32-bit integers. */
  randomUint32: () => number
  post: (message: FromThread) => void
  /** Asks for `onTurnEnd` after the inputs that are already waiting (setImmediate). */
  requestTurnEnd: () => void
}

/** One per thread. Unknown trunks are ignored: messages cross on the way. */
export class TrunkCarrier {
  readonly drops = createDropCounters()
  readonly totals = { receivedPackets: 0, receivedBytes: 0, faults: 0, roamsEnded: 0 }
  readonly router: Router
  readonly sealing: Sealing
  readonly #options: TrunkCarrierOptions
  readonly #clock: Clock
  readonly #workers: WorkerWays
  readonly #flows: (Flow | undefined)[] = []
  readonly #byId = new Map<number, Flow>()
  readonly #bySsrc = new Map<number, Flow>()
  readonly #failed: Flow[] = []
  readonly #reports: MediaReport[] = []
  readonly #tunnelSource: TupleSource = { address: '', port: 0, family: 0 }
  #turnEndRequested = false
  #reportMs = Number.POSITIVE_INFINITY
  #heardCheckMs = Number.POSITIVE_INFINITY

  constructor(options: TrunkCarrierOptions) {
    const { clock, hmac, routes } = options
    const { drops } = this
    this.#options = options
    this.#clock = clock
    this.#workers = new WorkerWays({
      router: () => this.router,
      nowMs: () => clock.nowMs(),
      onInput: () => this.#requestTurnEnd(),
    })
    this.router = new Router({
      workers: this.#workers,
      drops,
      report: (report) => {
        this.#reports.push(report)
        this.#requestTurnEnd()
      },
    })
    this.sealing = new Sealing({
      hmac,
      routes,
      drops,
      nowMs: () => clock.nowMs(),
      flowOf: (token) => this.#flows[token],
      onTunnel: ({ trunkId }, slab, start, end) =>
        this.#post({ type: 'tunnel-out', trunkId, bytes: slab.slice(start, end) }),
    })
  }

  get trunkCount(): number {
    return this.#byId.size
  }

  get roams(): number {
    let roams = this.totals.roamsEnded
    for (const { path } of this.#byId.values()) roams += path.roams
    return roams
  }

  /** @hot One datagram as the socket gave it; the bytes may be written into. */
  onDatagram(bytes: Uint8Array, source: TupleSource): void {
    this.totals.receivedPackets++
    this.totals.receivedBytes += bytes.length
    const flow = this.#flowOf(bytes)
    if (flow !== undefined) this.#open(flow, bytes, source)
  }

  onMessage(message: Exclude<ToThread, { type: 'close' }>): void {
    switch (message.type) {
      case 'link':
        this.#workers.link(message.link)
        break
      case 'unlink':
        this.#workers.unlink(message.peer)
        break
      case 'export':
        this.router.export(message.publicationId, message.peer)
        break
      case 'unexport':
        this.router.unexport(message.publicationId, message.peer)
        break
      case 'import':
        this.router.import(message.publication.publicationId, message.peer)
        break
      case 'command':
        this.router.forget(message.command.publicationId)
        break
      default:
        this.#onTrunkMessage(message)
    }
    this.#requestTurnEnd()
  }

  /** After a burst of inputs: sends what waits for company, and hands over what is to be told. */
  onTurnEnd(): void {
    this.#turnEndRequested = false
    for (const flow of this.#failed.splice(0)) this.#end(flow, 'fault')
    this.sealing.flush()
    if (this.#reports.length > 0) {
      this.#post({ type: 'reports', reports: this.#reports.splice(0) })
    }
  }

  /** When `onDeadline` wants to be called next; Infinity when nothing is due. */
  nextDeadlineMs(): number {
    let nextMs = Math.min(this.router.nextDeadlineMs(), this.#reportMs, this.#heardCheckMs)
    for (let token = 0; token < this.#flows.length; token++) {
      const flow = this.#flows[token]
      if (flow !== undefined) nextMs = Math.min(nextMs, flow.nextDeadlineMs())
    }
    return nextMs
  }

  onDeadline(): void {
    const nowMs = this.#clock.nowMs()
    for (let token = 0; token < this.#flows.length; token++) {
      const flow = this.#flows[token]
      if (flow !== undefined && flow.nextDeadlineMs() <= nowMs) flow.onDeadline(nowMs)
    }
    if (this.router.nextDeadlineMs() <= nowMs) this.router.onDeadline(nowMs)
    if (this.#heardCheckMs <= nowMs) this.#checkHeard(nowMs)
    if (this.#reportMs <= nowMs) this.#report(nowMs)
    this.onTurnEnd()
  }

  /** Ends every trunk and the ways to the workers. */
  close(): void {
    for (const flow of [...this.#byId.values()]) this.#end(flow, undefined)
    this.onTurnEnd()
    this.#workers.close()
  }

  #onTrunkMessage(message: ToTrunkThread): void {
    switch (message.type) {
      case 'open-trunk':
        this.#openTrunk(message.flow)
        return
      case 'close-trunk': {
        const flow = this.#byId.get(message.trunkId)
        if (flow !== undefined) this.#end(flow, undefined)
        return
      }
      case 'offer': {
        const { trunkId, publicationId, spec, place } = message
        this.router.offer(trunkId, publicationId, { spec, place })
        return
      }
      case 'withdraw':
        this.router.withdraw(message.trunkId, message.streamId)
        return
      case 'expect':
        this.router.expect(message.trunkId, message.publicationId, message.spec)
        return
      case 'unexpect':
        this.router.unexpect(message.trunkId, message.streamId)
        return
      case 'tunnelled':
        this.#onTunnelled(message.trunkId, message.bytes)
        return
      case 'tunnel':
        this.#byId.get(message.trunkId)?.path.force(message.on)
        return
      case 'saturate':
        this.#byId.get(message.trunkId)?.saturate(this.#clock.nowMs() + message.forMs)
    }
  }

  /** Takes the keys and wipes them. */
  #openTrunk(flow: TrunkFlow): void {
    const { trunkId, send, receive } = flow
    const isTaken = this.#byId.has(trunkId) || this.#bySsrc.has(receive.ssrc)
    const opened = isTaken ? undefined : this.#createFlow(flow)
    for (const { key, salt } of [send.master, receive.master]) {
      key.fill(0)
      salt.fill(0)
    }
    if (opened !== undefined) this.#begin(opened, send.ssrc)
    else this.#post({ type: 'trunk-ended', trunkId, reason: isTaken ? 'taken' : 'full' })
  }

  #createFlow(flow: TrunkFlow): Flow | undefined {
    const { send, remote } = flow
    const token = this.#freeToken()
    if (token < 0) return undefined
    const receiver = this.#createReceiver(flow)
    if (receiver === undefined) return undefined
    const handles = this.sealing.open(send.master, token, send.ssrc)
    if (handles === undefined) {
      receiver.close()
      return undefined
    }
    const [context, stream] = handles
    const tuple = remote === undefined ? undefined : tupleOf(remote)
    const onFault = (failed: Flow, error: unknown): void => this.#onFault(failed, error)
    return new Flow({ flow, token, remote: tuple, receiver, context, stream, onFault })
  }

  #begin(flow: Flow, sendSsrc: number): void {
    const { trunkId, token } = flow
    const nowMs = this.#clock.nowMs()
    this.#flows[token] = flow
    this.#byId.set(trunkId, flow)
    this.#bySsrc.set(flow.receiveSsrc, flow)
    this.sealing.out.routes.set(token, flow.path.remote)
    this.router.addTrunk(trunkId, flow)
    const { createEnd, randomUint32 } = this.#options
    flow.begin(
      createEnd({
        ssrc: sendSsrc,
        randomUint32,
        nowMs,
        outlet: {
          datagram: (bytes, start, end, index) => {
            this.sealing.seal(flow, bytes, start, end, index)
            this.#requestTurnEnd()
          },
          frame: (streamId, bytes, start, end) => {
            this.router.onTrunkFrame(trunkId, streamId, bytes, start, end, this.#clock.nowMs())
            this.#requestTurnEnd()
          },
          wanted: (streamId, layerMask) => this.router.onTrunkWant(trunkId, streamId, layerMask),
          keyframeWanted: (streamId, layer) =>
            this.router.onTrunkKeyframe(trunkId, streamId, layer, this.#clock.nowMs()),
        },
      }),
    )
    this.#reportMs = Math.min(this.#reportMs, nowMs + REPORT_MS)
    this.#heardCheckMs = Math.min(this.#heardCheckMs, nowMs + HEARD_CHECK_MS)
  }

  #freeToken(): number {
    for (let token = 0; token < TRUNKS_MAX; token++) {
      if (this.#flows[token] === undefined) return token
    }
    return -1
  }

  #createReceiver({ receive }: TrunkFlow): SrtpReceiver | undefined {
    try {
      const { hmac } = this.#options
      return createSrtpReceiver({ hmac, master: receive.master, drops: this.drops })
    } catch {
      return undefined
    }
  }

  /** @hot By the SSRC, which stands in clear (RFC 3711 §3.1). */
  #flowOf(bytes: Uint8Array): Flow | undefined {
    if (bytes.length < DATAGRAM_BYTES_MIN) {
      this.drops[DROP_EMPTY]!++
      return undefined
    }
    if (bytes.length > MEDIA_DATAGRAM_BYTES_MAX) {
      this.drops[DROP_TOO_LARGE]!++
      return undefined
    }
    const high = (bytes[8]! << 24) | (bytes[9]! << 16)
    const flow = this.#bySsrc.get((high | (bytes[10]! << 8) | bytes[11]!) >>> 0)
    if (flow === undefined) this.drops[DROP_UNKNOWN]!++
    return flow
  }

  #onTunnelled(trunkId: number, bytes: Uint8Array): void {
    this.totals.receivedPackets++
    this.totals.receivedBytes += bytes.length
    const flow = this.#flowOf(bytes)
    if (flow === undefined) return
    // Each WebSocket speaks for its own trunk alone.
    if (flow.trunkId === trunkId) this.#open(flow, bytes, this.#tunnelSource)
    else this.drops[DROP_UNKNOWN]!++
  }

  /** @hot */
  #open(flow: Flow, bytes: Uint8Array, source: TupleSource): void {
    const { receiver } = flow
    const end = receiver.openRtp(bytes, 0, bytes.length)
    if (end < 0) {
      if (end === AUTH_FAILED) flow.droppedForged++
      return
    }
    const nowMs = this.#clock.nowMs()
    const { index } = receiver
    const isNewest = index > flow.newestIndex
    if (isNewest) flow.newestIndex = index
    this.#heard(flow, source, isNewest, nowMs)
    flow.onDatagram(bytes, 0, end, index, nowMs)
    if (!this.#turnEndRequested) this.#requestTurnEnd()
  }

  /** @hot */
  #heard(flow: Flow, source: TupleSource, isNewest: boolean, nowMs: number): void {
    const { path } = flow
    flow.heardMs = nowMs
    if (!flow.isHeardTold) this.#tellHeard(flow, true)
    if (source === this.#tunnelSource) {
      path.heardTunnel(isNewest, nowMs)
      return
    }
    const before = path.remote
    path.heardUdp(source, isNewest, nowMs, tupleOf)
    if (path.remote !== before) this.sealing.out.routes.set(flow.token, path.remote)
  }

  #tellHeard(flow: Flow, heard: boolean): void {
    flow.isHeardTold = heard
    this.#post({ type: 'trunk-heard', trunkId: flow.trunkId, heard })
  }

  #checkHeard(nowMs: number): void {
    for (const flow of this.#byId.values()) {
      if (flow.isHeardTold && nowMs - flow.heardMs >= TRUNK_SILENT_MS) this.#tellHeard(flow, false)
    }
    this.#heardCheckMs = this.#byId.size > 0 ? nowMs + HEARD_CHECK_MS : Number.POSITIVE_INFINITY
  }

  #report(nowMs: number): void {
    for (const flow of this.#byId.values()) {
      const { trunkId, droppedForged, path } = flow
      const report = flow.tryReport(nowMs)
      if (report === undefined) continue
      this.#post({ type: 'trunk-report', trunkId, report, droppedForged, path: path.name })
    }
    this.#reportMs = this.#byId.size > 0 ? nowMs + REPORT_MS : Number.POSITIVE_INFINITY
  }

  #onFault({ trunkId }: Flow, error: unknown): void {
    this.totals.faults++
    // The stack names our code only.
    const stack = error instanceof Error ? (error.stack ?? error.message) : 'not an Error'
    this.#note('error', 'fault in a trunk', { trunkId, stack })
    const flow = this.#byId.get(trunkId)
    if (flow !== undefined) this.#failed.push(flow)
    this.#requestTurnEnd()
  }

  /** What was sealed for it goes out while its keys and its way are known. */
  #end(flow: Flow, reason: 'fault' | undefined): void {
    const { trunkId, token } = flow
    if (this.#byId.get(trunkId) !== flow) return
    this.router.removeTrunk(trunkId)
    this.sealing.close(flow.context)
    this.sealing.out.routes.set(token, undefined)
    flow.receiver.close()
    this.#flows[token] = undefined
    this.#byId.delete(trunkId)
    this.#bySsrc.delete(flow.receiveSsrc)
    this.totals.roamsEnded += flow.path.roams
    if (reason !== undefined) this.#post({ type: 'trunk-ended', trunkId, reason })
  }

  #note(level: 'info' | 'warn' | 'error', message: string, fields: NoteFields): void {
    this.#post({ type: 'note', level, message, fields })
  }

  #post(message: FromThread | FromTrunkThread): void {
    this.#options.post(message)
  }

  #requestTurnEnd(): void {
    if (this.#turnEndRequested) return
    this.#turnEndRequested = true
    this.#options.requestTurnEnd()
  }
}

/** A copy that the sockets can send to: what the socket calls us with is reused. */
function tupleOf({ address, port }: { address: string; port: number }): TupleSource {
  const plain = address.replace(/^::ffff:(?=[0-9.]+$)/i, '')
  const family = plain.includes(':') ? 1 : 0
  const octets = parseIpOctets(plain)
  // Names are not looked up: as good as an upstream that takes no UDP.
  if (octets === undefined) return { address: plain, port: 0, family }
  // A link-local address has a zone that only dgram resolves.
  const encoded = plain.includes('%') ? undefined : socketAddress(octets, port)
  return { address: plain, port, family, socketAddress: encoded }
}
