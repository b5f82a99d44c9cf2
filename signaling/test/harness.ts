/**
 * For tests of the doors: a hub with a real conference, a fake media plane, and a clock that only
 * tests turn.
 */
import * as v from 'valibot'
import {
  type Conference,
  createConference,
  createDirector,
  type Notice,
} from '../../core/conference/index.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import { createTokenVerifier, issueToken, type TokenRequest } from '../auth/index.ts'
import type { DoorSocket } from '../door.ts'
import { SERVER_MESSAGES, type ServerMessage, type ServerMessageOf } from '../protocol/index.ts'
import { Hub } from '../session/index.ts'
import { FakeMedia } from './fake-media.ts'
import { testKeys } from './keys.ts'
import { MemoryStore } from './memory-store.ts'

export class FakeSocket implements DoorSocket {
  readonly remoteAddress: string
  readonly protocol = 'nhipcau.1.json'
  attachment: unknown
  buffered = 0
  sent: ServerMessage[] = []
  closed: { code: number; reason: string } | undefined
  onClosed: () => void = () => {}

  constructor(remoteAddress = '192.0.2.1') {
    this.remoteAddress = remoteAddress
  }

  send(data: string | Uint8Array): void {
    if (this.closed !== undefined) throw new Error('sent on a closed socket')
    const message = JSON.parse(String(data)) as ServerMessage
    // Every message that ever leaves in a test is one that PROTOCOL.md knows.
    v.parse(SERVER_MESSAGES[message.type], message)
    this.sent.push(message)
  }

  bufferedBytes(): number {
    return this.buffered
  }

  close(code: number, reason: string): void {
    if (this.closed !== undefined) return
    this.closed = { code, reason }
    this.onClosed()
  }

  terminate(): void {
    this.close(1006, '')
  }
}

export class Client {
  readonly socket: FakeSocket
  readonly #harness: Harness

  constructor(harness: Harness, socket: FakeSocket) {
    this.#harness = harness
    this.socket = socket
    socket.onClosed = () => harness.hub.onClose(socket)
    harness.hub.onOpen(socket)
  }

  say(message: object): void {
    const bytes = Buffer.from(JSON.stringify(message))
    this.#harness.hub.onMessage(this.socket, bytes, false)
  }

  /** Says it and lets everything that follows happen; the answer with this ref. */
  async ask(message: object): Promise<ServerMessage> {
    const ref = this.#harness.nextRef++
    this.say({ ...message, ref })
    await this.#harness.settle()
    const answer = this.socket.sent.find((sent) => 'ref' in sent && sent.ref === ref)
    if (answer === undefined) throw new Error(`no answer to ${JSON.stringify(message)}`)
    return answer
  }

  /** Messages of one type, taken out. */
  take<T extends ServerMessage['type']>(type: T): ServerMessageOf<T>[] {
    const taken = this.socket.sent.filter((sent) => sent.type === type)
    this.socket.sent = this.socket.sent.filter((sent) => sent.type !== type)
    return taken as ServerMessageOf<T>[]
  }

  /** The connection is lost without a word. */
  drop(): void {
    this.socket.closed = { code: 1006, reason: '' }
    this.#harness.hub.onClose(this.socket)
  }
}

class FakeHost implements ConferenceHost {
  readonly conference: Conference
  readonly store = new MemoryStore()
  onNotice: (notice: Notice) => void = () => {}
  nowMs = 1_000
  wallMs = Date.UTC(2026, 5, 1)

  constructor() {
    let next = 1
    const randomBytes = (count: number): Uint8Array =>
      Uint8Array.from({ length: count }, () => {
        next = (Math.imul(next, 1_664_525) + 1_013_904_223) >>> 0
        return next >>> 24
      })
    this.conference = createConference({ store: this.store, randomBytes, now: this.now() })
  }

  now(): { nowMs: number; wallMs: number } {
    return { nowMs: this.nowMs, wallMs: this.wallMs }
  }

  wake(): void {}

  join: ConferenceHost['join'] = (request) =>
    new Promise((resolve) => this.conference.join(request, resolve))
  command: ConferenceHost['command'] = (participant, command) =>
    new Promise((resolve) => this.conference.command(participant, command, resolve))
  operate: ConferenceHost['operate'] = (room, command) =>
    new Promise((resolve) => this.conference.operate(room, command, resolve))

  disconnected(participant: string, connection: number): void {
    this.conference.disconnected(participant, connection, this.nowMs)
  }

  /** One flush; notices after the promises, as the real host does. */
  async flush(): Promise<void> {
    const notices: Notice[] = []
    const batch = this.conference.flush(this.now(), notices)
    if (batch) this.conference.settle(await this.store.append(batch), this.now(), notices)
    await microtasks()
    for (const notice of notices) this.onNotice(notice)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

async function microtasks(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

export class Harness {
  readonly host = new FakeHost()
  readonly media = new FakeMedia()
  readonly faults: unknown[] = []
  readonly hub: Hub
  nextRef = 1
  /** How often the upstream was to be dialled at once. */
  retryCount = 0

  #verifications = 0

  constructor() {
    const verify = createTokenVerifier(testKeys())
    this.hub = new Hub({
      host: this.host,
      media: this.media,
      createDirector,
      verify: (token, wallMs) => this.#verified(verify(token, wallMs)),
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      nodeName: 'Mường Nhé',
      retryUpstream: () => {
        this.retryCount += 1
      },
      onFault: (error) => this.faults.push(error),
    })
  }

  token(request: Partial<TokenRequest> = {}): Promise<string> {
    const defaults = { room: 'giao-ban', role: 'speaker', site: 'Mường Nhé', ttlS: 3600 } as const
    return issueToken(testKeys(), { ...defaults, nowMs: this.host.wallMs, ...request })
  }

  connect(remoteAddress?: string): Client {
    return new Client(this, new FakeSocket(remoteAddress))
  }

  /** A client that has joined, and what it was told. */
  async join(
    request: Partial<TokenRequest> = {},
  ): Promise<Client & { joined: ServerMessageOf<'joined'>; token: string }> {
    const token = await this.token(request)
    const client = this.connect()
    const joined = await client.ask({ type: 'join', token })
    if (joined.type !== 'joined') throw new Error(JSON.stringify(joined))
    return Object.assign(client, { joined, token })
  }

  async #verified<T>(verification: Promise<T>): Promise<T> {
    this.#verifications++
    try {
      return await verification
    } finally {
      this.#verifications--
    }
  }

  /** Lets requests be answered and notices be handed out. */
  async settle(): Promise<void> {
    // Signatures are checked off this thread: wait for them by turns of the loop, not by the clock.
    do await microtasks()
    while (this.#verifications > 0)
    for (let i = 0; i < 4; i++) {
      await microtasks()
      if (this.host.conference.deadlineMs <= this.host.nowMs) await this.host.flush()
    }
  }

  /** Turns the clock and lets everything that is due happen. */
  async pass(durationMs: number): Promise<void> {
    this.host.nowMs += durationMs
    this.host.wallMs += durationMs
    this.hub.tick()
    await this.settle()
  }
}
