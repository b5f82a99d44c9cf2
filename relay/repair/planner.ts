/**
 * Keeps a link's plan from swinging: it is made for the worst of the last 15 to 30 seconds, so that what becomes worse
 * counts at once and what becomes better has to stay so; every change of a hold is heard.
 */
import { planRepair, type RepairFacts, type RepairPlan } from './plan.ts'

/** The worst is that of this and the previous window. */
const WINDOW_MS = 15_000
/** Changes below this share change nothing. */
const CHANGE_RATIO = 1.25
/** Runs of loss that is hardly there say nothing. */
const LOSS_RATIO_MIN = 0.003

const CLEAN: RepairFacts = {
  lossRatio: 0,
  lossBurst: 1,
  rttMs: 50,
  rateBps: 1_000_000,
  audioBps: 0,
  datagramsPerS: 50,
}

/** `update` about once a second with the sender's facts. */
export class RepairPlanner {
  #windowEndMs = Number.NEGATIVE_INFINITY
  #worst: RepairFacts | undefined
  #worstBefore: RepairFacts | undefined
  #planned = CLEAN

  /** What holds now; another object when it has changed. */
  plan: RepairPlan = planRepair(CLEAN)

  update(facts: RepairFacts, nowMs: number): RepairPlan {
    if (nowMs >= this.#windowEndMs) {
      this.#windowEndMs = nowMs + WINDOW_MS
      this.#worstBefore = this.#worst
      this.#worst = undefined
    }
    this.#worst = worstOf(facts, this.#worst)
    const worst = worstOf(this.#worst, this.#worstBefore)
    if (isAlike(worst, this.#planned)) return this.plan
    this.#planned = worst
    this.plan = planRepair(worst)
    return this.plan
  }
}

function worstOf(now: RepairFacts, before: RepairFacts | undefined): RepairFacts {
  if (before === undefined) return now
  return {
    lossRatio: Math.max(now.lossRatio, before.lossRatio),
    lossBurst: Math.max(burstOf(now), burstOf(before)),
    rttMs: Math.max(now.rttMs, before.rttMs),
    rateBps: Math.min(now.rateBps, before.rateBps),
    audioBps: Math.max(now.audioBps, before.audioBps),
    datagramsPerS: Math.min(now.datagramsPerS, before.datagramsPerS),
  }
}

function burstOf({ lossRatio, lossBurst }: RepairFacts): number {
  return lossRatio < LOSS_RATIO_MIN ? 1 : lossBurst
}

function isAlike(a: RepairFacts, b: RepairFacts): boolean {
  return (
    isNear(Math.max(LOSS_RATIO_MIN, a.lossRatio), Math.max(LOSS_RATIO_MIN, b.lossRatio)) &&
    isNear(burstOf(a), burstOf(b)) &&
    isNear(Math.max(20, a.rttMs), Math.max(20, b.rttMs)) &&
    isNear(a.rateBps, b.rateBps) &&
    isNear(Math.max(1_000, a.audioBps), Math.max(1_000, b.audioBps)) &&
    isNear(a.datagramsPerS, b.datagramsPerS)
  )
}

function isNear(a: number, b: number): boolean {
  return a < b * CHANGE_RATIO && b < a * CHANGE_RATIO
}
