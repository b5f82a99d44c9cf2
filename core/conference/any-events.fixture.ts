/** For tests: any three logs of one room, and any order in which they arrive. */
import fc from 'fast-check'
import type { Fact, RoomEvent } from './events.ts'
import { hybridTime } from './hybrid-clock.ts'

const PEOPLE = ['pa', 'pb', 'pc', 'pd'] as const
const anyone = fc.constantFrom(...PEOPLE)
const use = fc.constantFrom('microphone' as const, 'camera' as const, 'screen' as const)

const anyPoll = fc
  .tuple(fc.constantFrom('na', 'nb', 'nc'), fc.integer({ min: 1, max: 12 }))
  .map(([origin, sequence]) => `${origin}-${sequence}`)

const anyIsland = { island: fc.constantFrom('na', 'nb') }

/** Any fact, also ones that do not apply: an island may have seen another room. */
const fact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({
    type: fc.constant('joined' as const),
    payload: fc.record({
      participant: anyone,
      role: fc.constantFrom('chair' as const, 'speaker' as const, 'viewer' as const),
      name: fc.constant('An'),
      site: fc.constantFrom('Huế', 'Vinh'),
      subject: fc.constantFrom('', 'u1', 'u2'),
      tokenId: fc.constantFrom('', 't1'),
      tokenExpiresMs: fc.constantFrom(0, 4e12),
      onStage: fc.boolean(),
    }),
  }),
  fc.record({
    type: fc.constant('left' as const),
    payload: fc.record({ participant: anyone, cause: fc.constant('left' as const) }),
  }),
  fc.record({
    type: fc.constant('published' as const),
    payload: fc.record({ participant: anyone, use, live: fc.boolean() }),
  }),
  fc.record({
    type: fc.constant('muted' as const),
    payload: fc.record({
      participant: anyone,
      use,
      muted: fc.boolean(),
      by: fc.constantFrom('self' as const, 'chair' as const),
    }),
  }),
  fc.record({
    type: fc.constantFrom('hand-raised' as const, 'hand-lowered' as const),
    payload: fc.record({ participant: anyone }),
  }),
  fc.record({
    type: fc.constant('staged' as const),
    payload: fc.record({ participant: anyone, onStage: fc.boolean() }),
  }),
  fc.record({
    type: fc.constant('pinned' as const),
    payload: fc.oneof(
      fc.record(
        { participant: anyone, use, ...anyIsland },
        { requiredKeys: ['participant', 'use'] },
      ),
      fc.constant({ participant: null }),
    ),
  }),
  fc.record({
    type: fc.constant('kicked' as const),
    payload: fc.record({
      participant: anyone,
      subject: fc.constantFrom('', 'u1'),
      tokenId: fc.constantFrom('', 't1'),
      tokenExpiresMs: fc.constantFrom(0, 4e12),
      reason: fc.constant(''),
    }),
  }),
  fc.record({
    type: fc.constant('locked' as const),
    payload: fc.record({ locked: fc.boolean(), ...anyIsland }, { requiredKeys: ['locked'] }),
  }),
  fc.record({
    type: fc.constant('succession' as const),
    payload: fc.record({
      order: fc.array(
        fc.oneof(
          fc.record({ site: fc.constantFrom('Huế', 'Vinh') }),
          fc.record({ participant: anyone, subject: fc.constantFrom('', 'u1') }),
        ),
        { maxLength: 3 },
      ),
    }),
  }),
  fc.record({
    type: fc.constant('acting-chair' as const),
    payload: fc.record({
      participant: fc.option(anyone),
      nodes: fc.constantFrom(['na'], ['na', 'nb']),
      cause: fc.constantFrom('island' as const, 'heal' as const),
    }),
  }),
  fc.record({
    type: fc.constant('emergency' as const),
    payload: fc.record({ on: fc.boolean() }),
  }),
  fc.record({
    type: fc.constant('poll-opened' as const),
    payload: fc.record({
      question: fc.constant('?'),
      options: fc.constantFrom(['a', 'b'], ['a', 'b', 'c']),
      by: fc.constantFrom('', 'pa'),
    }),
  }),
  fc.record({
    type: fc.constant('poll-closed' as const),
    payload: fc.record({ poll: anyPoll }),
  }),
  fc.record({
    type: fc.constant('vote' as const),
    payload: fc.record({ participant: anyone, poll: anyPoll, option: fc.nat(3) }),
  }),
  fc.record({
    type: fc.constant('room-closed' as const),
    payload: fc.record({ cause: fc.constantFrom('empty' as const, 'chair' as const) }),
  }),
  fc.record({
    type: fc.constant('chat' as const),
    payload: fc.record({
      participant: anyone,
      name: fc.constant('An'),
      site: fc.constant('Huế'),
      text: fc.string({ maxLength: 5 }),
    }),
  }),
) as fc.Arbitrary<Fact>

/** Three origins' logs whose times overlap and sometimes are equal. */
export const logs = fc
  .tuple(...['na', 'nb', 'nc'].map(() => fc.array(fc.tuple(fact, fc.nat(3)), { maxLength: 25 })))
  .map((origins) =>
    origins.map((entries, index) => {
      let time = hybridTime(Date.UTC(2026, 0, 1))
      return entries.map(([one, step], position): RoomEvent => {
        time += Math.max(1, step)
        const origin = ['na', 'nb', 'nc'][index]!
        return { ...one, origin, sequence: position + 1, time, room: 'hall' }
      })
    }),
  )

/** Any interleaving that keeps each origin's order, cut into batches, some given twice. */
export const arrivals = logs.chain((origins) =>
  fc.record({
    origins: fc.constant(origins),
    picks: fc.array(fc.nat(2), { minLength: 80, maxLength: 80 }),
    batchSize: fc.integer({ min: 1, max: 7 }),
  }),
)

export function interleave(origins: readonly RoomEvent[][], picks: readonly number[]): RoomEvent[] {
  const queues = origins.map((events) => [...events])
  const merged: RoomEvent[] = []
  for (const pick of picks) {
    const queue = queues[pick]!.length > 0 ? queues[pick]! : queues.find((one) => one.length > 0)
    if (queue !== undefined) merged.push(queue.shift()!)
  }
  return merged
}
