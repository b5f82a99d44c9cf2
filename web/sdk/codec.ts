/**
 * Frames of the two subprotocols (docs/PROTOCOL.md §1): msgpack maps in binary frames, or the same maps as JSON in
 * text frames. Not a validator; a frame that is no map with a `type` is `undefined`.
 */
import { Packr } from 'msgpackr'
import type { ClientMessage, ServerMessage } from './messages.ts'

export type Format = 'msgpack' | 'json'

export const SUBPROTOCOLS: Readonly<Record<Format, string>> = {
  msgpack: 'nhipcau.1.msgpack',
  json: 'nhipcau.1.json',
}

export type Codec = {
  encode(message: ClientMessage & { ref?: number }): string | Uint8Array<ArrayBuffer>
  /** `undefined` for anything that is not a message. */
  decode(data: unknown): ServerMessage | undefined
}

const asMessage = (value: unknown): ServerMessage | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  return typeof (value as { type?: unknown }).type === 'string'
    ? (value as ServerMessage)
    : undefined
}

const jsonCodec: Codec = {
  encode: (message) => JSON.stringify(message),
  decode: (data) => {
    try {
      return typeof data === 'string' ? asMessage(JSON.parse(data)) : undefined
    } catch {
      return undefined
    }
  },
}

const createMsgpackCodec = (): Codec => {
  // Records are a private extension of msgpackr; plain maps are what other languages read.
  const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: false, int64AsType: 'number' })
  return {
    encode: (message) => {
      const packed = packr.pack(dropUndefined(message))
      return new Uint8Array(packed)
    },
    decode: (data) => {
      try {
        if (data instanceof ArrayBuffer) return asMessage(packr.unpack(new Uint8Array(data)))
        return data instanceof Uint8Array ? asMessage(packr.unpack(data)) : undefined
      } catch {
        return undefined
      }
    },
  }
}

/** Absent and `undefined` are the same in JSON; make them the same in msgpack. */
const dropUndefined = (message: object): object =>
  Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined))

export const createCodec = (format: Format): Codec =>
  format === 'json' ? jsonCodec : createMsgpackCodec()
