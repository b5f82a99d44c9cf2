/**
 * A conference as one object: joins, stays joined, carries what the participant does, tells what
 * happens. Framework and page know only this. Deliberately opens no device: the caller owns its
 * tracks.
 */

import { type ConferenceEvents, type ConnectOptions, defaultUrl, unexpected } from './contract.ts'
import { Emitter } from './emitter.ts'
import type { Cancel, Environment } from './environment.ts'
import { browserEnvironment } from './environment.ts'
import { ConferenceError, fateOf } from './errors.ts'
import { TILES_DEFAULT, TILES_MAX, VIEW_DEBOUNCE_MS } from './limits.ts'
import { SignalLink } from './link.ts'
import type { MediaSlot } from './media.ts'
import { MediaLink } from './media.ts'
import type {
  Answer,
  ClientMessage,
  ErrorCode,
  Pin,
  SectionUse,
  ServerMessage,
  SourceUse,
  Successor,
} from './messages.ts'
import { Monitor } from './monitor.ts'
import type { StreamQuality } from './quality.ts'
import { Sources } from './sources.ts'
import type { ConferenceState, MediaPhase } from './state.ts'
import { applyMessage, initialState, upstreamLink } from './state.ts'
import type { StreamStatistics } from './statistics.ts'
import type { View } from './view.ts'
import { hiddenMids, viewMessage } from './view.ts'

const nothing = (): void => {}

export class Conference {
  readonly #events = new Emitter<ConferenceEvents>()
  readonly #environment: Environment
  readonly #link: SignalLink
  readonly #media: MediaLink
  readonly #sources: Sources
  readonly #monitor: Monitor
  readonly #options: ConnectOptions
  #state: ConferenceState
  #slots: readonly MediaSlot[] = []
  #resume: { session: string; secret: string } | undefined
  #view: View = { main: null, mainSize: undefined, tiles: [] }
  #cancelView: Cancel | undefined

