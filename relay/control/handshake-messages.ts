/**
 * The five messages by which two nodes come to know each other, and the refusal. Each is one frame (msgpack
 * map); bytes stand in it as base64url. docs/adr/0014-relay-identity.md says why each field is there.
 *
 *   child  > hello         versions, who I am, my key, ephemeral, nonce, the id of an enrolment code
 *   parent > challenge     version, who I am, my key, ephemeral, nonce
 *   parent > parent-proof  signature over all before
 *   child  > child-proof   signature over all before, and one by the enrolment code
 *   parent > welcome       what the session needs
 *   either > refused       why not
 */
import * as v from 'valibot'
import { TOKEN_KEYS_MAX, TRUNK_DEPTH_MAX, TRUNK_HELLO_BYTES_MAX } from '../../config/limits.ts'
import { packPlain, unpackPlain } from '../../core/msgpack/index.ts'
import {
  id,
  key,
  label,
  list,
  name,
  nonce,
  port,
  positiveNumber,
  shortId,
  signature,
  uint32,
} from './fields.ts'
import { REFUSAL_REASONS } from './refusals.ts'

/** Versions that this program speaks, newest first. */
export const TRUNK_VERSIONS: readonly number[] = [1]

const PROGRAM_CHARACTERS_MAX = 64
const DETAIL_CHARACTERS_MAX = 200
const ADDRESS_CHARACTERS_MAX = 64
const VERSIONS_MAX = 16
const WELCOME_BYTES_MAX = 16 * 1024
const BOUNDS = { depthMax: 4, valuesMax: 512 }

const self = { nodeId: id, name, program: label(PROGRAM_CHARACTERS_MAX) }

export const tokenKey = v.object({
  kty: v.literal('OKP'),
  crv: v.literal('Ed25519'),
  x: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
  kid: v.exactOptional(label(64)),
})

export const path = list(id, 4 * TRUNK_DEPTH_MAX)

const SCHEMAS = {
  hello: v.object({
    type: v.literal('hello'),
    versions: list(positiveNumber, VERSIONS_MAX),
    ...self,
    epoch: positiveNumber,
    /** Random for each start of the program: tells a reconnect from a copy. */
    instance: shortId,
    key,
    ephemeral: key,
    nonce,
    /** Which enrolment code the child holds. */
    code: v.optional(shortId),
  }),
  challenge: v.object({
    type: v.literal('challenge'),
    version: positiveNumber,
    ...self,
    key,
    ephemeral: key,
    nonce,
  }),
  'parent-proof': v.object({ type: v.literal('parent-proof'), signature }),
  'child-proof': v.object({
    type: v.literal('child-proof'),
    signature,
    enrolment: v.optional(signature),
  }),
  welcome: v.object({
    type: v.literal('welcome'),
    /** Shows that the keys were derived alike. */
    confirmation: shortId,
    /** How the child is called here. */
    name,
    /** `address` '' means: the one that was dialled. Port 0: media through the WebSocket only. */
    media: v.object({ address: label(ADDRESS_CHARACTERS_MAX), port }),
    /** Of the media flow, upwards and downwards. */
    ssrcs: v.pipe(
      v.object({ up: uint32, down: uint32 }),
      v.check(({ up, down }) => up !== down, 'one SSRC for both directions'),
    ),
    leaseMs: v.pipe(v.number(), v.minValue(1_000), v.maxValue(600_000)),
    heartbeatMs: v.pipe(v.number(), v.minValue(100), v.maxValue(60_000)),
    tokenKeys: list(tokenKey, TOKEN_KEYS_MAX),
    /** From the parent to the top. */
    path,
  }),
  refused: v.object({
    type: v.literal('refused'),
    reason: v.picklist(REFUSAL_REASONS),
    detail: label(DETAIL_CHARACTERS_MAX),
  }),
}

type Schemas = typeof SCHEMAS
export type HandshakeType = keyof Schemas
export type HandshakeMessage<T extends HandshakeType> = v.InferOutput<Schemas[T]>
/** The same before its bytes were read from base64url. */
export type HandshakeInput<T extends HandshakeType> = v.InferInput<Schemas[T]>

export function writeHandshake<T extends HandshakeType>(message: HandshakeInput<T>): Uint8Array {
  return packPlain(message)
}

/** What `type` a frame says it has, undefined for anything that is no handshake message. */
export function handshakeTypeOf(value: unknown): HandshakeType | undefined {
  const type = (value as { type?: unknown } | null | undefined)?.type
  return typeof type === 'string' && Object.hasOwn(SCHEMAS, type)
    ? (type as HandshakeType)
    : undefined
}

/** The plain value of a frame, bounded. */
export function openHandshake(frame: Uint8Array, isWelcome = false): unknown {
  const bytesMax = isWelcome ? WELCOME_BYTES_MAX : TRUNK_HELLO_BYTES_MAX
  return frame.length > bytesMax ? undefined : unpackPlain(frame, BOUNDS)
}

/** Checked field by field; unknown fields are left out, undefined when anything is not as it must be. */
export function parseHandshake<T extends HandshakeType>(
  type: T,
  value: unknown,
): HandshakeMessage<T> | undefined {
  const result = v.safeParse(SCHEMAS[type], value)
  return result.success ? (result.output as HandshakeMessage<T>) : undefined
}

export const cutDetail = (detail: string): string =>
  detail.replace(/\p{Cc}/gu, ' ').slice(0, DETAIL_CHARACTERS_MAX)
