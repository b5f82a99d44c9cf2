/**
 * Tests of links of one node: of its own upstream, as an operator asks; of the link to a child, as
 * the child asks. One at a time, never while an emergency is live, and for one child not again at
 * once. Pure: messages, reports and time in; messages and orders to the trunk thread out. The load
 * itself is padding of the trunk's ends (relay/trunk, `saturate`), below all media.
 */
import {
  LINK_TEST_ANSWER_MS,
  LINK_TEST_LATE_MS,
  LINK_TEST_PAUSE_MS,
  LINK_TEST_SECONDS_MAX,
} from '../../config/limits.ts'
import type { LinkSample, LinkTestRefusal, TrunkMessage, TrunkSession } from '../control/index.ts'
import type { FromTrunkThread, ToTrunkThread } from '../media-port.ts'
import { figuresOf, type LinkTestStatus, roundTripsOf, sampleOf } from './figures.ts'

type Session = Pick<TrunkSession, 'direction' | 'flow' | 'peer' | 'send'>
type Report = Extract<FromTrunkThread, { type: 'trunk-report' }>

export type LinkTestsOptions = {
  post: (message: ToTrunkThread) => void
  /** Some room of this node is an emergency. */
  isEmergency: () => boolean
}

/** Of the upstream. */
type Own = {
  session: Session
  seconds: number
  state: 'asked' | 'running' | 'done' | 'refused' | 'failed'
  reason: LinkTestRefusal | null
  startMs: number
  deadlineMs: number
  elapsedS: number
  down: LinkSample[]
  up: LinkSample[]
  path: Report['path']
}

/** One per node. Times are monotonic ms. */
export class LinkTests {
  readonly #options: LinkTestsOptions
  #own: Own | undefined
  /** The child that is served. */
  #child: { session: Session; endMs: number } | undefined
  /** By node: not again before. */
  readonly #pauses = new Map<string, number>()

  constructor(options: LinkTestsOptions) {
    this.#options = options
  }

