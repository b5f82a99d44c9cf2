/**
 * What two nodes say to each other on the control flow once each knows who the other is. Plain values, one
 * msgpack map per binary frame; a frame that begins with 0x00 is a tunnelled media datagram instead. Unknown
 * types and fields are skipped and counted, so that a newer program may say more than an older one
 * understands.
 */
import type { RoomEvent, VersionVector } from '../../core/conference/index.ts'
import type { SpeechLimit, StageChoice, TrackDescription } from '../stage-port.ts'

/** Issuer keys (RFC 8037) by which tokens are checked without asking anybody. */
export type TokenKeyJwk = { kty: 'OKP'; crv: 'Ed25519'; x: string; kid?: string }

/** A place in the log whose event is damaged on the disk of who asks. */
export type LostPlace = { origin: string; sequence: number }

/**
 * Why events were not taken; the same as of `ingest`, and `unknown`: a kind of event that only a newer program knows.
 */
export type EventsRefused = 'gap' | 'clock-ahead' | 'store-unavailable' | 'unknown'

/** Messages of the log exchange (relay/sync). */
export type SyncMessage =
  /** "The last I have of each origin", in parts; `more`: another part follows. `lost`: what I would have repaired. */
  | { type: 'sync'; vector: VersionVector; lost: LostPlace[]; more: boolean }
  /**
   * Ascending per origin. `batch` counts from 1 in each direction. `unreadable` is not said but heard: places
   * of events that only a newer program can read.
   */
  | { type: 'events'; batch: number; events: RoomEvent[]; unreadable?: LostPlace[] }
  /** What became of a batch: how far the log goes now, for each of its origins. Gives the credit back. */
  | { type: 'events-taken'; batch: number; vector: VersionVector; refused: EventsRefused | null }
  /** How many bytes of events may be on their way to me; before it is said TRUNK_EVENTS_CREDIT_BYTES. */
  | { type: 'events-wanted'; creditBytes: number }

/** Why a link is not measured, or no longer. */
export const LINK_TEST_REFUSALS = [
  /** Another test runs at that node. */
  'busy',
  'emergency',
  /** The last one was only just now. */
  'too-soon',
  'not-connected',
  /** An older program. */
  'no-answer',
  /** No datagram crossed. */
  'no-figures',
] as const
export type LinkTestRefusal = (typeof LINK_TEST_REFUSALS)[number]

/**
 * One second of one direction of a link that is measured, as the end that sends knows it. Rates:
 * bit/s with all headers.
 */
export type LinkSample = {
  /** Most that came out of the link in a second, lately. */
  rateBps: number
  sentBps: number
  rttMs: number
  lossRatio: number
  lossBurst: number
  jitterMs: number
  queueDelayMs: number
  mtuBytes: number
}

/** All that the ends of a trunk exchange. */
export type TrunkMessage =
  | SyncMessage
  /** Tracks that I may send over this trunk, new or with other flags. */
  | { type: 'announce'; tracks: { streamId: number; track: TrackDescription }[] }
  | { type: 'withdraw'; streamIds: number[] }
  /** Downwards. */
  | { type: 'choice'; choice: StageChoice }
  /** Towards the publishers: what those of these voices are asked to send (by the streams of who is told). */
  | { type: 'speech'; limits: { streamId: number; limit: SpeechLimit }[] }
  /** Upwards: rooms that are of interest at the child or below it, or no longer. */
  | { type: 'rooms'; rooms: { room: string; present: boolean }[] }
  /** Both ways, about once a second: a bounded summary that only relay/status understands. */
  | { type: 'status'; status: Record<string, unknown> }
  /** Downwards: the issuer's keys, all of them. */
  | { type: 'token-keys'; keys: TokenKeyJwk[] }
  /** Downwards: tokens that are no longer good though they have not expired. */
  | { type: 'revoked'; tokens: { tokenId: string; expiresMs: number }[] }
  /** Upwards: fill the link to me for so long, as I do; 0 = stop. */
  | { type: 'link-test'; seconds: number }
  /** Downwards; null = it begins. */
  | { type: 'link-test-answer'; refused: LinkTestRefusal | null }
  /** Downwards, once a second while it runs: of what I send. */
  | { type: 'link-test-figures'; figures: LinkSample }

export type TrunkMessageType = TrunkMessage['type']
