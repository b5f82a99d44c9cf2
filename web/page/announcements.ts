/** What a screen reader says of the room: speaker, hands, chat, in whole sentences and not too often. */
import type { ChatEntry, ConferenceState } from '../sdk/index.ts'
import type { Translate } from './i18n/index.ts'

export type AnnouncementOptions = {
  translate: () => Translate
  nameOf: (participant: string) => string
  say: (text: string) => void
}

/** A long message is not read out to its end. */
const SPOKEN_CHAT_LENGTH_MAX = 160

export class Announcements {
  readonly #options: AnnouncementOptions
  #lastSpeaker: string | null = null

  constructor(options: AnnouncementOptions) {
    this.#options = options
  }

  change(before: ConferenceState, now: ConferenceState): void {
    this.#speaker(now)
    if (before.me !== undefined) this.#hands(before, now)
  }

  chat(entries: readonly ChatEntry[], self: string | undefined): void {
    const last = entries.filter((entry) => entry.participant !== self).at(-1)
    if (last === undefined) return
    const text = last.text.slice(0, SPOKEN_CHAT_LENGTH_MAX)
    this.#options.say(this.#options.translate()('say.chat', { name: last.name, text }))
  }

  #speaker({ active, me }: ConferenceState): void {
    if (active === null || active === this.#lastSpeaker) return
    this.#lastSpeaker = active
    const name = this.#options.nameOf(active)
    if (name === '' || active === me?.participant) return
    this.#options.say(this.#options.translate()('say.speaker', { name }))
  }

  #hands(before: ConferenceState, now: ConferenceState): void {
    const raised = now.hands.filter(
      (hand) => !before.hands.includes(hand) && hand !== now.me?.participant,
    )
    const latest = raised.at(-1)
    if (latest === undefined) return
    const name = this.#options.nameOf(latest)
    const t = this.#options.translate()
    this.#options.say(
      name === '' ? t('say.handSomeone', { count: now.hands.length }) : t('say.hand', { name }),
    )
  }
}