  /** Asks the upstream; `upstream` undefined = not connected. Returns why not, if not. */
  start(
    upstream: Session | undefined,
    seconds: number,
    nowMs: number,
  ): LinkTestRefusal | undefined {
    if (upstream === undefined) return 'not-connected'
    const why = this.#whyNot()
    if (why !== undefined) return why
    this.#own = {
      session: upstream,
      seconds,
      state: 'asked',
      reason: null,
      startMs: nowMs,
      deadlineMs: nowMs + LINK_TEST_ANSWER_MS,
      elapsedS: 0,
      down: [],
      up: [],
      path: 'none',
    }
    upstream.send({ type: 'link-test', seconds })
    return undefined
  }

  /** Of the last test of the upstream; `nowMs` as `start` had it. */
  status(): LinkTestStatus {
    const own = this.#own
    const down = own?.down.at(-1) ?? null
    const up = own?.up.at(-1) ?? null
    return {
      state: own?.state ?? 'none',
      reason: own?.reason ?? null,
      upstream: own?.session.peer.name ?? '',
      seconds: own?.seconds ?? 0,
      elapsedS: own?.elapsedS ?? 0,
      now: { down, up },
      result: own?.state === 'done' ? resultOf(own) : null,
    }
  }

  /** One message of a session; those that are not ours are ignored. */
  onMessage(session: Session, message: TrunkMessage, nowMs: number): void {
    if (message.type === 'link-test') {
      if (session.direction === 'down') this.#onAsked(session, message.seconds, nowMs)
      return
    }
    const own = this.#own
    if (own === undefined || own.session !== session) return
    if (message.type === 'link-test-answer') this.#onAnswer(own, message.refused, nowMs)
    else if (message.type === 'link-test-figures' && own.state === 'running') {
      // As many as there are seconds, whatever an upstream tells.
      if (own.down.length <= LINK_TEST_SECONDS_MAX) own.down.push(message.figures)
    }
  }

  /** What the trunk thread says of the link of a session, once a second. */
  onReport(session: Session, { report, path }: Pick<Report, 'report' | 'path'>): void {
    const own = this.#own
    if (own?.session === session && own.state === 'running') {
      own.path = path
      if (own.up.length <= LINK_TEST_SECONDS_MAX) own.up.push(sampleOf(report))
    }
    if (this.#child?.session === session) {
      session.send({ type: 'link-test-figures', figures: sampleOf(report) })
    }
  }

  onClosed(session: Session, nowMs: number): void {
    const own = this.#own
    if (own?.session === session && isOpen(own)) this.#end(own, 'failed', 'not-connected')
    if (this.#child?.session === session) this.#endChild(nowMs)
  }

  /** About twice a second. */
  tick(nowMs: number): void {
    for (const [nodeId, untilMs] of this.#pauses) if (untilMs <= nowMs) this.#pauses.delete(nodeId)
    const isEmergency = this.#options.isEmergency()
    const child = this.#child
    if (child !== undefined && isEmergency) {
      child.session.send({ type: 'link-test-answer', refused: 'emergency' })
      this.#endChild(nowMs)
    } else if (child !== undefined && child.endMs <= nowMs) this.#endChild(nowMs)
    const own = this.#own
    if (own === undefined || !isOpen(own)) return
    if (own.state === 'running') {
      own.elapsedS = Math.min(own.seconds, Math.floor((nowMs - own.startMs) / 1000))
    }
    if (isEmergency) this.#end(own, 'failed', 'emergency')
    else if (nowMs >= own.deadlineMs) this.#onDue(own)
  }

  #onDue(own: Own): void {
    if (own.state === 'asked') this.#end(own, 'failed', 'no-answer')
    else if (own.down.length === 0 || own.up.length === 0) this.#end(own, 'failed', 'no-figures')
    else own.state = 'done'
  }

  #onAnswer(own: Own, refused: LinkTestRefusal | null, nowMs: number): void {
    if (!isOpen(own)) return
    if (refused !== null) {
      this.#end(own, own.state === 'asked' ? 'refused' : 'failed', refused)
      return
    }
    if (own.state !== 'asked') return
    own.state = 'running'
    own.startMs = nowMs
    own.deadlineMs = nowMs + own.seconds * 1000 + LINK_TEST_LATE_MS
    this.#load(own.session, own.seconds)
  }

  #onAsked(session: Session, seconds: number, nowMs: number): void {
    if (seconds === 0) {
      if (this.#child?.session === session) this.#endChild(nowMs)
      return
    }
    const isEarly = (this.#pauses.get(session.peer.nodeId) ?? 0) > nowMs
    const refused = this.#whyNot() ?? (isEarly ? 'too-soon' : null)
    session.send({ type: 'link-test-answer', refused })
    if (refused !== null) return
    // What is under way when it ends is told too.
    this.#child = { session, endMs: nowMs + seconds * 1000 + LINK_TEST_LATE_MS }
    this.#load(session, seconds)
  }

  #whyNot(): LinkTestRefusal | undefined {
    if (this.#options.isEmergency()) return 'emergency'
    const isBusy = this.#child !== undefined || (this.#own !== undefined && isOpen(this.#own))
    return isBusy ? 'busy' : undefined
  }

  #end(own: Own, state: 'refused' | 'failed', reason: LinkTestRefusal): void {
    if (own.state === 'running' && reason !== 'not-connected') {
      own.session.send({ type: 'link-test', seconds: 0 })
      this.#load(own.session, 0)
    }
    own.state = state
    own.reason = reason
  }

  #endChild(nowMs: number): void {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    this.#pauses.set(child.session.peer.nodeId, nowMs + LINK_TEST_PAUSE_MS)
    this.#load(child.session, 0)
  }

  #load({ flow }: Session, seconds: number): void {
    this.#options.post({ type: 'saturate', trunkId: flow.trunkId, forMs: seconds * 1000 })
  }
}

const isOpen = ({ state }: Own): boolean => state === 'asked' || state === 'running'

function resultOf({ down, up, path }: Own): LinkTestStatus['result'] {
  const figures = { down: figuresOf(down), up: figuresOf(up) }
  if (figures.down === undefined || figures.up === undefined) return null
  const { least, middle } = roundTripsOf(up)
  return {
    down: figures.down,
    up: figures.up,
    rttMs: least,
    rttLoadedMs: middle,
    path,
  }
}
