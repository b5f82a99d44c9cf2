/**
 * What sites of a group do once they are in: take turns at speaking, raise hands, chat, leave and
 * come back, reconnect. Each behaviour is a few tasks on the wheel; chance is seeded, the clock is
 * the caller's.
 */
import type { Member } from './member.ts'
import type { Behaviour } from './protocol.ts'
import type { Seat } from './seat.ts'
import { NEVER, type TimerWheel } from './timer-wheel.ts'

/** Where a behaviour plays: one group. */
export type Stage = {
  seats: readonly Seat[]
  wheel: TimerWheel
  /** Clock of a time of the plan, ms. */
  clockMs: (atS: number) => number
  durationS: number
  random: () => number
  happened: (what: string) => void
}

type Of<D extends Behaviour['do']> = Extract<Behaviour, { do: D }>

const LOUD_DBOV = 20
const MURMUR_DBOV = 70
const WATCH_MS = 50
const RETRY_MS = 250
const RETRY_MS_MAX = 4000
const QUESTION = { question: 'Chuyển tuyến?', options: ['Có', 'Không'] }
const CHAT_TEXTS = ['Mường Nhé nghe rõ.', 'Xin phát biểu.', 'Đã nhận kết quả, cảm ơn.', 'Vâng ạ.']

/** Puts a behaviour on the wheel. */
export function startBehaviour(stage: Stage, behaviour: Behaviour): void {
  switch (behaviour.do) {
    case 'speaker-changes':
      takeTurns(stage, behaviour)
      break
    case 'hands':
      raiseHands(stage, behaviour)
      break
    case 'chat':
      chat(stage, behaviour)
      break
    case 'emergency':
      byFirst(stage, behaviour, (isOn) => ({ type: 'emergency', on: isOn }))
      break
    case 'poll':
      byFirst(stage, behaviour, (isOn, { poll }) =>
        isOn ? { type: 'poll-open', ...QUESTION } : { type: 'poll-close', poll },
      )
      break
    case 'vote':
      vote(stage, behaviour)
      break
    case 'come-and-go':
      comeAndGo(stage, behaviour)
      break
    case 'reconnect':
      reconnect(stage, behaviour)
  }
}

/** So many of `seats`, drawn without repetition; a share above 0 draws one at least. */
export function drawShare<T>(seats: readonly T[], share: number, random: () => number): T[] {
  const pool = [...seats]
  const wanted = share === 0 ? 0 : Math.max(1, Math.round(seats.length * share))
  const drawn: T[] = []
  while (drawn.length < wanted && pool.length > 0) {
    const index = Math.floor(random() * pool.length)
    drawn.push(pool[index] as T)
    pool[index] = pool[pool.length - 1] as T
    pool.pop()
  }
  return drawn
}

/** Runs `step` every `everyS` from `fromS` until `untilS`. */
function every(
  stage: Stage,
  { fromS, untilS, everyS }: { fromS: number; untilS?: number | undefined; everyS: number },
  step: (count: number) => void,
): void {
  const endMs = stage.clockMs(untilS ?? stage.durationS)
  let count = 0
  stage.wheel.add(stage.clockMs(fromS), (nowMs) => {
    if (nowMs >= endMs) return NEVER
    step(count)
    count += 1
    return stage.clockMs(fromS + count * everyS)
  })
}

function takeTurns(stage: Stage, behaviour: Of<'speaker-changes'>): void {
  const speakers = stage.seats.filter(({ group }) => group.publishes?.audio !== undefined)
  every(stage, behaviour, (count) => {
    const present = speakers.filter((seat) => seat.isIn)
    const loud = present[count % Math.max(1, present.length)]
    for (const seat of present) seat.member.speak(seat === loud ? LOUD_DBOV : MURMUR_DBOV)
    if (loud !== undefined) stage.happened(`${loud.spec.id} speaks`)
  })
}

function raiseHands(stage: Stage, behaviour: Of<'hands'>): void {
  const { share, everyS } = behaviour
  const raised = new WeakSet<Seat>()
  for (const seat of drawShare(stage.seats, share, stage.random)) {
    const phased = { ...behaviour, fromS: behaviour.fromS + stage.random() * everyS }
    every(stage, phased, () => {
      // Whoever was out meanwhile has no hand up any more.
      const isUp = seat.isIn && !raised.has(seat)
      if (isUp) raised.add(seat)
      else raised.delete(seat)
      if (seat.isIn) countFailure(seat, seat.member.raiseHand(isUp))
    })
  }
}

function chat(stage: Stage, behaviour: Of<'chat'>): void {
  every(stage, { ...behaviour, everyS: 1 / behaviour.perSecond }, (count) => {
    const seat = drawPresent(stage)
    const text = CHAT_TEXTS[count % CHAT_TEXTS.length] as string
    if (seat !== undefined) countFailure(seat, seat.member.chat(text))
  })
}

