/** The link emulator: pure here, sockets in io/. */

export { Lateness } from './lateness.ts'
export { type Cargo, Line, type LineOptions } from './line.ts'
export { Link, type LinkCounters, type LinkDrop } from './link.ts'
export { type LinkProfile, PROFILES, type ProfileName } from './profiles.ts'
export { createRandom, type Random } from './random.ts'
export { type Bucket, Series } from './series.ts'
export {
  allowedFor,
  type BurstLoss,
  type LinkSettings,
  mergeSettings,
  NUMBER_SETTINGS,
  OTHER_SETTINGS,
  PERFECT,
} from './settings.ts'
export { type StreamEnds, TcpStream } from './tcp-stream.ts'
export {
  isProfileName,
  type LineChange,
  type LinkDirection,
  parseChange,
  parseTimeMs,
  parseTimetableList,
  parseTimetableTexts,
  type Timetable,
} from './timetable.ts'
