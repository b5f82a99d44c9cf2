/** Offers in, answers and transport sections out. */
export { parseFragment, writeFragment } from './fragment.ts'
export { type Negotiation, negotiate, type SectionUse } from './negotiate.ts'
export type { Offer, OfferedSection } from './offer.ts'
export { parseOffer } from './parse-offer.ts'
export { writeAnswer } from './write-answer.ts'
