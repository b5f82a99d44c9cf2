/**
 * What repairs a link: asking again where the round trip allows, redundancy where it does not, and how long the far
 * end holds frames for it. From measured loss and run lengths alone; how much each class may send is the budget's
 * affair (relay/budget), whose shares are respected here as bounds. The figures behind the numbers:
 * docs/adr/0013-repair.md.
 */

/** What is known of one direction of a link, as its sender sees it. */
export type RepairFacts = {
  /** Of datagrams, before repair, 0..1 (LossMeter). */
  lossRatio: number
  /** Mean length of runs of lost datagrams, >= 1. */
  lossBurst: number
  rttMs: number
  /** The estimate: all that may be sent, bit/s. */
  rateBps: number
  /** Audio sent now, without its redundancy. */
  audioBps: number
  datagramsPerS: number
}

export type RepairPlan = {
  /**
   * What is sent again when the far end asks. `all`: audio, base layers, then the others; `base`: base layers of
   * video only, as what parity leaves still ends a freeze.
   */
  nack: 'all' | 'base'
  /** How many frames of its stream later a copy of an audio frame goes, ascending; 0..2 entries. */
  audioDistances: readonly number[]
  /** Packets that one audio frame shall carry, 1..3 (AudioMerger). */
  audioMerge: number
  /** One parity frame after so many protected datagrams; 0 = none. Over the newest `parityWindow`. */
  parityEvery: number
  parityWindow: number
  /** Datagrams with audio but without a base layer are protected too. */
  isParityForAudio: boolean
  /** For the far end's ReleaseBuffers. 0 = hand out as they come. Audio is always paced. */
  audioHoldMs: number
  videoHoldMs: number
  isVideoPaced: boolean
  /** Expected share of audio frames lost after repair. */
  audioResidualRatio: number
}

/** Up to here asking again is quicker than people notice, and beyond it redundancy (issue 4, section C). */
const NACK_RTT_MS_MAX = 150
/** An extra delay of speech that a talk bears (G.114 plans 400 ms one way, of which a satellite takes 300). */
const AUDIO_HOLD_MS_MAX = 200
/** Pictures may lag: their slots are not synchronised with sound, and a hole costs a second of freeze. */
const VIDEO_HOLD_MS_MAX = 800
/** Where no answer comes within that, what parity needs. */
const PARITY_HOLD_MS = 600
/** Below this loss decoders' concealment is not heard. */
const LOSS_RATIO_MIN = 0.003
const AUDIO_RESIDUAL_RATIO_MAX = 0.005
const VIDEO_RESIDUAL_RATIO_MAX = 0.002
/** More losses than this, and a constant delay shows less than the holes that waiting for each would make. */
const PACED_LOSS_RATIO_MIN = 0.01
/** Audio with its copies takes at most this share of the link. */
const AUDIO_SHARE_MAX = 0.8
const PACKET_MS = 20
/** Datagrams do not leave exactly when a frame is ready. */
const SLACK_MS = 15
const REORDER_MS_MAX = 40

/** One parity after so many datagrams, from this loss on. */
const PARITY_STEPS = [
  { lossRatio: 0.15, every: 2 },
  { lossRatio: 0.08, every: 3 },
  { lossRatio: 0.03, every: 4 },
  { lossRatio: 0.015, every: 6 },
  { lossRatio: 0.005, every: 8 },
] as const

/** At these rates the headers of 50 datagrams a second (20 kbit/s) cost too much. */
const MERGE_STEPS = [
  { rateBps: 96_000, packets: 3 },
  { rateBps: 160_000, packets: 2 },
] as const

/** The plan for these facts. Without memory; RepairPlanner keeps it from swinging. */
export function planRepair(facts: RepairFacts): RepairPlan {
  const isShort = facts.rttMs < NACK_RTT_MS_MAX
  const merge = MERGE_STEPS.find(({ rateBps }) => facts.rateBps < rateBps)?.packets ?? 1
  const every = isShort ? 0 : parityEvery(facts)
  const audio = planAudio(facts, merge, isShort)
  const isParityForAudio = every > 0 && audio.audioDistances.length === 0
  // Parity comes after so many datagrams, each of which is a frame of audio then.
  if (isParityForAudio) audio.audioHoldMs += every * merge * PACKET_MS + SLACK_MS
  return {
    nack: isShort ? 'all' : 'base',
    audioMerge: merge,
    ...audio,
    parityEvery: every,
    parityWindow: every === 0 ? 0 : windowOf(facts),
    isParityForAudio,
    videoHoldMs: videoHoldMs(facts, isShort),
    isVideoPaced: facts.lossRatio >= PACED_LOSS_RATIO_MIN,
  }
}

/** Time for the answers that are needed until hardly a datagram is missing; on long paths one, beside the parity. */
function videoHoldMs({ rttMs, lossRatio }: RepairFacts, isShort: boolean): number {
  const triesMax = isShort ? 3 : 1
  let tries = 1
  while (tries < triesMax && unansweredRatio(lossRatio, tries) > VIDEO_RESIDUAL_RATIO_MAX)
    tries += 1
  const holdMs = Math.round(askingMs(rttMs, tries))
  return holdMs <= VIDEO_HOLD_MS_MAX ? holdMs : PARITY_HOLD_MS
}

