/** Plain values as msgpack, strictly: what clients (signaling/protocol) and other nodes (relay/control) say to us. */
export { packPlain, unpackPlain } from './codec.ts'
export { isPlainMessage, type MessageBounds } from './guard.ts'
