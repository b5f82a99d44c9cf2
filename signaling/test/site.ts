/** For tests of the doors: participants with media, and what they see. */
import type { SlotState } from '../protocol/index.ts'
import type { Harness } from './harness.ts'
import { offerOf, SITE_PARTS, SITE_SECTIONS } from './offers.ts'

export const OFFER = { type: 'offer', sdp: offerOf(SITE_PARTS), sections: SITE_SECTIONS }

export type Site = Awaited<ReturnType<Harness['join']>> & {
  transportId: number
  publications: Record<string, number>
}

/** A participant with media, whose named sources are live and flowing. */
export async function site(
  harness: Harness,
  uses: readonly string[],
  role: 'chair' | 'speaker' | 'viewer' = 'speaker',
): Promise<Site> {
  const client = await harness.join({ role })
  await client.ask(OFFER)
  const spec = harness.media.take('open')[0]?.spec
  const publications: Record<string, number> = {}
  for (const section of spec?.sections ?? []) {
    if (section.direction === 'in') publications[section.use] = section.publicationId
  }
  for (const use of uses) {
    await client.ask({ type: 'publish', use, live: true })
    const publicationId = publications[use] ?? 0
    harness.media.onReport({ type: 'flowing', publicationId, flowing: true })
  }
  await harness.pass(250)
  return Object.assign(client, { transportId: spec?.transportId ?? 0, publications })
}

/** Four seconds of this voice. */
export async function speak(harness: Harness, publicationId: number | undefined): Promise<void> {
  for (let i = 0; i < 80; i++) {
    harness.media.onReport({ type: 'levels', levels: [[publicationId ?? 0, 20]] })
    harness.host.nowMs += 50
  }
  await harness.pass(50)
}

/** The slots of a client as they stand after all its `slots` messages. */
export function slotsOf(client: Site): Map<string, SlotState> {
  const last = client.take('slots').at(-1)?.slots ?? []
  return new Map(last.map((slot) => [slot.mid, slot]))
}
