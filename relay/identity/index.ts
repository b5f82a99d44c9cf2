/** Who a node is, whom it lets in, and on whom it hangs: keys and books in the data folder. Not the handshake. */
export {
  type EnrolmentKeys,
  enrolmentKeysOf,
  parseEnrolmentCode,
} from './enrolment-code.ts'
export { loadNodeKey } from './node-key.ts'
export { createSigner, primitives } from './primitives.ts'
export {
  describeBook,
  type EnrolledRelay,
  isRelayName,
  RelayBook,
} from './relay-book.ts'
export {
  isUpstreamKey,
  nextEpoch,
  pinUpstream,
  readUpstream,
  rememberUpstream,
  TRUNK_PATH,
  UpstreamError,
  type UpstreamRecord,
} from './upstream-file.ts'
