/**
 * A browser's network, clock and peer connections for tests of the SDK: nothing happens until the test says so. Used
 * by unit tests only.
 */
import type { Cancel, Environment, SocketLike } from '../sdk/environment.ts'
import type { ClientMessage, JoinedMessage, ServerMessage } from '../sdk/messages.ts'

type Sent = ClientMessage & { ref?: number }

export class FakeSocket implements SocketLike {
  binaryType = ''
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null
  onerror: (() => void) | null = null
  readonly sent: Sent[] = []
  readonly protocols: string[]
  closedWith: number | undefined | 'open' = 'open'

  constructor(protocols: string[]) {
    this.protocols = protocols
  }

  send(data: string | Uint8Array): void {
    this.sent.push(JSON.parse(String(data)))
  }

  close(code?: number): void {
    this.closedWith = code
  }

  say(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) })
  }

  /** Answers the last request of that type. */
  answer(type: ClientMessage['type'], message: ServerMessage): void {
    const request = this.last(type)
    this.say(request?.ref === undefined ? message : { ...message, ref: request.ref })
  }

  last<T extends ClientMessage['type']>(
    type: T,
  ): (Extract<ClientMessage, { type: T }> & { ref?: number }) | undefined {
    return this.all(type).at(-1)
  }

  all<T extends ClientMessage['type']>(
    type: T,
  ): (Extract<ClientMessage, { type: T }> & { ref?: number })[] {
    return this.sent.filter((message) => message.type === type) as never
  }
}

export type FakeTransceiver = {
  mid: string | null
  kind: string
  direction: string
  encodings: RTCRtpEncodingParameters[]
  sender: {
    track: unknown
    replaceTrack(track: unknown): Promise<void>
    getParameters(): { encodings: RTCRtpEncodingParameters[] }
    setParameters(parameters: { encodings: RTCRtpEncodingParameters[] }): Promise<void>
  }
  receiver: { track: unknown }
}

export class FakeConnection {
  connectionState = 'new'
  remoteDescription: { sdp: string } | null = null
  onconnectionstatechange: (() => void) | null = null
  readonly transceivers: FakeTransceiver[] = []
  readonly offers: { iceRestart: boolean }[] = []
  closed = false
  stats: Record<string, unknown>[] = []

  addTransceiver(
    trackOrKind: string | { kind: string },
    init: { direction: string; sendEncodings?: RTCRtpEncodingParameters[] },
  ): FakeTransceiver {
    const track = typeof trackOrKind === 'string' ? null : trackOrKind
    const kind = typeof trackOrKind === 'string' ? trackOrKind : trackOrKind.kind
    const sender = {
      track: track as unknown,
      replaceTrack: (next: unknown): Promise<void> => {
        sender.track = next
        return Promise.resolve()
      },
      getParameters: () => ({ encodings: transceiver.encodings.map((one) => ({ ...one })) }),
      setParameters: ({ encodings }: { encodings: RTCRtpEncodingParameters[] }): Promise<void> => {
        transceiver.encodings = encodings
        return Promise.resolve()
      },
    }
    const transceiver: FakeTransceiver = {
      mid: null,
      kind,
      direction: init.direction,
      encodings: init.sendEncodings ?? [],
      sender,
      receiver: { track: { kind } },
    }
    this.transceivers.push(transceiver)
    return transceiver
  }

  createOffer({ iceRestart }: { iceRestart: boolean }): Promise<{ type: 'offer'; sdp: string }> {
    this.offers.push({ iceRestart })
    return Promise.resolve({ type: 'offer', sdp: `offer-${this.offers.length}` })
  }

  setLocalDescription(): Promise<void> {
    for (const [index, transceiver] of this.transceivers.entries()) transceiver.mid = String(index)
    return Promise.resolve()
  }

  setRemoteDescription(description: { sdp: string }): Promise<void> {
    this.remoteDescription = description
    return Promise.resolve()
  }

  getStats(): Promise<Map<string, Record<string, unknown>>> {
    return Promise.resolve(new Map(this.stats.map((entry) => [String(entry.id), entry])))
  }

  become(state: string): void {
    this.connectionState = state
    this.onconnectionstatechange?.()
  }

  close(): void {
    this.closed = true
  }
}

type Timer = { atMs: number; callback: () => void }

export class FakeWorld implements Environment {
  readonly sockets: FakeSocket[] = []
  readonly connections: FakeConnection[] = []
  #nowMs = 1_000_000
  #timers = new Set<Timer>()
  #watchers = new Set<() => void>()

  get socket(): FakeSocket {
    return this.sockets.at(-1) as FakeSocket
  }

  get connection(): FakeConnection {
    return this.connections.at(-1) as FakeConnection
  }

  createSocket(_url: string, protocols: string[]): SocketLike {
    const socket = new FakeSocket(protocols)
    this.sockets.push(socket)
    return socket
  }

  createPeerConnection(): RTCPeerConnection {
    const connection = new FakeConnection()
    this.connections.push(connection)
    return connection as unknown as RTCPeerConnection
  }

  codecs(): RTCRtpCodec[] {
    return []
  }

  createStream(track: MediaStreamTrack): MediaStream {
    return { track } as unknown as MediaStream
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  nowMs(): number {
    return this.#nowMs
  }

  random(): number {
    return 0.5
  }

  watchNetwork(callback: () => void): Cancel {
    this.#watchers.add(callback)
    return () => this.#watchers.delete(callback)
  }

  /** The network may be back. */
  wake(): void {
    for (const watcher of this.#watchers) watcher()
  }

  /** Lets all promises settle that need no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 40; turn += 1) await Promise.resolve()
  }

  async pass(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs
    for (;;) {
      const due = [...this.#timers]
        .filter((timer) => timer.atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#timers.delete(due)
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      due.callback()
      await this.settle()
    }
    this.#nowMs = endMs
  }
}

export const joinedMessage = (change: Partial<JoinedMessage> = {}): JoinedMessage => ({
  type: 'joined',
  protocol: 1,
  session: 'session-1',
  secret: 'secret-1',
  resumed: false,
  participant: 'pme',
  role: 'speaker',
  name: 'Mai',
  site: 'Mường Nhé',
  room: {
    room: 'demo',
    revision: 1,
    locked: false,
    emergency: false,
    pin: null,
    counts: { sites: 1, stage: 1, audience: 0, hands: 0 },
    stage: [],
    hands: [],
    polls: [],
    acting: [],
    succession: [],
  },
  chat: [],
  ...change,
})

export const fakeTrack = (kind: 'audio' | 'video'): MediaStreamTrack =>
  ({ kind, enabled: true }) as unknown as MediaStreamTrack
