/** The link emulator: pure here, sockets in io/. */
export {
  type BurstLoss,
  Link,
  type LinkCounters,
  type LinkDrop,
  type LinkSettings,
  PERFECT,
} from './link.ts'
export { type LinkProfile, PROFILES, type ProfileName } from './profiles.ts'
export { createRandom, type Random } from './random.ts'
