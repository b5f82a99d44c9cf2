/** Door of the STUN folder: a bounded parser, the answers of an ICE-lite agent (RFC 8489, RFC 8445), nothing else. */
export {
  answerBinding,
  type IceIdentity,
  judgeBinding,
  localUfragOf,
} from './binding.ts'
export { parseStun, StunMessage } from './message.ts'
export { type BindingRequest, writeBindingRequest } from './write.ts'
