/** The messages of the WebSocket: codes, schemas, codecs. */
export {
  CLIENT_MESSAGES,
  type ClientMessage,
  type ClientMessageOf,
  parseClientMessage,
} from './client-messages.ts'
export { CODECS, type Codec, codecFor } from './codec.ts'
export {
  CLOSE_LEFT,
  CLOSE_OVERLOADED,
  closeCodeFor,
  ERROR_CODES,
  type ErrorCode,
  HTTP_STATUS,
  type Refusal,
} from './errors.ts'
export {
  SERVER_MESSAGES,
  type ServerMessage,
  type ServerMessageOf,
  type SlotState,
  type StreamMark,
} from './server-messages.ts'
