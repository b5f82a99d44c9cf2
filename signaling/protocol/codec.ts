/**
 * The two subprotocols: one message as one msgpack map in a binary frame, or as JSON in a text
 * frame. Decoding is bounded and gives plain objects only; checking what is in them is the schemas'
 * business.
 */

import { isUtf8 } from 'node:buffer'
import { packPlain, unpackPlain } from '../../core/msgpack/index.ts'
import type { ServerMessage } from './server-messages.ts'

export type Codec = {
  readonly subprotocol: string
  /** A whole frame, to be sent as it is to any number of sockets. */
  encode(message: ServerMessage): string | Uint8Array
  /** A plain value, or undefined for anything malformed. Never throws. */
  decode(data: Uint8Array, binary: boolean): unknown
}

const msgpack: Codec = {
  subprotocol: 'nhipcau.1.msgpack',
  encode: packPlain,
  decode: (data, binary) => (binary ? unpackPlain(data) : undefined),
}

const json: Codec = {
  subprotocol: 'nhipcau.1.json',
  encode: (message) => JSON.stringify(message),
  decode: (data, binary) => {
    // Looked at first, since a decoder that throws costs ten times as much.
    if (binary || !isUtf8(data)) return undefined
    try {
      return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString())
    } catch {
      return undefined
    }
  },
}

export const CODECS: readonly Codec[] = [msgpack, json]

/** The codec of a subprotocol name, undefined when we do not speak it. */
export function codecFor(subprotocol: string): Codec | undefined {
  return CODECS.find((codec) => codec.subprotocol === subprotocol)
}
