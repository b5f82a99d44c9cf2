/** The director (docs/ARCHITECTURE.md §5): API declared first, implementation follows. */

/** Live and unmuted publications of a stage member; 0 = none. Ids as in core/media/control.ts. */
export type StageSources = {
  participant: string
  microphone: number
  camera: number
  screen: number
}

/** Same shape as RoomAssignment of core/media/control.ts. */
export type Assignment = { audio: number[]; main: number; mainFallback: number }

/** PROTOCOL `speakers`. */
export type Speakers = { active: string | null; heard: string[] }

export interface Director {
  /** The stage in its stable order (as in RoomSummary.stage), whenever a source or a mute changes. */
  setStage(stage: readonly StageSources[], nowMs: number): void
  setPin(pin: { participant: string; use: 'microphone' | 'camera' | 'screen' } | null): void
  /** Levels in -dBov (0 loud, 127 silent), every 50 ms; publications of other rooms are ignored. */
  onLevels(levels: readonly (readonly [number, number])[], nowMs: number): void
  /** The assignment when it differs from the last one taken, else undefined. */
  takeAssignment(nowMs: number): Assignment | undefined
  takeSpeakers(): Speakers | undefined
  /** Camera publications for a participant's tiles: others on stage, sticky, 0 = empty. */
  tiles(participant: string, slotCount: number, previous?: readonly number[]): number[]
}
