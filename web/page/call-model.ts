/**
 * A call as the page needs it: the conference, this person's devices and what is open on the screen, in one store.
 * Components draw the store and call these methods. No markup here.
 */
import type { Conference, ConferenceState, MediaSlot, Pin, SourceUse } from '../sdk/index.ts'
import { ConferenceError } from '../sdk/index.ts'
import { Announcements } from './announcements.ts'
import type { DeviceKind, Opened } from './devices.ts'
import { openDevice, openScreen, rememberDevices } from './devices.ts'
import type { StreamHistory } from './history.ts'
import { remember } from './history.ts'
import type { Translate } from './i18n/index.ts'
import { keyOr } from './i18n/index.ts'
import { NameBook } from './names.ts'
import { newsOf } from './room-news.ts'
import type { Store } from './store.ts'
import { createStore } from './store.ts'

export type Panel = 'none' | 'chat' | 'people' | 'polls' | 'statistics' | 'settings' | 'help'

type Notice = { id: number; text: string; urgent: boolean }

export type CallState = {
  conference: ConferenceState
  /** Whether the server has said what this person may send; a moment after the join. */
  selfKnown: boolean
  slots: readonly MediaSlot[]
  /** The own camera, for the self view. */
  cameraTrack: MediaStreamTrack | undefined
  microphoneTrack: MediaStreamTrack | undefined
  screenTrack: MediaStreamTrack | undefined
  microphoneMuted: boolean
  /** A device is being opened. */
  busy: boolean
  devices: { camera: string; microphone: string; speaker: string }
  panel: Panel
  /** Highest chat number that this person has seen. */
  chatSeen: number
  /** The main picture that this person chose, `null` = follow the room. */
  chosen: Pin | null
  /** Who spoke, latest first. */
  recent: readonly string[]
  history: StreamHistory
  notices: readonly Notice[]
  /** What a screen reader says next. */
  announcement: string
  /** Grows when names became known. */
  namesEpoch: number
}

export type CallOptions = {
  conference: Conference
  translate: () => Translate
  camera: MediaStreamTrack | undefined
  microphone: MediaStreamTrack | undefined
  devices: { camera: string; microphone: string }
}

const NOTICES_MAX = 3
const NOTICE_MS = 7_000
const RECENT_MAX = 32

export class CallModel {
  readonly store: Store<CallState>
  readonly conference: Conference
  readonly names: NameBook
  readonly #translate: () => Translate
  readonly #announcements: Announcements
  readonly #unsubscribe: (() => void)[] = []
  #nextNotice = 1
  #closed = false
  /** Pressed before the server has said what one may send. */
  readonly #pressed = new Set<'microphone' | 'camera'>()