/** From the gap to the answer of the last try, as NackTimer asks. */
function askingMs(rttMs: number, tries: number): number {
  const reorderMs = Math.min(REORDER_MS_MAX, Math.max(10, rttMs / 4))
  return reorderMs + (tries - 1) * Math.max(20, 1.4 * rttMs) + 1.15 * rttMs + SLACK_MS
}

/** Lost, and each time the question or the answer was lost too. */
function unansweredRatio(lossRatio: number, tries: number): number {
  return lossRatio * (1 - (1 - lossRatio) ** 2) ** tries
}

type AudioPlan = Pick<RepairPlan, 'audioDistances' | 'audioHoldMs' | 'audioResidualRatio'>

function planAudio(facts: RepairFacts, merge: number, isShort: boolean): AudioPlan {
  const { lossRatio } = facts
  const mergeMs = (merge - 1) * PACKET_MS
  if (lossRatio < LOSS_RATIO_MIN) {
    return { audioDistances: [], audioHoldMs: mergeMs, audioResidualRatio: lossRatio }
  }
  const asked = isShort ? planAsking(facts) : undefined
  if (asked !== undefined && asked.audioResidualRatio <= AUDIO_RESIDUAL_RATIO_MAX) {
    return { ...asked, audioHoldMs: asked.audioHoldMs + mergeMs }
  }
  const copied = planCopies(facts, merge)
  // Asking again heals what the copies leave, where its answer comes within the same hold.
  const residual = asked === undefined ? 1 : asked.audioResidualRatio / lossRatio
  const audioHoldMs = Math.max(copied.audioHoldMs, asked?.audioHoldMs ?? 0) + mergeMs
  return { ...copied, audioHoldMs, audioResidualRatio: copied.audioResidualRatio * residual }
}

/** As few tries as do it, if the hold allows. */
function planAsking({ lossRatio, rttMs }: RepairFacts): AudioPlan {
  let tries = 1
  while (
    unansweredRatio(lossRatio, tries) > AUDIO_RESIDUAL_RATIO_MAX &&
    askingMs(rttMs, tries + 1) <= AUDIO_HOLD_MS_MAX
  ) {
    tries += 1
  }
  return {
    audioDistances: [],
    audioHoldMs: Math.round(askingMs(rttMs, tries)),
    audioResidualRatio: unansweredRatio(lossRatio, tries),
  }
}

/** The fewest copies, then the shortest hold, that reach the wanted residue; else what comes nearest. */
function planCopies(facts: RepairFacts, merge: number): AudioPlan {
  const frameMs = merge * PACKET_MS
  const farthest = Math.max(2, Math.floor((AUDIO_HOLD_MS_MAX - SLACK_MS) / frameMs))
  const affordable = Math.floor((AUDIO_SHARE_MAX * facts.rateBps) / Math.max(1, facts.audioBps)) - 1
  let best: readonly number[] = []
  let bestResidual = facts.lossRatio
  for (const distances of candidates(farthest, Math.min(2, affordable))) {
    const residual = residualOf(facts, distances, frameMs)
    if (residual >= bestResidual) continue
    best = distances
    bestResidual = residual
    if (residual <= AUDIO_RESIDUAL_RATIO_MAX) break
  }
  const last = best.at(-1) ?? 0
  const audioHoldMs = last === 0 ? 0 : last * frameMs + SLACK_MS
  return { audioDistances: best, audioHoldMs, audioResidualRatio: bestResidual }
}

/** All distances for one copy, then all pairs, the shortest hold first. */
function candidates(farthest: number, copies: number): number[][] {
  const list: number[][] = []
  for (let last = 1; copies >= 1 && last <= farthest; last++) list.push([last])
  for (let last = 2; copies >= 2 && last <= farthest; last++) {
    for (let first = Math.ceil(last / 2); first >= 1; first--) list.push([first, last])
  }
  return list
}

/**
 * Share of frames that are lost with all their copies, on a Gilbert link: a datagram that lies n after a lost one is
 * lost too with p + (1 - p) × c^n, where c = 1 - 1 / (burst × (1 - p)).
 */
function residualOf(facts: RepairFacts, distances: readonly number[], frameMs: number): number {
  const { lossRatio, lossBurst, datagramsPerS } = facts
  const correlation = Math.max(0, 1 - 1 / (Math.max(1, lossBurst) * (1 - Math.min(0.9, lossRatio))))
  // At least one datagram a frame is sure; more between two frames often go out together.
  const datagramsPerFrame = Math.min(1, Math.max(0.25, (datagramsPerS * frameMs) / 1_000))
  let residual = lossRatio
  let before = 0
  for (const distance of distances) {
    const apart = (distance - before) * datagramsPerFrame
    residual *= lossRatio + (1 - lossRatio) * correlation ** apart
    before = distance
  }
  return residual
}

function parityEvery({ lossRatio, lossBurst, rttMs }: RepairFacts): number {
  const every = PARITY_STEPS.find((step) => lossRatio >= step.lossRatio)?.every ?? 0
  if (every === 0) return 0
  // Nothing but parity brings a datagram back in time there.
  const alone = askingMs(rttMs, 1) > VIDEO_HOLD_MS_MAX ? 1 : 0
  const single = lossBurst < 1.3 ? 1 : 0
  return Math.max(2, every - alone + single)
}

/** As far back as the hold reaches. */
function windowOf({ datagramsPerS }: RepairFacts): number {
  return Math.round(Math.max(8, Math.min(32, (datagramsPerS * PARITY_HOLD_MS) / 1_000)))
}
