/**
 * What the load process builds sites from, and what a site tells: types only. A player is one
 * participant of one site; its owner (bench/load) says when it joins and what it does, and reads
 * what it saw.
 */
import type { Histogram } from 'hdr-histogram-js'
import type { LayerPlan } from './media-source.ts'

/**
 * How closely a site looks at what it receives. `headers`: counts by header, opens nothing.
 * `sampled`: the same, and opens one packet in `sampleEvery` (latency, layer, whether the content
 * is whole). `full`: opens all, and knows which frame could be decoded.
 */
export type SiteDepth = 'headers' | 'sampled' | 'full'

/** Steps of joining, in order; a site that cannot join names the one that failed. */
export type JoinStep = 'door' | 'join' | 'offer' | 'ice' | 'dtls'

/** What a site sends. Absent parts are not negotiated. */
export type SendPlan = {
  audio?: {
    /** Opus payload of one 20 ms frame, 30 at least. */
    payloadBytes: number
    /** Sends next to nothing while silent, as RFC 6716 §2.1.9 has it. */
    dtx: boolean
  }
  video?: {
    framesPerSecond: number
    /** Three temporal layers (0 2 1 2), else one. */
    temporal: boolean
    /** Lowest picture first; one with rid '' = no simulcast. */
    layers: readonly LayerPlan[]
    use: 'camera' | 'screen'
  }
}

/** What a site receives, and how large it draws it (device pixels). */
export type ReceivePlan = {
  /** Audio slots, 0..8. */
  audio: number
  main?: { widthPx: number; heightPx: number }
  /** Tiles, 0..24, all of one size. */
  tiles: { count: number; widthPx: number; heightPx: number }
}

/** What a site sends back about what it receives. Receiver reports are always sent. */
export type FeedbackPlan = {
  /**
   * Negotiates transport-wide feedback both ways: the server estimates by it, and so does a site
   * that sends.
   */
  transportWide: boolean
  /** Asks again for video that is missing. */
  nack: boolean
  /** Asks for a key frame when no decoder could go on. */
  pli: boolean
}

export type SitePlayerOptions = {
  id: string
  /**
   * Distinguishes the sites of a run, 0..2^24-1: SSRCs and the phase of samples and reports are
   * derived from it.
   */
  number: number
  /** `ws://host:port/ws`; may be the near end of an emulated link. */
  doorUrl: string
  /** Where media goes instead of the answer's candidates: the near end of an emulated link. */
  mediaVia?: { address: string; port: number }
  /** One token for the life of the site: a resume needs the same. */
  token: string
  send?: SendPlan
  receive: ReceivePlan
  feedback: FeedbackPlan
  depth: SiteDepth
  /** One packet in so many is opened at depth `sampled`. */
  sampleEvery: number
  /**
   * Where this site's latencies are counted (bench/load: one pair a group); default: the context's.
   */
  latencies?: LatencyHistograms
  /** 0..1, for backoff; seeded by the owner. */
  random: () => number
  /** Whether a lost WebSocket comes back by itself, as the web SDK does it. Default true. */
  reconnects?: boolean
  /** Something worth a line in the log: lost, resumed, joined anew, media gone. */
  onEvent?: (what: string, nowMs: number) => void
}

/** Milliseconds by step of the last join. */
export type JoinSteps = {
  doorMs: number
  joinMs: number
  offerMs: number
  iceMs: number
  dtlsMs: number
}

/** How a join ended; it never throws. */
export type JoinOutcome =
  | { joined: true; joinMs: number; steps: JoinSteps }
  | { joined: false; failedAt: JoinStep; whyFailed: string }

/**
 * idle: before the first join, and after `leave`. away: the WebSocket is lost and will come back;
 * media may flow.
 */
export type PlayerState = 'idle' | 'joining' | 'joined' | 'away' | 'failed'

/** What `SiteReport` wants of one site. */
export type PlayerReport = {
  joined: boolean
  failedAt?: JoinStep
  whyFailed?: string
  joinMs?: number
  steps?: Record<string, number>
  /** Names and units in figures.ts; only what was measured. */
  figures: Record<string, number>
  /** In words, worst first. */
  why: string[]
}

/** Microseconds, 3 digits, 1 us..60 s; of the whole process, by class. Mergeable. */
export type LatencyHistograms = { audio: Histogram; video: Histogram }

/**
 * Sums of one site since it was made, over all its joins and streams; `restartMeasure` does not
 * touch them. bench/load reads them every second of every site (live loss, bitrates) and adds them
 * up over groups: ratios of a run are ratios of sums.
 */
export type PlayerTotals = {
  audioPackets: number
  /**
   * Audio packets that never came (by sequence numbers), and how many of both there should have
   * been.
   */
  audioLost: number
  audioExpected: number
  videoPackets: number
  videoLost: number
  videoExpected: number
  /** On its link: all datagrams with their UDP payload, RTCP and STUN included. */
  receivedBytes: number
  sentBytes: number
  sentPackets: number
  /** Of the playout model: frames due, and those that had to be concealed. */
  audioFrames: number
  audioConcealed: number
  framesComplete: number
  framesLate: number
  freezes: number
  frozenMs: number
  /** Time during which a picture should have been there, ms: what frozenMs is a part of. */
  watchedMs: number
  /**
   * Opened and checked; found wrong among these (bad authentication, content not what was sent).
   */
  checked: number
  checkFailed: number
}

/** One participant of a site. Made by `createSitePlayer`; nothing happens before `join`. */
export interface SitePlayer {
  readonly id: string
  readonly state: PlayerState
  /**
   * Spatial layer of the main picture (else of the first tile) as last seen, 0 lowest; -1 when
   * nothing is shown or known.
   */
  readonly layerNow: number
  /** Joins, negotiates, publishes and views. Also after `leave` and after a failure. */
  join(): Promise<JoinOutcome>
  /** Sound from now on of this level, 0 (loud)..127 (silent) -dBov. */
  speak(levelDbov: number): void
  /** Tells the room; a muted microphone sends silence, as browsers do. */
  mute(muted: boolean): Promise<void>
  /** Sets whether the camera (or screen) is live. */
  show(live: boolean): Promise<void>
  raiseHand(raised: boolean): Promise<void>
  chat(text: string): Promise<void>
  /** The poll that was opened last, as far as it was told. */
  readonly poll: string | undefined
  /** A request of docs/PROTOCOL.md that has no method of its own; rejects with what the server said against it. */
  ask(request: Record<string, unknown> & { type: string }): Promise<void>
  /** Says goodbye; the site can `join` again. */
  leave(): Promise<void>
  /**
   * Loses the WebSocket without a word, then comes back: within the session, or as if it had been
   * forgotten.
   */
  comeBack(how: 'resume' | 'fresh'): Promise<JoinOutcome>
  /** Gone without a word, like a pulled plug. Idempotent. */
  drop(): void
  /** An outage of this site's link has just ended: resync is counted from here. */
  linkHealed(nowMs: number): void
  /** Forgets what was seen, keeps what is known: a new measured time begins. */
  restartMeasure(nowMs: number): void
  report(nowMs: number): PlayerReport
  /** Cheap: writes into `into` and returns it. */
  totals(into: PlayerTotals, nowMs: number): PlayerTotals
  /** When `tick` has something to do next, ms of performance.now. */
  nextDeadlineMs(): number
  /** Sends what is due. SiteDriver does this for all sites of a process. */
  tick(nowMs: number): void
}