  constructor(options: ConnectOptions) {
    this.#options = options
    const environment = options.environment ?? browserEnvironment()
    this.#environment = environment
    this.#state = initialState(environment.nowMs())
    this.#link = new SignalLink({
      url: options.url ?? defaultUrl(),
      format: options.format ?? 'msgpack',
      environment,
      onOpen: () => void this.#join(),
      onMessage: (message) => this.#onMessage(message),
      onLost: ({ attempt, nextAtMs }) => this.#onLost(attempt, nextAtMs),
    })
    this.#media = new MediaLink({
      environment,
      tiles: Math.min(TILES_MAX, Math.max(0, options.tiles ?? TILES_DEFAULT)),
      negotiate: (sdp, sections) => this.#offer(sdp, sections),
      mayNegotiate: () => this.#state.phase === 'live',
      onPhase: (phase) => this.#onMediaPhase(phase),
      onSlots: (slots) => this.#onSlots(slots),
    })
    this.#sources = new Sources({
      request: (message) => this.#link.request(message),
      setTrack: (use, track) => this.#media.setTrack(use, track),
      onError: (error) => this.#events.emit('error', error),
    })
    this.#monitor = new Monitor({
      environment,
      connection: () => this.#media.connection,
      onStatistics: (statistics) => this.#events.emit('statistics', statistics),
      onQuality: (quality) => this.#onQuality(quality),
    })
    this.#link.open()
  }

  get state(): ConferenceState {
    return this.#state
  }

  /** What is received, in the order audio, main, tiles; empty until media was negotiated. */
  get slots(): readonly MediaSlot[] {
    return this.#slots
  }

  /** The last statistics. */
  get statistics(): readonly StreamStatistics[] {
    return this.#monitor.statistics
  }

  /** The mid of the section in which an own source is sent, as in statistics and quality. */
  midOf(use: SourceUse): string | undefined {
    return this.#media.midOf(use)
  }

  /** Returns the function that ends the subscription. */
  on<K extends keyof ConferenceEvents>(
    name: K,
    listener: (payload: ConferenceEvents[K]) => void,
  ): () => void {
    return this.#events.on(name, listener)
  }

  /** Skips the wait for the next attempt. */
  reconnectNow(): void {
    this.#link.reconnectNow()
  }

  /**
   * Looks for a new path for media now, without a break: for a caller who knows that the network
   * has changed. One that is broken is noticed and repaired without this.
   */
  async restartIce(): Promise<void> {
    await this.#media.restart()
  }

  /** Leaves and ends. Idempotent. The caller stops its own tracks. */
  async leave(): Promise<void> {
    if (this.#state.phase === 'live') await this.#link.request({ type: 'leave' }).catch(nothing)
    this.#end('left', 'left')
  }

  /**
   * Sends this track as microphone, camera or screen from now on; `undefined` stops it. Takes
   * effect, without another call, as soon as the server permits the source. The track stays the
   * caller's.
   */
  setSource(use: SourceUse, track: MediaStreamTrack | undefined): Promise<void> {
    return this.#sources.set(use, track)
  }

  /** Mutes or unmutes an own source: the track goes silent at once, and the room is told. */
  setMuted(use: SourceUse, muted: boolean): Promise<void> {
    return this.#sources.setMuted(use, muted)
  }

  /** As chair: mutes another's source, or takes the chair's mute away. */
  async muteOther(participant: string, use: SourceUse, muted: boolean): Promise<void> {
    await this.#link.request({ type: 'mute', participant, use, muted })
  }

  /** Raises or lowers the own hand; as chair also another's down. */
  async setHand(raised: boolean, participant?: string): Promise<void> {
    await this.#link.request(
      participant === undefined ? { type: 'hand', raised } : { type: 'hand', raised, participant },
    )
  }

  /** 1..2000 characters. */
  async sendChat(text: string): Promise<void> {
    await this.#link.request({ type: 'chat', text })
  }

  /** Fetches up to `limit` (1..100) entries older than those known, into the state. */
  async loadOlderChat(limit = 50): Promise<void> {
    const before = this.#state.chat[0]?.number
    await this.#fetch(
      before === undefined
        ? { type: 'chat-history', limit }
        : { type: 'chat-history', before, limit },
    )
  }

  /** A page of all who are here; `cursor` of the last page for the next. */
  async roster(query: {
    limit: number
    cursor?: string
    search?: string
  }): Promise<Answer<'roster-page'>> {
    const answer = await this.#link.request({ type: 'roster', ...query })
    if (answer.type !== 'roster-page') throw unexpected(answer)
    return answer
  }

  /** As chair: to the stage, or back to the audience. */
  async setOnStage(participant: string, onStage: boolean): Promise<void> {
    await this.#link.request({ type: 'stage', participant, onStage })
  }

  /** As chair: this picture is the main one for everyone; `null` follows the speaker again. */
  async pin(target: Pin | null): Promise<void> {
    await this.#link.request({ type: 'pin', participant: null, ...(target ?? {}) })
  }

  /** As chair: removes; the token is worthless afterwards. */
  async kick(participant: string, reason?: string): Promise<void> {
    await this.#link.request(
      reason === undefined ? { type: 'kick', participant } : { type: 'kick', participant, reason },
    )
  }

  /** As chair: nobody new comes in. */
  async setLocked(locked: boolean): Promise<void> {
    await this.#link.request({ type: 'lock', locked })
  }

  /** As chair: the room goes before all others on every link between servers, or no longer. */
  async setEmergency(on: boolean): Promise<void> {
    await this.#link.request({ type: 'emergency', on })
  }

  /** As chair: who moderates, in this order, where a part of the tree is cut off. At most 32. */
  async setSuccession(order: Successor[]): Promise<void> {
    await this.#link.request({ type: 'succession', order })
  }

  /** As chair: asks the room; 2 to 10 options of at most 100 characters, the question at most 300. */
  async openPoll(question: string, options: string[]): Promise<void> {
    await this.#link.request({ type: 'poll-open', question, options })
  }

  /** As chair: no vote counts from now on. */
  async closePoll(poll: string): Promise<void> {
    await this.#link.request({ type: 'poll-close', poll })
  }

  /** `option` is an index; the last vote counts while the poll is open. */
  async vote(poll: string, option: number): Promise<void> {
    await this.#link.request({ type: 'vote', poll, option })
  }

  /** As chair on a relay that is cut off: the server above is tried now, not at the next turn. */
  async tryUpstream(): Promise<void> {
    await this.#link.request({ type: 'try-upstream' })
  }

  /** What is shown where and how large: sent a moment later, and again after every reconnect. */
  setView(view: View): void {
    this.#view = view
    if (this.#cancelView !== undefined) return
    this.#cancelView = this.#environment.after(VIEW_DEBOUNCE_MS, () => {
      this.#cancelView = undefined
      this.#sendView()
    })
  }

  async #join(): Promise<void> {
    const resume = this.#resume
    const { token, client } = this.#options
    try {
      const joined = await this.#link.request({
        type: 'join',
        token,
        ...(client === undefined ? {} : { client }),
        ...(resume === undefined ? {} : { resume }),
      })
      if (joined.type !== 'joined') throw unexpected(joined)
      this.#onJoined(joined)
    } catch (error) {
      this.#joinFailed(error instanceof ConferenceError ? error : unexpected(error))
    }
  }

  #joinFailed(error: ConferenceError): void {
    if (error.code === 'ended' || error.code === 'connection-lost') return
    const fate = fateOf(error.code)
    if (fate === 'end') {
      this.#end(error.code as ErrorCode, error.message)
      return
    }
    if (fate === 'rejoin') this.#resume = undefined
    this.#link.drop()
    // As if new, and at once; what is refused again waits its turn.
    if (fate === 'rejoin') this.#link.reconnectNow()
  }

  #onJoined(joined: Answer<'joined'>): void {
    this.#resume = { session: joined.session, secret: joined.secret }
    this.#link.confirm()
    this.#update({ ...applyMessage(this.#state, joined), phaseSinceMs: this.#environment.nowMs() })
    if (joined.resumed) this.#media.check()
    else void this.#media.rebuild().catch((error) => this.#mediaRefused(error))
    this.#sources.rejoined({ resumed: joined.resumed, self: this.#state.self })
    this.#sendView()
  }

  #mediaRefused(error: unknown): void {
    if (error instanceof ConferenceError && error.code !== 'connection-lost')
      this.#events.emit('error', error)
  }

  #onMessage(message: ServerMessage): void {
    const before = this.#state
    if (message.type === 'bye') {
      this.#onBye(message.code, message.message)
      return
    }
    if (message.type === 'quality') {
      this.#monitor.serverSays(message.streams)
      return
    }
    if (message.type === 'media') {
      if (message.state === 'disconnected') this.#media.transportGone()
      return
    }
    if (message.type === 'upstream') {
      const upstream = upstreamLink(message, this.#environment.nowMs())
      this.#update({ ...before, upstream })
      return
    }
    if (message.type === 'limit') {
      if (message.use === 'microphone') void this.#media.limitSpeech(message).catch(nothing)
      return
    }
    if (message.type === 'error')
      this.#events.emit('error', new ConferenceError(message.code, message.message))
    this.#update(applyMessage(before, message))
    if (message.type === 'self') this.#sources.permitted(this.#state.self)
    if (message.type === 'chat') this.#events.emit('chat', message.entries)
  }

  #onBye(code: ErrorCode, message: string): void {
    const fate = fateOf(code)
    if (fate === 'end') this.#end(code, message)
    else {
      if (fate === 'rejoin') this.#resume = undefined
      this.#link.drop()
    }
  }

  #onLost(attempt: number, nextAttemptAtMs: number): void {
    if (this.#state.phase === 'ended') return
    const wasLive = this.#state.phase === 'live'
    this.#update({
      ...this.#state,
      phase: this.#state.me === undefined ? 'joining' : 'reconnecting',
      phaseSinceMs: wasLive ? this.#environment.nowMs() : this.#state.phaseSinceMs,
      attempt,
      nextAttemptAtMs,
    })
  }

  #end(code: ErrorCode | 'left', message: string): void {
    if (this.#state.phase === 'ended') return
    this.#monitor.stop()
    this.#cancelView?.()
    this.#media.close()
    this.#link.close()
    this.#slots = []
    this.#update({
      ...this.#state,
      phase: 'ended',
      phaseSinceMs: this.#environment.nowMs(),
      media: 'new',
      ended: { code, message },
    })
  }

  async #offer(sdp: string, sections: SectionUse[]): Promise<string> {
    const answer = await this.#link.request({ type: 'offer', sdp, sections })
    if (answer.type !== 'answer') throw unexpected(answer)
    return answer.sdp
  }

  async #fetch(message: ClientMessage): Promise<void> {
    const answer = await this.#link.request(message)
    this.#update(applyMessage(this.#state, answer))
  }

  #onMediaPhase(media: MediaPhase): void {
    if (this.#state.phase !== 'ended') this.#update({ ...this.#state, media })
  }

  #onSlots(slots: MediaSlot[]): void {
    this.#slots = slots
    this.#update({ ...this.#state, mediaEpoch: this.#state.mediaEpoch + 1 })
    this.#events.emit('slots', slots)
    this.#sendView()
  }

  #onQuality(all: StreamQuality[]): void {
    const hidden = hiddenMids(this.#view, this.#slots)
    const empty = new Set(
      this.#state.slots.filter(({ state }) => state === 'empty').map(({ mid }) => mid),
    )
    const quality = all.filter(({ mid }) => !hidden.has(mid) && !empty.has(mid))
    this.#update({ ...this.#state, quality })
  }

  #sendView(): void {
    if (this.#state.phase !== 'live' || this.#slots.length === 0) return
    this.#link.request(viewMessage(this.#view, this.#slots)).catch((error: unknown) => {
      this.#mediaRefused(error)
    })
  }

  #update(state: ConferenceState): void {
    if (state === this.#state) return
    this.#state = state
    this.#events.emit('change', state)
  }
}

/**
 * Begins to join at once and never gives up until `leave()`, or until the server says that it is of
 * no use.
 */
export const connect = (options: ConnectOptions): Conference => new Conference(options)
