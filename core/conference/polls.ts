/**
 * Polls of a room: what is asked, who has voted what, and the counts, which alone are ever told. Part
 * of the fold: total and deterministic; who may open or vote is decided in decide.ts.
 */
import { POLLS_PER_ROOM_MAX, VOTES_PER_POLL_MAX } from '../../config/limits.ts'
import type { EventPayloads, EventPosition } from './events.ts'

/** What everybody sees; never who voted what. */
export type PollSummary = {
  poll: string
  question: string
  options: string[]
  /** Votes by option. */
  counts: number[]
  closed: boolean
}

/** Owned by the room's state. */
export type Poll = {
  readonly question: string
  readonly options: readonly string[]
  closed: boolean
  /** Option by voter; a voter counts once, and the last vote is the one that counts. */
  votes: Map<string, number>
  counts: number[]
}

/** By id, oldest first. */
export type Polls = Map<string, Poll>

/** The same on every node, so that no node has to invent one. */
export function pollIdOf({ origin, sequence }: Pick<EventPosition, 'origin' | 'sequence'>): string {
  return `${origin}-${sequence}`
}

/** Whose vote it is: a person in a token with a `sub` is one voter over all devices and joins. */
export function voterOf({ id, subject }: { id: string; subject: string }): string {
  return subject === '' ? id : `sub ${subject}`
}

/** An independent copy; cost grows with the votes. */
export function clonePolls(polls: Polls): Polls {
  return new Map(
    [...polls].map(([id, poll]) => {
      return [id, { ...poll, votes: new Map(poll.votes), counts: [...poll.counts] }]
    }),
  )
}

/** The ids that are gone for it: the oldest closed ones first. */
export function addPoll(
  polls: Polls,
  id: string,
  { question, options }: EventPayloads['poll-opened'],
): string[] {
  if (polls.has(id)) return []
  const counts = new Array<number>(options.length).fill(0)
  polls.set(id, { question, options, closed: false, votes: new Map(), counts })
  const gone: string[] = []
  // One node stops to open before all are open (decide.ts); merged islands get here with open ones.
  while (polls.size > POLLS_PER_ROOM_MAX) {
    const oldest = [...polls].find(([, { closed }]) => closed)?.[0] ?? polls.keys().next().value!
    polls.delete(oldest)
    gone.push(oldest)
  }
  return gone
}

/** Whether the counts have changed. */
export function castVote(poll: Poll | undefined, voter: string, option: number): boolean {
  if (poll === undefined || poll.closed || poll.options[option] === undefined) return false
  const before = poll.votes.get(voter)
  if (before === option) return false
  if (before === undefined && poll.votes.size >= VOTES_PER_POLL_MAX) return false
  if (before !== undefined) poll.counts[before]! -= 1
  poll.counts[option]! += 1
  poll.votes.set(voter, option)
  return true
}

/** How many votes are held; a figure of what copying costs. */
export function voteCountOf(polls: Polls): number {
  let count = 0
  for (const { votes } of polls.values()) count += votes.size
  return count
}

/** What everybody may see of it. */
export function pollSummaryOf(id: string, poll: Poll): PollSummary {
  const { question, options, counts, closed } = poll
  return { poll: id, question, options: [...options], counts: [...counts], closed }
}
