/**
 * One media worker without its thread: mux, SRTP, engine and handshaker channel put together, with one deadline for
 * all. Clock, sockets and the way to the main thread are handed in, so that tests run it under a virtual clock. It
 * decides nothing about media; it owns the order in which a transport comes and goes, and the boundary at which a fault
 * of one transport ends that transport alone.
 */
import { FAREWELLS_MAX, WORKER_FAULTS_MAX } from '../../config/index.ts'
import type { DisconnectCause, MediaCommand, MediaReport, TransportSpec } from '../media/control.ts'
import { createDropCounters, DROP_CODE } from '../media/rtp/index.ts'
import type { Clock } from './clock.ts'
import type { HandshakeEvent, HandshakerPort, SrtpKeys } from './dtls/index.ts'
import { Crossing } from './media-worker-crossing.ts'
import type { CreateEngine, MediaEngine } from './media-worker-engine.ts'
import { LatencyHistogram } from './media-worker-latency.ts'
import type { FromWorker, ToWorker } from './media-worker-protocol.ts'
import { SrtpPath } from './media-worker-srtp.ts'
import type { HmacSha1 } from './srtp/index.ts'
import { UdpMux } from './udp-mux.ts'
import { type SendRoute, SlabSender } from './udp-mux-send.ts'
import type { MuxTransport } from './udp-mux-transport.ts'
import type { Tuple, TupleSource } from './udp-mux-tuple.ts'

const DROP_SRTP_MALFORMED = DROP_CODE['srtp-malformed']
const FAULT_WINDOW_MS = 10_000

export type MediaWorkerOptions = {
  clock: Clock
  hmac: HmacSha1
  /** IPv4, then IPv6 where there is any. */
  routes: readonly SendRoute[]
  handshaker: Pick<HandshakerPort, 'open' | 'datagram' | 'close'>
  createEngine: CreateEngine
  /** Uniform unsigned 32-bit integers. */
  randomUint32: () => number
  post: (message: FromWorker) => void
  /** Asks for `onTurnEnd` after the inputs that are already waiting (setImmediate). */
  requestTurnEnd: () => void
}

/** Counters of a worker that are not drops; read by the snapshot. */
export type WorkerTotals = {
  packetsIn: number
  bytesIn: number
  faults: number
  handshakes: number
}

/** One per thread. Its methods throw only when the worker cannot go on (WORKER_FAULTS_MAX). */
export class MediaWorker {
  readonly mux: UdpMux
  readonly out: SlabSender
  readonly latency: LatencyHistogram
  /** Drops of mux, SRTP and this worker, by DropReason code; the engine counts its own. */
  readonly drops = createDropCounters()
  readonly totals: WorkerTotals = { packetsIn: 0, bytesIn: 0, faults: 0, handshakes: 0 }
  readonly engine: MediaEngine
  readonly #options: MediaWorkerOptions
  readonly #clock: Clock
  readonly #srtp: SrtpPath
  readonly #crossing: Crossing
  readonly #reports: MediaReport[] = []
  /** Where the close_notify of transports that have just been closed goes. */
  readonly #farewells = new Map<number, TupleSource>()
  #turnEndRequested = false
  #faultsSinceMs = 0
  #recentFaults = 0

