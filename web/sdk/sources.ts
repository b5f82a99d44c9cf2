/**
 * What this participant wants to send, and what the room was told of it: keeps both equal, over refusals, changes of
 * permission and lost connections. Deliberately holds no device.
 */
import { ConferenceError } from './errors.ts'
import type { ClientMessage, SelfState, ServerMessage, SourceUse } from './messages.ts'

export type SourcesOptions = {
  request: (message: ClientMessage) => Promise<ServerMessage>
  setTrack: (use: SourceUse, track: MediaStreamTrack | undefined) => Promise<void>
  onError: (error: ConferenceError) => void
}

const USES: readonly SourceUse[] = ['microphone', 'camera', 'screen']

export class Sources {
  readonly #options: SourcesOptions
  readonly #tracks = new Map<SourceUse, MediaStreamTrack>()
  readonly #muted = new Set<SourceUse>()
  /** Sources that the room believes to be live. */
  readonly #announced = new Set<SourceUse>()
  #permitted: readonly SourceUse[] = []

  constructor(options: SourcesOptions) {
    this.#options = options
  }

  async set(use: SourceUse, track: MediaStreamTrack | undefined): Promise<void> {
    if (track === undefined) this.#tracks.delete(use)
    else {
      track.enabled = !this.#muted.has(use)
      this.#tracks.set(use, track)
    }
    await this.#options.setTrack(use, track)
    await this.#settle(use)
  }

  async setMuted(use: SourceUse, muted: boolean): Promise<void> {
    if (muted) this.#muted.add(use)
    else this.#muted.delete(use)
    const track = this.#tracks.get(use)
    if (track !== undefined) track.enabled = !muted
    // Not live yet: the room hears of it together with `publish`.
    if (this.#announced.has(use)) await this.#send({ type: 'mute', use, muted })
  }

  permitted(self: SelfState): void {
    this.#permitted = self.permitted
    for (const use of this.#announced)
      if (!self.permitted.includes(use)) this.#announced.delete(use)
    this.#settleAll()
  }

  rejoined({ resumed, self }: { resumed: boolean; self: SelfState }): void {
    if (!resumed) {
      this.#announced.clear()
      // What is permitted now, the server says in `self`, which follows `joined`.
      this.#permitted = []
      return
    }
    this.#permitted = self.permitted
    // What was muted or changed while the connection was away has not been heard.
    for (const use of this.#announced)
      void this.#send({ type: 'mute', use, muted: this.#muted.has(use) })
    this.#settleAll()
  }

  #settleAll(): void {
    for (const use of USES) void this.#settle(use)
  }

  async #settle(use: SourceUse): Promise<void> {
    const live = this.#tracks.has(use) && this.#permitted.includes(use)
    if (live === this.#announced.has(use)) return
    if (live) {
      this.#announced.add(use)
      await this.#send({ type: 'mute', use, muted: this.#muted.has(use) })
    } else this.#announced.delete(use)
    const accepted = await this.#send({ type: 'publish', use, live })
    if (accepted) return
    // Not what the room believes: the next change or reconnect tries again.
    if (live) this.#announced.delete(use)
    else this.#announced.add(use)
  }

  async #send(message: ClientMessage): Promise<boolean> {
    try {
      await this.#options.request(message)
      return true
    } catch (error) {
      if (error instanceof ConferenceError && error.code !== 'connection-lost')
        this.#options.onError(error)
      return false
    }
  }
}