/** One of those that are in; tries a few times before it looks at all. */
function drawPresent({ seats, random }: Stage): Seat | undefined {
  for (let tries = 0; tries < 8; tries += 1) {
    const seat = seats[Math.floor(random() * seats.length)]
    if (seat?.isIn) return seat
  }
  return seats.find((seat) => seat.isIn)
}

function countFailure(seat: Seat, done: Promise<void>): void {
  done.catch(() => {
    seat.requestsFailed += 1
  })
}

/** What the first of the group asks for at the beginning, and at the end when there is one. */
function byFirst(
  stage: Stage,
  { do: what, fromS, untilS }: Of<'emergency' | 'poll'>,
  request: (isOn: boolean, member: Member) => Parameters<Member['ask']>[0],
): void {
  for (const [isOn, atS] of [[true, fromS] as const, [false, untilS] as const]) {
    if (atS === undefined) continue
    stage.wheel.add(stage.clockMs(atS), () => {
      const seat = stage.seats.find(({ isIn }) => isIn)
      stage.happened(
        `${what} ${isOn ? 'begins' : 'ends'}${seat === undefined ? ': nobody is in' : ''}`,
      )
      if (seat !== undefined) countFailure(seat, seat.member.ask(request(isOn, seat.member)))
      return NEVER
    })
  }
}

/** Who knows of no poll then has missed it: that counts as a request that failed. */
function vote(stage: Stage, { fromS, withinS }: Of<'vote'>): void {
  for (const seat of stage.seats) {
    const option = stage.random() < 0.5 ? 0 : 1
    stage.wheel.add(stage.clockMs(fromS + stage.random() * withinS), () => {
      const { poll } = seat.member
      if (poll === undefined) seat.requestsFailed += 1
      else countFailure(seat, seat.member.ask({ type: 'vote', poll, option }))
      return NEVER
    })
  }
}

function comeAndGo(stage: Stage, behaviour: Of<'come-and-go'>): void {
  const { share, awayS, abrupt = false } = behaviour
  every(stage, behaviour, () => {
    const present = stage.seats.filter((seat) => seat.isIn)
    const going = drawShare(present, share, stage.random)
    if (going.length === 0) return
    stage.happened(`${going.length} of ${going[0]?.group.id} ${abrupt ? 'drop out' : 'leave'}`)
    for (const seat of going) {
      void seat.go(abrupt)
      stage.wheel.add(stage.wheel.nowMs + awayS * 1000, () => {
        void seat.enter()
        return NEVER
      })
    }
  })
}

/** When a lost seat tries again, and how long it waits after that. */
type Trial = { nextMs: number; retryMs: number; sinceMs: number; underway: boolean }

/**
 * Looks at all seats some times a second. A lost one tries at a moment of its own of the next
 * `withinS`, then less and less often; when its node or link is back, at a moment of the next
 * `withinS` again.
 */
function reconnect(stage: Stage, { withinS }: Of<'reconnect'>): void {
  const endMs = stage.clockMs(stage.durationS)
  const trials = new Map<Seat, Trial>()
  const begin = (seat: Seat, nowMs: number): void => {
    const trial = trials.get(seat) ?? { nextMs: 0, retryMs: 0, sinceMs: 0, underway: false }
    trial.nextMs = nowMs + stage.random() * withinS * 1000
    trial.retryMs = RETRY_MS
    trial.sinceMs = nowMs
    trials.set(seat, trial)
  }
  stage.wheel.add(stage.wheel.nowMs + WATCH_MS, (nowMs) => {
    let lost = 0
    for (const seat of stage.seats) {
      seat.notice(nowMs)
      const trial = trials.get(seat)
      if (seat.lostMs < 0 || !seat.wanted) trials.delete(seat)
      else if (trial === undefined) {
        lost += 1
        begin(seat, nowMs)
      } else if (seat.lostMs > trial.sinceMs) begin(seat, nowMs)
      else if (nowMs >= trial.nextMs && !trial.underway) tryBack(stage, seat, trial)
    }
    if (lost > 0) stage.happened(`${lost} of ${stage.seats[0]?.group.id} lost their connection`)
    return nowMs >= endMs ? NEVER : nowMs + WATCH_MS
  })
}

function tryBack(stage: Stage, seat: Seat, trial: Trial): void {
  const { sinceMs } = trial
  trial.underway = true
  void seat.comeBack('resume').then(() => {
    trial.underway = false
    // What came back meanwhile has given it a new moment.
    if (trial.sinceMs !== sinceMs) return
    trial.nextMs = stage.wheel.nowMs + trial.retryMs * (0.5 + stage.random())
    trial.retryMs = Math.min(trial.retryMs * 2, RETRY_MS_MAX)
  })
}
