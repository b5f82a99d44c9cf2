/** Connects the stage of each room with the keeper: the desk decides, this has the clock. For main.ts. */
import type { SourceUse } from '../media/control.ts'
import type { Keeper } from './io/keeper-host.ts'
import { KeeperDesk, type ShownStage } from './keeper-desk.ts'

/** What is here to be heard and seen, told as it changes (relay/stage-port.ts StagePort). */
export type ObservedStage = {
  observe: (observer: {
    onTrack: (
      publicationId: number,
      track: { room: string; participant: string; use: SourceUse },
    ) => void
    onTrackGone: (publicationId: number) => void
    onShown: (shown: ShownStage) => void
  }) => void
}

export type KeepStagesOptions = {
  keeper: Keeper
  stage: ObservedStage
  letCross: (publicationId: number, on: boolean) => void
  nameOf: (room: string, participant: string) => string
  clock: { nowMs: () => number }
}

const TICK_MS = 1_000

/** Records from now on; returns how to stop it. */
export function keepStages({
  keeper,
  stage,
  letCross,
  nameOf,
  clock,
}: KeepStagesOptions): () => void {
  const desk = new KeeperDesk({
    nameOf,
    letCross,
    keep: (order) => keeper.keep(order),
    drop: (publicationId) => keeper.drop(publicationId),
  })
  stage.observe({
    onTrack: (publicationId, track) => desk.onTrack(publicationId, track, clock.nowMs()),
    onTrackGone: (publicationId) => desk.onTrackGone(publicationId),
    onShown: (shown) => desk.onShown(shown, clock.nowMs()),
  })
  const ticker = setInterval(() => desk.tick(clock.nowMs()), TICK_MS)
  return () => clearInterval(ticker)
}
