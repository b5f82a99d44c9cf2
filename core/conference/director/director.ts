/**
 * Who is heard and who is seen by default (docs/ARCHITECTURE.md §5): levels, stage and pin in;
 * assignments out. Pure and driven by reports alone. Deliberately without decoding, mixing or views
 * of single participants beyond their tiles.
 */
import type { SourceUse } from '../../media/control.ts'
import { ActiveSpeaker } from './active-speaker.ts'
import { AudioSlots } from './audio-slots.ts'

/** Live and unmuted publications of a stage member; 0 = none. Ids as in core/media/control.ts. */
export type StageSources = {
  participant: string
  microphone: number
  camera: number
  screen: number
}

/** Same shape as RoomAssignment of core/media/control.ts. */
type Assignment = { audio: number[]; main: number; mainFallback: number }

/** PROTOCOL `speakers`: who spoke last, and who stands in the audio slots. */
type Speakers = { active: string | null; heard: string[] }

export interface Director {
  /** The stage in its stable order (as in RoomSummary.stage), whenever a source or a mute changes. */
  setStage(stage: readonly StageSources[], nowMs: number): void
  setPin(pin: { participant: string; use: SourceUse } | null): void
  /** Levels in -dBov (0 loud, 127 silent), every 50 ms; publications of other rooms are ignored. */
  onLevels(levels: readonly (readonly [number, number])[], nowMs: number): void
  /** The assignment when it differs from the last one taken, else undefined. */
  takeAssignment(): Assignment | undefined
  /** The speakers when they differ from the last ones taken, else undefined. */
  takeSpeakers(): Speakers | undefined
  /**
   * Camera publications for a participant's tiles: others on stage, in stage order, 0 = empty. Those of `previous`
   * stay where they are while they live.
   */
  tiles(participant: string, slotCount: number, previous?: readonly number[]): number[]
}

/** `audioSlotCount` (1..16, default 3) is how many are heard at once. */
export function createDirector(audioSlotCount = 3): Director {
  return new RoomDirector(audioSlotCount)
}

class RoomDirector implements Director {
  readonly #audio: AudioSlots
  readonly #speaker = new ActiveSpeaker()
  #stage: readonly StageSources[] = []
  #pin: { participant: string; use: SourceUse } | null = null
  /** Live screens in order of starting; the newest is shown. */
  #screens: number[] = []
  #main = 0
  #fallback = 0
  #taken: Assignment | undefined
  #speakersTaken: Speakers | undefined

  constructor(audioSlotCount: number) {
    this.#audio = new AudioSlots(audioSlotCount)
  }

  setStage(stage: readonly StageSources[], nowMs: number): void {
    this.#stage = stage
    const screens = stage.map(({ screen }) => screen).filter((screen) => screen !== 0)
    const kept = this.#screens.filter((screen) => screens.includes(screen))
    this.#screens = [...kept, ...screens.filter((screen) => !kept.includes(screen))]
    const microphones = stage.map(({ microphone }) => microphone).filter((id) => id !== 0)
    this.#audio.setMicrophones(microphones, nowMs)
    this.#speaker.keep(stage.map(({ participant }) => participant))
  }

  setPin(pin: { participant: string; use: SourceUse } | null): void {
    this.#pin = pin
  }

  onLevels(levels: readonly (readonly [number, number])[], nowMs: number): void {
    this.#audio.onLevels(levels, nowMs)
    const loudest = this.#audio.loudest()
    const owner = this.#stage.find(({ microphone }) => microphone === loudest.publicationId)
    const active = this.#stage.find(({ participant }) => participant === this.#speaker.active)
    this.#speaker.onLoudest({
      participant: loudest.isSpeech ? (owner?.participant ?? null) : null,
      leadDb: loudest.loudnessDb - this.#audio.loudnessDbOf(active?.microphone ?? 0),
      nowMs,
    })
  }

  takeAssignment(): Assignment | undefined {
    this.#main = this.#pickMain()
    this.#fallback = this.#pickFallback()
    const next = { audio: [...this.#audio.slots], main: this.#main, mainFallback: this.#fallback }
    if (this.#taken !== undefined && sameAssignment(this.#taken, next)) return undefined
    this.#taken = next
    return { ...next, audio: [...next.audio] }
  }

  takeSpeakers(): Speakers | undefined {
    const heard: string[] = []
    for (const slot of this.#audio.slots) {
      const owner = slot && this.#stage.find(({ microphone }) => microphone === slot)
      if (owner) heard.push(owner.participant)
    }
    const next: Speakers = { active: this.#speaker.active, heard }
    const last = this.#speakersTaken
    if (last?.active === next.active && sameList(last.heard, heard)) return undefined
    this.#speakersTaken = next
    return { active: next.active, heard: [...heard] }
  }

  tiles(participant: string, slotCount: number, previous: readonly number[] = []): number[] {
    const others = this.#stage
      .filter((member) => member.participant !== participant && member.camera !== 0)
      .map(({ camera }) => camera)
    const tiles = new Array<number>(slotCount).fill(0)
    for (let slot = 0; slot < slotCount; slot += 1) {
      const camera = previous[slot] ?? 0
      if (others.includes(camera) && !tiles.includes(camera)) tiles[slot] = camera
    }
    const waiting = others.filter((camera) => !tiles.includes(camera))
    return tiles.map((camera) => (camera === 0 ? (waiting.shift() ?? 0) : camera))
  }

  #pickMain(): number {
    const pinned = this.#sourceOf(this.#pin?.participant, this.#pin?.use ?? 'camera')
    if (pinned !== 0) return pinned
    const screen = this.#screens.at(-1)
    if (screen !== undefined) return screen
    const speaking = this.#sourceOf(this.#speaker.active ?? undefined, 'camera')
    if (speaking !== 0) return speaking
    if (this.#isCamera(this.#main)) return this.#main
    return this.#stage.find(({ camera }) => camera !== 0)?.camera ?? 0
  }

  /** What the publisher of the main picture sees: whoever spoke last but him, else what he saw, else anybody. */
  #pickFallback(): number {
    const publisher = this.#stage.find((member) => owns(member, this.#main))?.participant
    for (const speaker of this.#speaker.recent) {
      const camera = speaker === publisher ? 0 : this.#sourceOf(speaker, 'camera')
      if (camera !== 0) return camera
    }
    const others = this.#stage.filter((member) => member.participant !== publisher)
    const kept = others.find(({ camera }) => camera !== 0 && camera === this.#fallback)
    return (kept ?? others.find(({ camera }) => camera !== 0))?.camera ?? 0
  }

  #sourceOf(participant: string | undefined, use: SourceUse): number {
    if (participant === undefined) return 0
    const member = this.#stage.find((other) => other.participant === participant)
    return use === 'microphone' ? 0 : (member?.[use] ?? 0)
  }

  #isCamera(publicationId: number): boolean {
    return publicationId !== 0 && this.#stage.some(({ camera }) => camera === publicationId)
  }
}

function owns(member: StageSources, publicationId: number): boolean {
  if (publicationId === 0) return false
  return member.camera === publicationId || member.screen === publicationId
}

function sameAssignment(a: Assignment, b: Assignment): boolean {
  return a.main === b.main && a.mainFallback === b.mainFallback && sameList(a.audio, b.audio)
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}
