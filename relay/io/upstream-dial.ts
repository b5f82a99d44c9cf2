/**
 * The way up: dials the upstream's door, proves who we are, hands out the session, and dials again for ever.
 * No certificate authority is asked: the upstream's key is pinned, and signs the very certificate that we see
 * (ADR 14).
 */
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { WebSocket } from 'ws'
import {
  DOOR_CLOSE_MS,
  TRUNK_DIAL_MS_MAX,
  TRUNK_MESSAGE_BYTES_MAX,
  TRUNK_REDIAL_MS_MAX,
  TRUNK_REDIAL_MS_MIN,
  TRUNK_TICK_MS,
} from '../../config/index.ts'
import type { Clock, Log } from '../../core/io/index.ts'
import {
  ChildHandshake,
  type ChildStep,
  ControlSession,
  type Signer,
  type TrunkNumbers,
  type TrunkSession,
  type Welcomed,
} from '../control/index.ts'
import { enrolmentKeysOf, parseEnrolmentCode, primitives } from '../identity/index.ts'
import { TRUNK_SUBPROTOCOL } from './child-socket.ts'
import { fingerprintOfPeer } from './tls-fingerprint.ts'
import type { TrunkSelf, Upstream } from './upstream-contract.ts'

export type UpstreamOptions = {
  url: string
  self: TrunkSelf
  signer: Signer
  /** Number of this start (relay/identity `nextEpoch`). */
  epoch: number
  /** The enrolment code as long as it was not used. */
  code: string | null
  /** Where its media goes instead of the port that the upstream names; 0 = as it names. */
  mediaPort: number
  isPinned: (parentKey: Uint8Array) => boolean
  /** The first welcome that a code has brought: keep the key, forget the code. */
  onEnrolled: (parentKey: Uint8Array) => void
  numbers: TrunkNumbers
  clock: Clock
  log: Log
  /** Uniform in [0, 1). */
  random: () => number
  /** Sets the session's callbacks before it returns. */
  onSession: (session: TrunkSession) => void
  /** From the upstream to the top, whenever it is told. For the door of our own children. */
  onPath: (path: readonly string[]) => void
}

/** Starts at once; never rejects and never gives up. */
export function dialUpstream(options: UpstreamOptions): Upstream {
  return new UpstreamDialer(options)
}

class UpstreamDialer implements Upstream {
  readonly url: string
  failure: Upstream['failure']
  readonly #options: UpstreamOptions
  readonly #instance = primitives.randomBytes(16)
  readonly #ticker: NodeJS.Timeout
  #code: string | null
  #socket: WebSocket | undefined
  #session: ControlSession | undefined
  #redial: NodeJS.Timeout | undefined
  #attempts = 0
  #isClosed = false

  constructor(options: UpstreamOptions) {
    this.url = options.url
    this.#options = options
    this.#code = options.code
    this.#ticker = setInterval(() => this.#session?.tick(options.clock.nowMs()), TRUNK_TICK_MS)
    this.#dial()
  }

  get session(): TrunkSession | undefined {
    return this.#session?.isOpen === true ? this.#session : undefined
  }

