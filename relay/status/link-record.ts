/** The last ten minutes of one link: means over steps of five seconds, in one block of numbers. */
import { STATUS_HISTORY_STEP_MS, STATUS_HISTORY_STEPS } from '../../config/limits.ts'
import { TRUNK_CLASSES } from '../trunk/contract.ts'
import type { DirectionHistory, LinkHistory, LinkStatus } from './trunk-status.ts'

const CLASSES = TRUNK_CLASSES.length
/** Count, RTT, and for each way: estimate, used, loss, shares. */
const WAY_FIELDS = 3 + CLASSES
const DOWN = 2
const UP = DOWN + WAY_FIELDS
const FIELDS = UP + WAY_FIELDS

/** 11 KB each. */
export class LinkRecord {
  readonly #steps = new Float32Array(STATUS_HISTORY_STEPS * FIELDS)
  #newest = 0

  /** Adds one look at the link. A clock that jumps back begins a new record. */
  add(link: LinkStatus, wallMs: number): void {
    const step = Math.floor(wallMs / STATUS_HISTORY_STEP_MS)
    if (step < this.#newest - 1) this.#steps.fill(0)
    const isFar = Math.abs(step - this.#newest) >= STATUS_HISTORY_STEPS
    if (isFar) this.#steps.fill(0)
    else for (let next = this.#newest + 1; next <= step; next++) this.#at(next).fill(0)
    this.#newest = step
    const fields = this.#at(step)
    fields[0]! += 1
    fields[1]! += link.rttMs
    addWay(fields.subarray(DOWN, UP), link.down)
    addWay(fields.subarray(UP), link.up)
  }

  history(nodeId: string, wallMs: number): LinkHistory {
    const last = Math.floor(wallMs / STATUS_HISTORY_STEP_MS)
    const first = last - STATUS_HISTORY_STEPS + 1
    const column = (field: number): (number | null)[] =>
      Array.from({ length: STATUS_HISTORY_STEPS }, (_, i) => this.#mean(first + i, field))
    const way = (from: number): DirectionHistory => ({
      estimateBps: column(from),
      usedBps: column(from + 1),
      lossRatio: column(from + 2),
      shares: TRUNK_CLASSES.map((_, i) => column(from + 3 + i)),
    })
    return {
      nodeId,
      stepMs: STATUS_HISTORY_STEP_MS,
      fromMs: first * STATUS_HISTORY_STEP_MS,
      rttMs: column(1),
      down: way(DOWN),
      up: way(UP),
    }
  }

  #mean(step: number, field: number): number | null {
    if (step > this.#newest || step <= this.#newest - STATUS_HISTORY_STEPS) return null
    const fields = this.#at(step)
    const count = fields[0]!
    if (count === 0) return null
    const mean = fields[field]! / count
    // Ratios need their places, rates do not.
    return mean < 10 ? Math.round(mean * 10_000) / 10_000 : Math.round(mean)
  }

  #at(step: number): Float32Array {
    const slot = step % STATUS_HISTORY_STEPS
    return this.#steps.subarray(slot * FIELDS, (slot + 1) * FIELDS)
  }
}

function addWay(fields: Float32Array, way: LinkStatus['down']): void {
  fields[0]! += way.estimateBps
  fields[1]! += way.usedBps
  fields[2]! += way.lossRatio
  for (let i = 0; i < CLASSES; i++) fields[3 + i]! += way.shares[i] ?? 0
}
