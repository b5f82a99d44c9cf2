/** What axe-core, the audit that browsers' own tools use, holds against a page. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** Of axe's four: what keeps people out. `minor` and `moderate` are for people to judge. */
const GRAVE: ReadonlySet<string | null | undefined> = new Set(['serious', 'critical'])

type Audited = { axe: typeof axe }

/**
 * Grave violations as `rule: selector` of each element; the page's policy does not see this script.
 */
export async function graveViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const violations = await page.evaluate(async () => {
    const { axe: audit } = window as unknown as Audited
    return (await audit.run(document, { resultTypes: ['violations'] })).violations
  })
  return violations
    .filter(({ impact }) => GRAVE.has(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`))
}