  tryNow(): void {
    if (this.#redial === undefined) return
    clearTimeout(this.#redial)
    this.#redial = undefined
    this.#attempts = 0
    this.#dial()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#ticker)
    clearTimeout(this.#redial)
    const socket = this.#socket
    this.#session?.close('closed')
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return
    const gone = new Promise((resolve) => socket.once('close', resolve))
    if (this.#session === undefined) socket.terminate()
    const cut = setTimeout(() => socket.terminate(), DOOR_CLOSE_MS)
    await gone
    clearTimeout(cut)
  }

  #dial(): void {
    const socket = new WebSocket(this.url, [TRUNK_SUBPROTOCOL], {
      // Who it is, is proven by the pinned key over the fingerprint of this certificate: stricter than any authority.
      rejectUnauthorized: false,
      perMessageDeflate: { clientNoContextTakeover: true, serverNoContextTakeover: true },
      maxPayload: TRUNK_MESSAGE_BYTES_MAX,
      handshakeTimeout: TRUNK_DIAL_MS_MAX,
      followRedirects: false,
    })
    this.#socket = socket
    const attempt = new Attempt(this.#options, {
      socket,
      code: this.#code,
      instance: this.#instance,
    })
    const late = setTimeout(() => {
      if (attempt.session !== undefined) return
      attempt.failure ??= {
        reason: 'timeout',
        detail: `nothing came of it in ${TRUNK_DIAL_MS_MAX} ms`,
      }
      socket.terminate()
    }, TRUNK_DIAL_MS_MAX)
    attempt.onWelcome = (session, welcomed) => {
      clearTimeout(late)
      this.#onWelcome(session, welcomed)
    }
    socket.on('close', () => {
      clearTimeout(late)
      this.#onGone(attempt)
    })
  }

  #onWelcome(session: ControlSession, { parent, welcome }: Welcomed): void {
    const { log, onEnrolled, onPath, onSession, epoch } = this.#options
    this.#session = session
    this.failure = undefined
    this.#attempts = 0
    if (this.#code !== null) {
      this.#code = null
      onEnrolled(parent.key)
    }
    const told = { event: 'upstream', upstream: parent.name, nodeId: parent.nodeId, epoch }
    log.info({ ...told, calledHere: welcome.name }, 'connected to the upstream')
    session.onPath = onPath
    onPath(session.path)
    onSession(session)
  }

  #onGone(attempt: Attempt): void {
    const { log } = this.#options
    this.#socket = undefined
    const had = this.#session
    this.#session = undefined
    if (attempt.flow !== undefined) this.#options.numbers.release(attempt.flow)
    had?.onLost()
    if (this.#isClosed) return
    const failure = had === undefined ? attempt.failure : { reason: had.end ?? 'lost', detail: '' }
    const before = this.failure
    this.failure = failure ?? { reason: 'unreachable', detail: 'nobody answered' }
    const waitMs = this.#waitMs()
    const told = { event: 'upstream-lost', url: this.url, ...this.failure }
    // The same trouble every ten seconds for a week is one line.
    if (before?.reason === this.failure.reason) log.debug(told, 'the upstream is still away')
    else log.warn(told, 'not connected to the upstream')
    this.#redial = setTimeout(() => {
      this.#redial = undefined
      this.#dial()
    }, waitMs)
  }

  /** Doubles up to ten seconds; half of it is chance, so that a district does not dial in step. */
  #waitMs(): number {
    const fullMs = Math.min(TRUNK_REDIAL_MS_MAX, TRUNK_REDIAL_MS_MIN * 2 ** this.#attempts)
    this.#attempts = Math.min(this.#attempts + 1, 16)
    return fullMs * (0.5 + this.#options.random() / 2)
  }
}

type Dial = { socket: WebSocket; code: string | null; instance: Uint8Array }

/** One dial, from the first byte to the session or the reason why there is none. */
class Attempt {
  session: ControlSession | undefined
  failure: Upstream['failure']
  /** SSRCs that are ours to release. */
  flow: { up: number; down: number } | undefined
  onWelcome: (session: ControlSession, welcomed: Welcomed) => void = () => {}
  readonly #options: UpstreamOptions
  readonly #dial: Dial
  #handshake: ChildHandshake | undefined
  #remoteAddress = ''
  #fingerprint: string | undefined

  constructor(options: UpstreamOptions, dial: Dial) {
    this.#options = options
    this.#dial = dial
    const { socket } = dial
    socket.on('upgrade', (response) => this.#onUpgrade(response))
    socket.on('open', () => this.#onOpen())
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#onFrame(data, isBinary))
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      this.failure = { reason: 'unreachable', detail: `HTTP ${response.statusCode}` }
      socket.terminate()
    })
    socket.on('error', ({ message }) => {
      this.failure ??= { reason: 'unreachable', detail: message }
    })
  }