  constructor(options: MediaWorkerOptions) {
    const { clock, hmac, routes, createEngine, randomUint32 } = options
    const { drops } = this
    this.#options = options
    this.#clock = clock
    this.latency = new LatencyHistogram(clock)
    const onSent = (count: number): void => this.latency.sent(count)
    this.out = new SlabSender({ slab: hmac.slab, routes, drops, onSent })
    this.#srtp = new SrtpPath({ hmac, out: this.out, drops })
    this.#crossing = new Crossing({
      engine: () => this.engine,
      nowMs: () => clock.nowMs(),
      onInput: () => this.#requestTurnEnd(),
      drops,
    })
    this.engine = createEngine({
      sink: this.#srtp,
      randomUint32,
      report: (report) => this.#report(report),
      unixMsAtZero: clock.wallMs() - clock.nowMs(),
      upstream: this.#crossing,
    })
    this.mux = new UdpMux(
      {
        onMedia: (tuple, bytes, nowMs) => this.#onMedia(tuple, bytes, nowMs),
        onDtls: (transport, bytes) =>
          this.#options.handshaker.datagram(transport.transportId, bytes),
        onAnswer: (to, bytes) => this.out.sendOwned(bytes, to),
        onRoute: ({ token, selected }) => this.out.routes.set(token, selected),
        onExpired: (transport, cause) => this.#disconnect(transport, cause),
      },
      drops,
    )
  }

  /** @hot One datagram as the socket gave it; the bytes may be written into. */
  onDatagram(bytes: Uint8Array, source: TupleSource): void {
    const nowMs = this.#clock.nowMs()
    this.totals.packetsIn++
    this.totals.bytesIn += bytes.length
    this.latency.begin(nowMs)
    this.mux.onDatagram(bytes, source, nowMs)
    if (!this.#turnEndRequested) this.#requestTurnEnd()
  }

  onMessage(message: Exclude<ToWorker, { type: 'close' | 'handshaker' }>): void {
    this.latency.pause()
    switch (message.type) {
      case 'command':
        this.#guarded(() => this.#onCommand(message.command))
        break
      case 'link':
        this.#guarded(() => this.#crossing.link(message.link))
        break
      case 'unlink':
        this.#guarded(() => this.#crossing.unlink(message.peer))
        break
      case 'export':
        this.#guarded(() => this.#crossing.export(message.publicationId, message.peer))
        break
      case 'unexport':
        this.#guarded(() => this.#crossing.unexport(message.publicationId, message.peer))
        break
      case 'import': {
        const { roomId, publication, peer } = message
        this.#guarded(() => this.#crossing.import(roomId, publication, peer))
      }
    }
    this.#requestTurnEnd()
  }

  onHandshake(event: HandshakeEvent): void {
    const { transportId } = event
    const transport = this.mux.transport(transportId)
    this.latency.pause()
    switch (event.type) {
      case 'send':
        this.#sendDtls(transport, transportId, event.bytes)
        return
      case 'connected':
        if (transport !== undefined) this.#guarded(() => this.#onKeys(transport, event.keys))
        break
      case 'refused':
        this.#note('info', 'handshake refused', { transportId, reason: event.reason })
        if (transport !== undefined) this.#end(transport, 'handshake-refused')
        break
      case 'closed':
        if (transport !== undefined) this.#end(transport, 'peer-closed')
    }
    this.#requestTurnEnd()
  }

  /** After a burst of inputs: sends what waits for company, and hands the reports over. */
  onTurnEnd(): void {
    this.#turnEndRequested = false
    this.#srtp.flush()
    this.latency.pause()
    if (this.#reports.length === 0) return
    this.#options.post({ type: 'reports', reports: this.#reports.splice(0) })
  }

  /** When `onDeadline` wants to be called next; Infinity when nothing is due. */
  nextDeadlineMs(): number {
    return Math.min(this.engine.nextDeadlineMs(), this.mux.nextDeadlineMs())
  }

  onDeadline(): void {
    const nowMs = this.#clock.nowMs()
    this.latency.pause()
    this.#guarded(() => this.mux.onDeadline(nowMs))
    this.#guarded(() => {
      if (this.engine.nextDeadlineMs() <= nowMs) this.engine.onDeadline(nowMs)
    })
    this.onTurnEnd()
  }

  /** Ends every transport with a close_notify where there is a session, and the ways to other workers. */
  close(): void {
    for (const transport of this.mux.transports()) this.#end(transport, 'closed')
    this.onTurnEnd()
    this.#crossing.close()
  }

  #onCommand(command: MediaCommand): void {
    const nowMs = this.#clock.nowMs()
    switch (command.type) {
      case 'open':
        this.#open(command.spec, nowMs)
        return
      case 'restart':
        this.mux.restart(command.transportId, command.iceLocal, command.iceRemote)
        this.engine.command(command, nowMs)
        return
      case 'close': {
        const transport = this.mux.transport(command.transportId)
        if (transport !== undefined) this.#end(transport, 'closed')
        return
      }
      case 'forget':
        this.#crossing.forget(command.publicationId)
        this.engine.command(command, nowMs)
        return
      case 'permit':
      case 'mute':
      case 'assign':
      case 'view':
      case 'import':
      case 'request-stats':
        this.engine.command(command, nowMs)
    }
  }

  #open(spec: TransportSpec, nowMs: number): void {
    const { transportId, iceLocal, iceRemote } = spec
    this.engine.command({ type: 'open', spec }, nowMs)
    const token = this.engine.transportIndex(transportId)
    // Refused for want of room: the engine has reported it.
    if (token < 0) return
    const outcome = this.mux.open({ transportId, token, iceLocal, iceRemote }, nowMs)
    if (outcome === 'opened') {
      this.#options.handshaker.open(transportId, spec.fingerprints)
      return
    }
    this.#note('warn', 'transport not admitted', { transportId, outcome })
    this.engine.disconnected(token, 'never-connected', nowMs)
  }

  #onKeys(transport: MuxTransport, keys: SrtpKeys): void {
    // One association per transport for life: a second set of keys would begin the keystream anew.
    if (transport.connected) return
    if (!this.#srtp.secure(transport, keys)) {
      this.#note('error', 'no room for SRTP keys', { transportId: transport.transportId })
      this.#end(transport, 'worker-failed')
      return
    }
    this.totals.handshakes++
    this.mux.markConnected(transport)
    const nowMs = this.#clock.nowMs()
    this.mux.heardPeer(transport, nowMs)
    try {
      this.engine.connected(transport.token, nowMs)
    } catch (error) {
      this.#onFault(error, transport)
    }
  }

  /** @hot */
  #onMedia(tuple: Tuple, bytes: Uint8Array, nowMs: number): void {
    const { token } = tuple.transport
    const receiver = this.#srtp.receiver(token)
    if (receiver === undefined || bytes.length < 2) {
      this.drops[DROP_SRTP_MALFORMED]!++
      return
    }
    // RTCP packet types 192..223 share the port with RTP (RFC 5761 §4).
    const second = bytes[1]!
    const rtcp = second >= 192 && second <= 223
    try {
      const end = rtcp
        ? receiver.openRtcp(bytes, 0, bytes.length)
        : receiver.openRtp(bytes, 0, bytes.length)
      if (end < 0) return
      this.mux.heard(tuple, nowMs)
      if (rtcp) this.engine.onRtcp(token, bytes, 0, end, nowMs)
      else this.engine.onRtp(token, bytes, 0, end, nowMs)
    } catch (error) {
      this.#onFault(error, tuple.transport)
    }
  }

  #sendDtls(transport: MuxTransport | undefined, transportId: number, bytes: Uint8Array): void {
    const to = transport === undefined ? this.#farewells.get(transportId) : transport.selected
    this.#farewells.delete(transportId)
    if (to !== undefined) this.out.sendOwned(bytes, to)
  }

  /** The handshaker will say close_notify when the mux has forgotten where to. The oldest gives way. */
  #expectFarewell(transportId: number, { address, port, family }: Tuple): void {
    if (this.#farewells.size >= FAREWELLS_MAX) {
      for (const oldest of this.#farewells.keys()) {
        this.#farewells.delete(oldest)
        break
      }
    }
    this.#farewells.set(transportId, { address, port, family })
  }

  /** Ends a transport that the mux still knows. */
  #end(transport: MuxTransport, cause: DisconnectCause): void {
    const { selected, transportId, connected } = transport
    if (selected !== undefined && connected) this.#expectFarewell(transportId, selected)
    // What was sealed for it goes out while the mux still knows where to.
    this.#srtp.flush()
    this.mux.close(transportId)
    this.#disconnect(transport, cause)
  }

  /** The rest of the end, in this order: nothing may be sealed once its keys are gone. */
  #disconnect(transport: MuxTransport, cause: DisconnectCause): void {
    const { transportId, token } = transport
    try {
      this.engine.disconnected(token, cause, this.#clock.nowMs())
    } finally {
      this.#srtp.remove(token)
      this.#options.handshaker.close(transportId)
    }
  }

  /** A fault of ours while one transport was served: that one ends, the others go on. */
  #onFault(error: unknown, transport: MuxTransport): void {
    this.#countFault(error, transport.transportId)
    this.#end(transport, 'worker-failed')
  }

  /** For inputs that belong to no transport alone. Beyond WORKER_FAULTS_MAX in ten seconds the worker gives up. */
  #guarded(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#countFault(error, 0)
      const nowMs = this.#clock.nowMs()
      if (nowMs - this.#faultsSinceMs > FAULT_WINDOW_MS) {
        this.#faultsSinceMs = nowMs
        this.#recentFaults = 0
      }
      if (++this.#recentFaults > WORKER_FAULTS_MAX) throw error
    }
  }

  #countFault(error: unknown, transportId: number): void {
    this.totals.faults++
    // The stack names our code only; messages of our assertions hold no peers' bytes.
    const stack = error instanceof Error ? (error.stack ?? error.message) : 'not an Error'
    this.#note('error', 'fault in a media worker', { transportId, stack })
  }

  #report(report: MediaReport): void {
    this.#reports.push(report)
    this.#requestTurnEnd()
  }

  #note(
    level: 'info' | 'warn' | 'error',
    message: string,
    fields: Record<string, number | string>,
  ): void {
    this.#options.post({ type: 'note', level, message, fields })
  }

  #requestTurnEnd(): void {
    if (this.#turnEndRequested) return
    this.#turnEndRequested = true
    this.#options.requestTurnEnd()
  }
}
