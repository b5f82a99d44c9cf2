/** What a scenario needs and this build or machine lacks. */
import { findChromium } from '../process/chromium.ts'
import { whyNoRival } from '../rival/index.ts'
import type { Need, Scenario } from '../scenario/index.ts'

const LACKS: Record<Need, () => string | undefined> = {
  chromium: () =>
    findChromium() === undefined
      ? 'there is no Chromium: install it or set CHROMIUM_PATH'
      : undefined,
  janus: whyNoRival,
}

/** In words, one per need that is not met; empty: it can run. */
export function missingNeeds({ needs }: Pick<Scenario, 'needs'>): string[] {
  return needs.flatMap((need) => LACKS[need]() ?? [])
}
