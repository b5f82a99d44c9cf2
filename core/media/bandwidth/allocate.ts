/**
 * What to send to one participant with what its link can carry: base layers first (main before tiles), then
 * enhancement of main, then of tiles. Audio is not here: it is always sent, and its rate is taken off before.
 * A pure function over the engine's slots; hysteresis lives in the slots, so that nothing flickers.
 */
import type { AllocationResult, AllocationSlot, LayerOffer } from './seam.ts'

/** An upgrade must fit with this much to spare ... */
const UPGRADE_HEADROOM = 1.15
/** ... for this long. The first picture of a slot and a resume after a pause wait less. */
const UPGRADE_HOLD_MS = 1500
const RESUME_HOLD_MS = 500
/** A layer may be enlarged this much before the next one is worth its bits. */
const ENLARGE_MAX = 1.4

/**
 * Sets `spatial`, `temporal` and `spatialWanted` of every slot. Never spends more than `availableBps`, except for
 * nothing: a slot that does not fit is paused (-1). `slots` may be in any order; it is not kept.
 */
export function allocate(
  slots: readonly AllocationSlot[],
  availableBps: number,
  nowMs: number,
): AllocationResult {
  const ordered = [...slots].sort(byImportance)
  const present = ordered.map((slot) => ({ spatial: slot.spatial, temporal: slot.temporal }))
  const wantedBps = ordered.reduce((sum, slot) => sum + want(slot), 0)
  const firm = fill(ordered, availableBps)
  const roomy = fill(ordered, availableBps / UPGRADE_HEADROOM)
  let spentBps = 0
  ordered.forEach((slot, index) => {
    const now = present[index] as Step
    settle(slot, { present: now, firm: firm[index] as Step, roomy: roomy[index] as Step }, nowMs)
    spentBps += costBps(slot, slot)
  })
  return { spentBps: trim(ordered, spentBps, availableBps), wantedBps }
}

type Step = { spatial: number; temporal: number }

const PAUSED: Step = { spatial: -1, temporal: 0 }

function byImportance(a: AllocationSlot, b: AllocationSlot): number {
  if (a.use !== b.use) return a.use === 'main' ? -1 : 1
  return a.index - b.index
}

/** Sets `spatialWanted` from the drawn size and returns what that would cost in bit/s. */
function want(slot: AllocationSlot): number {
  slot.spatialWanted = -1
  if (slot.heightPx <= 0 || slot.layers.length === 0) return 0
  const { layers } = slot
  const flows = layers.some((layer) => layer.bitrateBps > 0)
  for (let spatial = 0; spatial < layers.length; spatial += 1) {
    const layer = layers[spatial] as LayerOffer
    if (flows && layer.bitrateBps === 0) continue
    slot.spatialWanted = spatial
    if (layer.heightPx * ENLARGE_MAX >= slot.heightPx) break
  }
  return costBps(slot, { spatial: slot.spatialWanted, temporal: 3 })
}

function costBps(slot: AllocationSlot, step: Step): number {
  const layer = slot.layers[step.spatial]
  if (step.spatial < 0 || layer === undefined) return 0
  return layer.bitrateBps * (layer.temporalShare[Math.min(step.temporal, 3)] ?? 1)
}

/** The steps of a slot from cheapest to dearest. Screens keep their size and lose frames instead. */
function ladder(slot: AllocationSlot): Step[] {
  const steps: Step[] = []
  for (let spatial = 0; spatial <= slot.spatialWanted; spatial += 1) {
    const layer = slot.layers[spatial]
    if (layer === undefined) continue
    const idle = layer.bitrateBps === 0 && slot.layers.some((other) => other.bitrateBps > 0)
    if (idle) continue
    for (let temporal = 0; temporal < layer.temporalMax; temporal += 1) {
      if (spatial === 0 || slot.screen) steps.push({ spatial, temporal })
    }
    steps.push({ spatial, temporal: 3 })
  }
  return steps
}

/** Greedy in rounds: everyone's first step in order of importance, then main to its top, then tiles by steps. */
function fill(ordered: readonly AllocationSlot[], budgetBps: number): Step[] {
  const ladders = ordered.map(ladder)
  const levels = ordered.map(() => -1)
  let leftBps = budgetBps
  const climb = (index: number): boolean => {
    const slot = ordered[index] as AllocationSlot
    const step = ladders[index]?.[(levels[index] as number) + 1]
    if (step === undefined) return false
    const current = ladders[index]?.[levels[index] as number] ?? PAUSED
    const extraBps = costBps(slot, step) - costBps(slot, current)
    if (extraBps > leftBps) return false
    leftBps -= extraBps
    levels[index] = (levels[index] as number) + 1
    return true
  }
  const all = ordered.map((_, index) => index)
  const mains = all.filter((index) => ordered[index]?.use === 'main')
  const tiles = all.filter((index) => ordered[index]?.use === 'tile')
  for (const index of all) climb(index)
  for (const index of mains) while (climb(index));
  let climbing = tiles
  while (climbing.length > 0) climbing = climbing.filter(climb)
  return levels.map((level, index) => ladders[index]?.[level] ?? PAUSED)
}

/** Down at once, up only when the roomier budget has allowed it for a while. */
function settle(
  slot: AllocationSlot,
  { present, firm, roomy }: { present: Step; firm: Step; roomy: Step },
  nowMs: number,
): void {
  const unshown = slot.spatialWanted < 0
  if (unshown || !isAbove(firm, present)) {
    const down = unshown || isAbove(present, firm)
    if (down && slot.spatial >= 0) slot.lastChangeMs = nowMs
    apply(slot, unshown ? PAUSED : firm)
    slot.fitsSinceMs = 0
    return
  }
  if (!isAbove(roomy, present)) {
    slot.fitsSinceMs = 0
    return
  }
  const first = slot.lastChangeMs === 0
  if (slot.fitsSinceMs === 0) slot.fitsSinceMs = nowMs
  const holdMs = present.spatial < 0 ? RESUME_HOLD_MS : UPGRADE_HOLD_MS
  if (!first && nowMs - slot.fitsSinceMs < holdMs) return
  apply(slot, roomy)
  slot.lastChangeMs = nowMs
  slot.fitsSinceMs = 0
}

/** Slots that wait with an old, dearer mix may together exceed the budget: the least important give way. */
function trim(ordered: readonly AllocationSlot[], spentBps: number, availableBps: number): number {
  let leftBps = spentBps
  for (let index = ordered.length - 1; index >= 0 && leftBps > availableBps; index -= 1) {
    const slot = ordered[index] as AllocationSlot
    const steps = ladder(slot)
    while (leftBps > availableBps && slot.spatial >= 0) {
      const below = steps.filter((step) => isAbove(slot, step)).at(-1) ?? PAUSED
      leftBps += costBps(slot, below) - costBps(slot, slot)
      apply(slot, below)
    }
  }
  return leftBps
}

function isAbove(a: Step, b: Step): boolean {
  return a.spatial > b.spatial || (a.spatial === b.spatial && a.temporal > b.temporal)
}

function apply(slot: AllocationSlot, step: Step): void {
  slot.spatial = step.spatial
  slot.temporal = step.temporal
}