  constructor(options: CallOptions) {
    const { conference } = options
    this.conference = conference
    this.#translate = options.translate
    this.store = createStore<CallState>({
      conference: conference.state,
      selfKnown: false,
      slots: conference.slots,
      cameraTrack: options.camera,
      microphoneTrack: options.microphone,
      screenTrack: undefined,
      microphoneMuted: false,
      busy: false,
      devices: { ...options.devices, speaker: '' },
      panel: 'none',
      chatSeen: -1,
      chosen: null,
      recent: [],
      history: new Map(),
      notices: [],
      announcement: '',
      namesEpoch: 0,
    })
    this.names = new NameBook(() => this.store.set({ namesEpoch: this.store.get().namesEpoch + 1 }))
    this.#announcements = new Announcements({
      translate: options.translate,
      nameOf: (participant) => this.nameOf(participant),
      say: (announcement) => this.store.set({ announcement }),
    })
    this.#subscribe()
    this.#watchEnd('camera', options.camera)
    this.#watchEnd('microphone', options.microphone)
    void conference.setSource('camera', options.camera)
    void conference.setSource('microphone', options.microphone)
  }

  /** Empty while it is not known. */
  nameOf(participant: string): string {
    const member = this.store
      .get()
      .conference.stage.find((candidate) => candidate.participant === participant)
    return member?.name ?? this.names.get(participant)?.name ?? ''
  }

  permits(use: SourceUse): boolean {
    return this.store.get().conference.self.permitted.includes(use)
  }

  togglePanel(panel: Panel): void {
    const open = this.store.get().panel === panel ? 'none' : panel
    this.store.set({ panel: open })
    if (open === 'chat') this.markChatSeen()
  }

  markChatSeen(): void {
    const last = this.store.get().conference.chat.at(-1)?.number ?? -1
    if (last > this.store.get().chatSeen) this.store.set({ chatSeen: last })
  }

  choose(pin: Pin | null): void {
    this.store.set({ chosen: pin })
  }

  async toggleMicrophone(): Promise<void> {
    const { microphoneTrack, microphoneMuted, conference, selfKnown } = this.store.get()
    // An open microphone is muted at once, even before the room knows of it.
    if (microphoneTrack === undefined && this.#isForLater('microphone')) return
    if (selfKnown && !this.#allowed('microphone')) return
    if (microphoneTrack === undefined) {
      await this.useDevice('microphone', this.store.get().devices.microphone)
      return
    }
    if (conference.self.muted.microphone?.chair === true) {
      this.notify(this.#translate()('control.chairMuted'))
      return
    }
    const muted = !microphoneMuted
    this.store.set({ microphoneMuted: muted })
    this.say(muted ? 'say.microphoneOff' : 'say.microphoneOn')
    await this.conference.setMuted('microphone', muted)
  }

  async toggleCamera(): Promise<void> {
    const { cameraTrack } = this.store.get()
    if (cameraTrack === undefined) {
      if (this.#isForLater('camera') || !this.#allowed('camera')) return
      await this.useDevice('camera', this.store.get().devices.camera)
      return
    }
    // Truly off: the light at the camera goes out.
    cameraTrack.stop()
    this.store.set({ cameraTrack: undefined })
    this.say('say.cameraOff')
    await this.conference.setSource('camera', undefined)
  }

  async toggleScreen(): Promise<void> {
    const { screenTrack } = this.store.get()
    if (screenTrack !== undefined) {
      await this.#stopScreen()
      return
    }
    if (!this.#allowed('screen')) return
    const opened = await openScreen()
    if ('problem' in opened) {
      if (opened.problem !== 'cancelled') this.#problem('screen', opened.problem)
      return
    }
    opened.track.addEventListener('ended', () => void this.#stopScreen())
    this.store.set({ screenTrack: opened.track })
    this.say('say.sharing')
    await this.conference.setSource('screen', opened.track)
  }

  async toggleHand(): Promise<void> {
    const { hands, me } = this.store.get().conference
    const raised = me !== undefined && hands.includes(me.participant)
    await this.attempt(async () => {
      await this.conference.setHand(!raised)
      this.say(raised ? 'say.handDown' : 'say.handUp')
    })
  }

  /** Opens a camera or microphone and sends it instead of the one before. */
  async useDevice(kind: 'camera' | 'microphone', deviceId: string): Promise<void> {
    if (this.store.get().busy) return
    this.store.set({ busy: true })
    const devices = { ...this.store.get().devices, [kind]: deviceId }
    const key = kind === 'camera' ? 'cameraTrack' : 'microphoneTrack'
    const old = this.store.get()[key]
    // Some cameras cannot be opened twice: the old one goes first.
    old?.stop()
    const opened: Opened = await openDevice(kind, deviceId)
    if (this.#closed) {
      if ('track' in opened) opened.track.stop()
      return
    }
    const track = 'track' in opened ? opened.track : undefined
    this.store.set({ busy: false, devices, [key]: track })
    if ('problem' in opened) this.#problem(kind, opened.problem)
    else {
      this.say(kind === 'camera' ? 'say.cameraOn' : 'say.microphoneOn')
      rememberDevices({ camera: devices.camera, microphone: devices.microphone })
      this.#watchEnd(kind, track)
    }
    if (kind === 'microphone' && track !== undefined) {
      this.store.set({ microphoneMuted: false })
      await this.conference.setMuted('microphone', false)
    }
    await this.conference.setSource(kind, track)
  }

  /** Closes the microphone itself, not only its sound. */
  async dropMicrophone(): Promise<void> {
    this.store.get().microphoneTrack?.stop()
    this.store.set({ microphoneTrack: undefined })
    this.say('say.microphoneOff')
    await this.conference.setSource('microphone', undefined)
  }

  useSpeaker(speaker: string): void {
    this.store.set({ devices: { ...this.store.get().devices, speaker } })
  }

  /** Runs what the person asked for; a refusal becomes a notice. Resolves with whether it worked. */
  async attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action()
      return true
    } catch (error) {
      this.#refused(error)
      return false
    }
  }

  notify(text: string, urgent = false): void {
    const notice = { id: this.#nextNotice, text, urgent }
    this.#nextNotice += 1
    const others = this.store.get().notices.filter((known) => known.text !== text)
    this.store.set({ notices: [...others, notice].slice(-NOTICES_MAX) })
    setTimeout(() => this.dismiss(notice.id), NOTICE_MS)
  }

  dismiss(id: number): void {
    this.store.set({ notices: this.store.get().notices.filter((notice) => notice.id !== id) })
  }

  say(key: Parameters<Translate>[0]): void {
    this.store.set({ announcement: this.#translate()(key) })
  }

  /** As chair on a relay that is cut off. */
  async tryUpstream(): Promise<void> {
    const asked = await this.attempt(() => this.conference.tryUpstream())
    if (asked) this.notify(this.#translate()('relay.trying'))
  }

  async leave(): Promise<void> {
    await this.conference.leave()
  }

  /** Stops devices and listening. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    const { cameraTrack, microphoneTrack, screenTrack } = this.store.get()
    for (const track of [cameraTrack, microphoneTrack, screenTrack]) track?.stop()
    this.store.set({
      cameraTrack: undefined,
      microphoneTrack: undefined,
      screenTrack: undefined,
    })
  }

  #subscribe(): void {
    const { conference } = this
    this.#unsubscribe.push(
      conference.on('change', (state) => this.#onChange(state)),
      conference.on('slots', (slots) => this.store.set({ slots })),
      conference.on('error', (error) => this.#refused(error)),
      conference.on('chat', (entries) => {
        if (this.store.get().panel === 'chat') this.markChatSeen()
        this.#announcements.chat(entries, this.store.get().conference.me?.participant)
      }),
      conference.on('statistics', (statistics) => {
        const { history } = this.store.get()
        const { quality } = conference.state
        this.store.set({ history: remember(history, { statistics, quality, nowMs: Date.now() }) })
      }),
    )
  }

  #onChange(conference: ConferenceState): void {
    const before = this.store.get().conference
    const first = before.me === undefined && conference.me !== undefined
    let { recent, chatSeen } = this.store.get()
    if (conference.active !== null && recent[0] !== conference.active)
      recent = [
        conference.active,
        ...recent.filter((participant) => participant !== conference.active),
      ].slice(0, RECENT_MAX)
    // What was said before we came is history, not news.
    if (first) chatSeen = conference.chat.at(-1)?.number ?? -1
    this.store.set({ conference, recent, chatSeen })
    this.#announcements.change(before, conference)
    if (conference.self !== before.self) {
      // The first that the server tells is how we came, not an invitation.
      const { selfKnown } = this.store.get()
      if (!selfKnown) void this.#onSelfKnown()
      else if (before.self.onStage !== conference.self.onStage) this.#onStageChanged(conference)
    }
    this.#chairMutes(before, conference)
    for (const { text, urgent } of newsOf(before, conference, this.#translate()))
      this.notify(text, urgent)
    if (conference.hands !== before.hands && conference.phase === 'live')
      void this.names.find(conference.hands, { conference: this.conference, nowMs: Date.now() })
    if (conference.phase === 'ended') this.close()
  }

  /** What a chair does to one's own sources must not go unnoticed. */
  #chairMutes(before: ConferenceState, now: ConferenceState): void {
    const began = (use: SourceUse): boolean =>
      now.self.muted[use]?.chair === true && before.self.muted[use]?.chair !== true
    const t = this.#translate()
    if (began('microphone')) this.notify(t('control.chairMuted'), true)
    if (began('camera')) this.notify(t('control.chairMutedCamera'), true)
  }

  #onStageChanged({ self }: ConferenceState): void {
    if (self.onStage && this.store.get().microphoneTrack === undefined)
      this.notify(this.#translate()('say.onStage'), true)
    if (self.onStage) return
    // Back in the audience nothing is sent, so no device stays open.
    const { cameraTrack, microphoneTrack } = this.store.get()
    if (cameraTrack === undefined && microphoneTrack === undefined) return
    this.notify(this.#translate()('say.offStage'))
    cameraTrack?.stop()
    microphoneTrack?.stop()
    this.store.set({ cameraTrack: undefined, microphoneTrack: undefined })
    void this.conference.setSource('camera', undefined)
    void this.conference.setSource('microphone', undefined)
    void this.#stopScreen()
  }

  async #stopScreen(): Promise<void> {
    const { screenTrack } = this.store.get()
    if (screenTrack === undefined) return
    screenTrack.stop()
    this.store.set({ screenTrack: undefined })
    this.say('say.sharingOff')
    await this.conference.setSource('screen', undefined)
  }

  /** A cable that is pulled, or a permission that is taken away during the call. */
  #watchEnd(kind: 'camera' | 'microphone', track: MediaStreamTrack | undefined): void {
    const key = kind === 'camera' ? 'cameraTrack' : 'microphoneTrack'
    track?.addEventListener('ended', () => {
      if (this.#closed || this.store.get()[key] !== track) return
      this.store.set({ [key]: undefined })
      const t = this.#translate()
      this.notify(t('device.ended', { device: t(`device.${kind}`) }), true)
      void this.conference.setSource(kind, undefined)
    })
  }

  /** Does now what was pressed too early. */
  async #onSelfKnown(): Promise<void> {
    this.store.set({ selfKnown: true })
    const pressed = [...this.#pressed]
    this.#pressed.clear()
    // One after the other: two devices are not opened at once.
    if (pressed.includes('microphone')) await this.toggleMicrophone()
    if (pressed.includes('camera')) await this.toggleCamera()
  }

  /** A press before the server has said what one may send waits for its word; another takes it back. */
  #isForLater(use: 'microphone' | 'camera'): boolean {
    if (this.store.get().selfKnown) return false
    if (!this.#pressed.delete(use)) this.#pressed.add(use)
    return true
  }

  #allowed(use: SourceUse): boolean {
    if (this.permits(use)) return true
    this.notify(this.#translate()('control.notOnStage'))
    return false
  }

  #problem(kind: DeviceKind, problem: string): void {
    const t = this.#translate()
    const device = t(`device.${kind}`)
    this.notify(t(keyOr(`device.${problem}`, 'device.failed'), { device }), true)
  }

  #refused(error: unknown): void {
    const t = this.#translate()
    const code = error instanceof ConferenceError ? error.code : 'other'
    if (code === 'ended') return
    const offline = code === 'connection-lost' || code === 'timeout'
    const key = offline ? 'error.offline' : keyOr(`error.${code}`, 'error.other')
    this.notify(t(key, { code }))
  }
}
