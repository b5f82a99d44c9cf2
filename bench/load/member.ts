/**
 * A site as the load plays it, whatever its kind: synthetic sites (bench/site), sites that only
 * signal, browsers; a rival's sites as well. Types only.
 */
import type { LatencyHistograms, PlayerState, PlayerTotals } from '../site/index.ts'
import type { LoadGroup, LoadRoute } from './protocol.ts'

/** What a member is made of. */
export type MemberSpec = {
  /** `<group>-<number in it>`, unique in the run. */
  id: string
  /** Unique in the run, from 1. */
  number: number
  group: LoadGroup
  route: LoadRoute
  room: string
  /** Signed, of this site alone. */
  token: string
  /** Where its latencies are counted. */
  latencies: LatencyHistograms
  /** Seeded, of this site alone. */
  random: () => number
  /** False: it waits to be told to come back (behaviour `reconnect`). */
  reconnects: boolean
  onEvent: (what: string) => void
}

export type MemberOutcome =
  | { joined: true; joinMs: number; steps: Record<string, number> }
  | { joined: false; failedAt: string; whyFailed: string }

/**
 * What a member saw; the names of figures are those of bench/site/figures.ts, where they mean the
 * same.
 */
export type MemberReport = {
  joined: boolean
  failedAt?: string
  whyFailed?: string
  joinMs?: number
  steps?: Record<string, number>
  figures: Record<string, number>
  why: string[]
}

/**
 * One participant; nothing happens before `join`. No method but `report` may throw, and none
 * rejects but as it says.
 */
export type Member = {
  readonly id: string
  readonly state: PlayerState
  /** Spatial layer of the main picture, 0 lowest; -1 when nothing is shown or known. */
  readonly layerNow: number
  join(): Promise<MemberOutcome>
  comeBack(how: 'resume' | 'fresh'): Promise<MemberOutcome>
  leave(): Promise<void>
  /** Gone without a word. Idempotent. */
  drop(): void
  /** 0 (loud)..127 (silent) -dBov. */
  speak(levelDbov: number): void
  /** Rejects with what the server said against it. */
  raiseHand(raised: boolean): Promise<void>
  /** Rejects likewise. */
  chat(text: string): Promise<void>
  /** The poll that was opened last, as far as it was told. */
  readonly poll: string | undefined
  /** A request of docs/PROTOCOL.md that has no method of its own; rejects likewise. */
  ask(request: Record<string, unknown> & { type: string }): Promise<void>
  /** The outage of its link or node is over: resync is counted from here. */
  linkHealed(nowMs: number): void
  report(nowMs: number): MemberReport
  /** Writes its sums into `into` and returns it. */
  totals(into: PlayerTotals, nowMs: number): PlayerTotals
}

/** Makes members of one kind, and ends what they share. */
export type MemberMaker = {
  create(spec: MemberSpec): Member
  /** Called once a second: processes of its own, for the sampling of the kernel's books. */
  processes(): { id: string; pid: number }[]
  close(): Promise<void>
}
