/**
 * Who sends what to whom in the trunk thread. The door of this folder. Pure: frames, wants and time in; frames, wants
 * and one next deadline out. It decides neither what crosses (the main thread does) nor how much of it (the trunks'
 * budget does).
 *
 *   const router = new Router({ workers, drops, report })
 *   router.addTrunk(trunkId, end)                    // end's outlet calls onTrunkFrame, onTrunkWant, onTrunkKeyframe
 *   router.expect(trunkId, publicationId, spec)      // a stream of the far end is the source of a publication here
 *   router.offer(trunkId, publicationId, { spec, place })   // the far end may want a publication
 *   router.import(publicationId, peer)               // a media worker is its source
 *   router.export(publicationId, peer)               // a media worker may want it
 */
export type { RouterOptions, WorkerDoor } from './contract.ts'
export { type Offer, Router } from './router.ts'
