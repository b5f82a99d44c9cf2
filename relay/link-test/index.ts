/** Door of `link-test`: how a link to an upstream is measured before the hour, and what may be expected of it. */
export type { Language } from './expectation.ts'
export type { LinkTestStatus } from './figures.ts'
export { LinkTests } from './link-tests.ts'
export { presentProgress, presentResult, refusalText } from './present.ts'