  #onUpgrade({ socket }: IncomingMessage): void {
    this.#remoteAddress = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const isTls = 'encrypted' in socket
    this.#fingerprint = isTls ? fingerprintOfPeer(socket as TLSSocket) : ''
  }

  #onOpen(): void {
    const { self, signer, epoch, isPinned } = this.#options
    const code = parseEnrolmentCode(this.#dial.code ?? '')
    if (this.#fingerprint === undefined) {
      this.#fail('bad-signature', 'it showed no TLS certificate')
      return
    }
    this.#handshake = new ChildHandshake({
      primitives,
      self,
      signer,
      epoch,
      instance: this.#dial.instance,
      fingerprint: this.#fingerprint,
      isPinned,
      ...(code === undefined ? {} : { enrolment: enrolmentKeysOf(code) }),
    })
    this.#send(this.#handshake.hello)
  }

  #onFrame(data: Buffer, isBinary: boolean): void {
    if (!isBinary) this.#fail('malformed', 'text on a trunk')
    else if (this.session !== undefined) {
      this.session.onFrame(data, this.#options.clock.nowMs())
    } else if (this.#handshake !== undefined) this.#take(this.#handshake.onFrame(data))
  }

  #take(step: ChildStep): void {
    if (step.kind === 'welcomed') {
      this.#onWelcomed(step.welcomed)
      return
    }
    for (const frame of step.frames) this.#send(frame)
    if (step.kind === 'refused') this.#fail(step.reason, step.detail)
  }

  #onWelcomed(welcomed: Welcomed): void {
    const { self, numbers, clock, mediaPort } = this.#options
    const { parent, welcome, media } = welcomed
    if (!numbers.claimSsrcs(welcome.ssrcs)) {
      this.#fail('overloaded', 'its SSRCs are in use here')
      return
    }
    this.flow = welcome.ssrcs
    const { address, port } = welcome.media
    const session = new ControlSession({
      carrier: carrierOf(this.#dial.socket),
      selfId: self.nodeId,
      peer: { nodeId: parent.nodeId, name: parent.name, program: parent.program },
      direction: 'up',
      flow: {
        trunkId: numbers.takeTrunkId(),
        send: { ssrc: welcome.ssrcs.up, master: media.up },
        receive: { ssrc: welcome.ssrcs.down, master: media.down },
        remote: {
          address: address === '' ? this.#remoteAddress : address,
          // Port 0: it takes no UDP, whatever a router would forward.
          port: port === 0 ? 0 : mediaPort || port,
        },
      },
      path: welcome.path,
      tokenKeys: welcome.tokenKeys,
      leaseMs: welcome.leaseMs,
      heartbeatMs: welcome.heartbeatMs,
      nowMs: clock.nowMs(),
    })
    this.session = session
    this.onWelcome(session, welcomed)
    session.tick(clock.nowMs())
  }

  #fail(reason: NonNullable<Upstream['failure']>['reason'], detail: string): void {
    this.failure = { reason, detail }
    this.#dial.socket.close(4000, reason)
    const cut = setTimeout(() => this.#dial.socket.terminate(), DOOR_CLOSE_MS)
    this.#dial.socket.once('close', () => clearTimeout(cut))
  }

  #send(frame: Uint8Array): void {
    this.#dial.socket.send(frame, { binary: true, compress: false }, ignore)
  }
}

// A write error ends in 'close', which is handled; the callback keeps `ws` from throwing it.
const ignore = (): void => {}

function carrierOf(socket: WebSocket): ConstructorParameters<typeof ControlSession>[0]['carrier'] {
  return {
    send: (frame, compress) => {
      if (socket.readyState === WebSocket.OPEN) {
        socket.send(frame, { binary: true, compress }, ignore)
      }
    },
    bufferedBytes: () => socket.bufferedAmount,
    close: (reason) => {
      socket.close(1000, reason)
      const cut = setTimeout(() => socket.terminate(), DOOR_CLOSE_MS)
      socket.once('close', () => clearTimeout(cut))
    },
  }
}
